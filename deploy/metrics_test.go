package deploy_test

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// dashboard is what of Grafana's model the tests look at.
type dashboard struct {
	Templating struct {
		List []struct {
			Name       string `json:"name"`
			Type       string `json:"type"`
			Definition string `json:"definition"`
		} `json:"list"`
	} `json:"templating"`
	Panels []panel `json:"panels"`
}

type panel struct {
	ID          int        `json:"id"`
	Type        string     `json:"type"`
	Title       string     `json:"title"`
	Description string     `json:"description"`
	Datasource  datasource `json:"datasource"`
	GridPos     struct {
		H int `json:"h"`
		W int `json:"w"`
		X int `json:"x"`
		Y int `json:"y"`
	} `json:"gridPos"`
	Targets []struct {
		Expr         string     `json:"expr"`
		LegendFormat string     `json:"legendFormat"`
		Datasource   datasource `json:"datasource"`
	} `json:"targets"`
}

type datasource struct {
	UID string `json:"uid"`
}

func readDashboard(t *testing.T) dashboard {
	t.Helper()
	var d dashboard
	if err := json.Unmarshal([]byte(read(t, "grafana/streamer.json")), &d); err != nil {
		t.Fatal(err)
	}
	return d
}

// interval is what Grafana puts in for its own variables; those of the dashboard stand in quotes.
var interval = strings.NewReplacer("$__rate_interval", "5m", "$__range", "1h")

var (
	legendLabel   = regexp.MustCompile(`\{\{\s*(\w+)\s*\}\}`)
	templateLabel = regexp.MustCompile(`\$labels\.(\w+)`)
	variableQuery = regexp.MustCompile(`^label_values\((.+), (\w+)\)$`)
	variable      = regexp.MustCompile(`\$(\w+)`)
)

func TestDashboardUsesDocumentedMetrics(t *testing.T) {
	t.Parallel()
	metrics, d := documented(t), readDashboard(t)
	known := []string{"__rate_interval", "__range"}
	for _, v := range d.Templating.List {
		known = append(known, v.Name)
		if v.Type == "datasource" {
			continue
		}
		parts := variableQuery.FindStringSubmatch(v.Definition)
		if parts == nil {
			t.Errorf("variable %s: %q is not label_values(metric, label)", v.Name, v.Definition)
			continue
		}
		labels, faults := check(metrics, parts[1])
		if !slices.Contains(labels, parts[2]) || len(faults) > 0 {
			t.Errorf("variable %s: %s has labels %v; %v", v.Name, v.Definition, labels, faults)
		}
	}
	for _, p := range d.Panels {
		if p.Type != "row" && len(p.Targets) == 0 {
			t.Errorf("panel %q asks nothing", p.Title)
		}
		for _, target := range p.Targets {
			labels, faults := check(metrics, interval.Replace(target.Expr))
			for _, fault := range faults {
				t.Errorf("panel %q: %s", p.Title, fault)
			}
			for _, name := range legendLabel.FindAllStringSubmatch(target.LegendFormat, -1) {
				if !slices.Contains(labels, name[1]) {
					t.Errorf("panel %q: the legend shows %s, the series have %v", p.Title, name[1], labels)
				}
			}
			for _, name := range variable.FindAllStringSubmatch(target.Expr, -1) {
				if !slices.Contains(known, name[1]) {
					t.Errorf("panel %q: there is no variable %s", p.Title, name[0])
				}
			}
		}
	}
}

// The dashboard is imported as it is into any Grafana: no data source of ours, no panel over another.
func TestDashboardFitsAnyGrafana(t *testing.T) {
	t.Parallel()
	const columns = 24
	ids, taken := map[int]string{}, map[[2]int]string{}
	for _, p := range readDashboard(t).Panels {
		if other, twice := ids[p.ID]; twice {
			t.Errorf("panels %q and %q have the same id", p.Title, other)
		}
		ids[p.ID] = p.Title
		if p.GridPos.X+p.GridPos.W > columns {
			t.Errorf("panel %q is wider than the page", p.Title)
		}
		for x := range p.GridPos.W {
			for y := range p.GridPos.H {
				cell := [2]int{p.GridPos.X + x, p.GridPos.Y + y}
				if other, twice := taken[cell]; twice {
					t.Fatalf("panels %q and %q lie over each other", p.Title, other)
				}
				taken[cell] = p.Title
			}
		}
		if p.Type == "row" {
			continue
		}
		if p.Description == "" {
			t.Errorf("panel %q does not say what it shows", p.Title)
		}
		for _, target := range p.Targets {
			if p.Datasource.UID != "${datasource}" || target.Datasource.UID != "${datasource}" {
				t.Errorf("panel %q asks a data source of its own", p.Title)
			}
		}
	}
}

type rules struct {
	Groups []struct {
		Name  string
		Rules []alert
	}
}

type alert struct {
	Alert, Expr         string
	Labels, Annotations map[string]string
}

func readAlerts(t *testing.T) []alert {
	t.Helper()
	var r rules
	if err := yaml.Unmarshal([]byte(read(t, "prometheus/alerts.yaml")), &r); err != nil {
		t.Fatal(err)
	}
	if len(r.Groups) != 1 || len(r.Groups[0].Rules) == 0 {
		t.Fatalf("prometheus/alerts.yaml has %d groups, want one with rules", len(r.Groups))
	}
	return r.Groups[0].Rules
}

func TestAlertsUseDocumentedMetrics(t *testing.T) {
	t.Parallel()
	metrics := documented(t)
	_, advice, found := strings.Cut(read(t, "../docs/observability.md"), "### What to alert on\n")
	if !found {
		t.Fatal("docs/observability.md says no longer what to alert on")
	}
	for _, a := range readAlerts(t) {
		labels, faults := check(metrics, a.Expr)
		for _, fault := range faults {
			t.Errorf("%s: %s", a.Alert, fault)
		}
		for _, what := range []string{"summary", "description", "action"} {
			if a.Annotations[what] == "" {
				t.Errorf("%s has no %s", a.Alert, what)
			}
			for _, name := range templateLabel.FindAllStringSubmatch(a.Annotations[what], -1) {
				if !slices.Contains(labels, name[1]) {
					t.Errorf("%s: its %s names label %s; the alert has %v", a.Alert, what, name[1], labels)
				}
			}
		}
		if !strings.Contains(a.Annotations["description"], "$value") && !strings.HasPrefix(a.Expr, "absent(") {
			t.Errorf("%s: its description has no figure", a.Alert)
		}
		if severity := a.Labels["severity"]; severity != "warning" && severity != "critical" {
			t.Errorf("%s: severity is %q", a.Alert, severity)
		}
		if !strings.Contains(advice, "`"+a.Alert+"`") {
			t.Errorf("docs/observability.md does not name %s under what to alert on", a.Alert)
		}
	}
}

// ruleTests is what of promtool's unit tests is looked at: which alerts must fire somewhere, and which must not.
type ruleTests struct {
	Tests []struct {
		Cases []struct {
			Alert  string `yaml:"alertname"`
			Expect []any  `yaml:"exp_alerts"`
		} `yaml:"alert_rule_test"`
	}
}

// An alert whose test never lets it fire, or always does, is not tested.
func TestEveryAlertFiresAndRestsInItsTest(t *testing.T) {
	t.Parallel()
	var tests ruleTests
	if err := yaml.Unmarshal([]byte(read(t, "prometheus/alerts_test.yaml")), &tests); err != nil {
		t.Fatal(err)
	}
	fires, rests := map[string]bool{}, map[string]bool{}
	for _, test := range tests.Tests {
		for _, c := range test.Cases {
			fires[c.Alert] = fires[c.Alert] || len(c.Expect) > 0
			rests[c.Alert] = rests[c.Alert] || len(c.Expect) == 0
		}
	}
	for _, a := range readAlerts(t) {
		if !fires[a.Alert] || !rests[a.Alert] {
			t.Errorf("%s: fires in a test: %v, rests in one: %v", a.Alert, fires[a.Alert], rests[a.Alert])
		}
	}
}

func TestPromtoolAcceptsTheAlerts(t *testing.T) {
	t.Parallel()
	promtool := tool(t, "promtool")
	want := fmt.Sprintf("%d rules found", len(readAlerts(t)))
	if said := run(t, promtool, "check", "rules", "prometheus/alerts.yaml"); !strings.Contains(said, want) {
		t.Errorf("promtool says %q, want %s", said, want)
	}
	run(t, promtool, "test", "rules", "prometheus/alerts_test.yaml")
}

// The parser of the other tests knows more than Prometheus does; so Prometheus' own reads the dashboard too.
func TestPromtoolReadsTheDashboard(t *testing.T) {
	t.Parallel()
	promtool := tool(t, "promtool")
	type recording struct {
		Record string `yaml:"record"`
		Expr   string `yaml:"expr"`
	}
	queries := []recording{}
	for _, p := range readDashboard(t).Panels {
		for i, target := range p.Targets {
			queries = append(queries, recording{fmt.Sprintf("panel:%d:%d", p.ID, i), interval.Replace(target.Expr)})
		}
	}
	text, err := yaml.Marshal(map[string]any{"groups": []any{map[string]any{"name": "dashboard", "rules": queries}}})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "dashboard.yaml")
	write(t, path, string(text))
	run(t, promtool, "check", "rules", path)
}
