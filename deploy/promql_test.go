package deploy_test

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/VictoriaMetrics/metricsql"
)

// metric is a row of the table in docs/observability.md.
type metric struct {
	kind   string // counter, gauge or histogram
	labels []string
}

// metricRow is `name`, `name` | type | labels, as internal/streamer's test reads it, which holds the table to the program.
var (
	metricRow = regexp.MustCompile("(?m)^\\| (`streamer_[^|]+) \\| (counter|gauge|histogram) \\| ([^|]*)\\|")
	labelName = regexp.MustCompile("`([a-z_]+)`")
)

func documented(t *testing.T) map[string]metric {
	t.Helper()
	metrics := map[string]metric{}
	for _, row := range metricRow.FindAllStringSubmatch(read(t, "../docs/observability.md"), -1) {
		labels := []string{"job", "instance"} // Prometheus gives these to every target
		for _, name := range labelName.FindAllStringSubmatch(row[3], -1) {
			labels = append(labels, name[1])
		}
		for name := range strings.SplitSeq(row[1], ", ") {
			metrics[strings.Trim(name, "`")] = metric{row[2], labels}
		}
	}
	if len(metrics) < 60 {
		t.Fatalf("only %d metrics are found in docs/observability.md: has its table another form?", len(metrics))
	}
	return metrics
}

// query is one expression that is held to the table: every metric is in it, and every label that something is matched,
// grouped or joined by is one of the metrics there. Without that an empty panel, or an alert that never fires, shows nobody
// that its metric has another name.
type query struct {
	metrics map[string]metric
	faults  []string
}

// check returns the labels of what the expression yields, sorted, and what is wrong.
func check(metrics map[string]metric, expression string) (labels, faults []string) {
	parsed, err := metricsql.Parse(expression)
	if err != nil {
		return nil, []string{err.Error()}
	}
	q := &query{metrics: metrics}
	labels = q.labels(parsed, false)
	return slices.Sorted(slices.Values(labels)), q.faults
}

func (q *query) faultf(format string, args ...any) {
	q.faults = append(q.faults, fmt.Sprintf(format, args...))
}

// labels of the vector that e yields; nil if it is a number. counted says that a function around e wants a counter.
func (q *query) labels(e metricsql.Expr, counted bool) []string {
	switch e := e.(type) {
	case *metricsql.NumberExpr, *metricsql.DurationExpr:
		return nil
	case *metricsql.MetricExpr:
		return q.series(e, counted)
	case *metricsql.RollupExpr:
		return q.labels(e.Expr, counted)
	case *metricsql.FuncExpr:
		return q.function(e)
	case *metricsql.AggrFuncExpr:
		return q.aggregate(e)
	case *metricsql.BinaryOpExpr:
		return q.binary(e)
	default:
		q.faultf("%s is of a kind that this test does not know", e.AppendString(nil))
		return nil
	}
}

func (q *query) series(e *metricsql.MetricExpr, counted bool) []string {
	if len(e.LabelFilterss) != 1 || len(e.LabelFilterss[0]) == 0 || e.LabelFilterss[0][0].Label != "__name__" {
		q.faultf("%s does not name its metric", e.AppendString(nil))
		return nil
	}
	name := e.LabelFilterss[0][0].Value
	row, found := q.metrics[name]
	labels, counter := slices.Clone(row.labels), row.kind == "counter"
	if !found {
		of, suffix := cutSuffix(name)
		if row = q.metrics[of]; row.kind == "histogram" {
			labels, counter, found = slices.Clone(row.labels), true, true
			if suffix == "_bucket" {
				labels = append(labels, "le")
			}
		}
	} else if row.kind == "histogram" {
		q.faultf("%s is a histogram; its series are called %s_bucket, _sum and _count", name, name)
	}
	switch {
	case !found:
		q.faultf("%s is not in the table of docs/observability.md", name)
		return labels
	case counter && !counted:
		q.faultf("%s counts since the process began; use rate or increase", name)
	case !counter && counted:
		q.faultf("%s is a gauge, rate and increase are for counters", name)
	}
	for _, filter := range e.LabelFilterss[0][1:] {
		q.has(labels, filter.Label, name)
	}
	return labels
}

func cutSuffix(name string) (of, suffix string) {
	at := max(strings.LastIndexByte(name, '_'), 0)
	switch name[at:] {
	case "_bucket", "_sum", "_count":
		return name[:at], name[at:]
	}
	return name, ""
}

func (q *query) function(e *metricsql.FuncExpr) []string {
	switch e.Name {
	case "time":
		return nil
	case "rate", "increase":
		return q.labels(e.Args[0], true)
	case "count_over_time", "sum_over_time":
		return q.labels(e.Args[0], false)
	case "absent":
		q.labels(e.Args[0], false)
		return []string{}
	case "histogram_quantile":
		labels := q.labels(e.Args[1], false)
		q.has(labels, "le", "what a quantile is taken of")
		return without(labels, "le")
	default:
		q.faultf("function %s is not known to this test", e.Name)
		return nil
	}
}

func (q *query) aggregate(e *metricsql.AggrFuncExpr) []string {
	labels := q.labels(e.Args[0], false)
	for _, label := range e.Modifier.Args {
		q.has(labels, label, string(e.Args[0].AppendString(nil)))
	}
	switch e.Modifier.Op {
	case "by":
		return e.Modifier.Args
	case "without":
		return without(labels, e.Modifier.Args...)
	default:
		return []string{}
	}
}

// binary follows Prometheus: `group_left` and `group_right` keep the labels of their side, `and` and `unless` those of the left,
// a match by `on` only what it matches by.
func (q *query) binary(e *metricsql.BinaryOpExpr) []string {
	left, right := q.labels(e.Left, false), q.labels(e.Right, false)
	if left == nil || right == nil { // a number
		return slices.Concat(left, right)
	}
	for _, label := range e.GroupModifier.Args {
		q.has(left, label, string(e.Left.AppendString(nil)))
		q.has(right, label, string(e.Right.AppendString(nil)))
	}
	if e.GroupModifier.Op == "" && !equal(left, right) {
		q.faultf("%s and %s have different labels (%v, %v) and so never match; use on (…)",
			e.Left.AppendString(nil), e.Right.AppendString(nil), left, right)
	}
	switch {
	case e.JoinModifier.Op == "group_right":
		return right
	case e.JoinModifier.Op == "group_left", e.Op == "and", e.Op == "unless":
		return left
	case e.GroupModifier.Op == "on":
		return e.GroupModifier.Args
	default:
		return left
	}
}

func (q *query) has(labels []string, label, what string) {
	if !slices.Contains(labels, label) {
		q.faultf("%s has no label %s; it has %s", what, label, strings.Join(labels, ", "))
	}
}

func without(labels []string, gone ...string) []string {
	return slices.DeleteFunc(slices.Clone(labels), func(label string) bool { return slices.Contains(gone, label) })
}

func equal(a, b []string) bool { return maps.Equal(setOf(a), setOf(b)) }

func setOf(names []string) map[string]bool {
	set := map[string]bool{}
	for _, name := range names {
		set[name] = true
	}
	return set
}

// What holds dashboard and alerts to the table must see each kind of mistake, or it proves nothing.
func TestQueriesAreHeldToTheTable(t *testing.T) {
	t.Parallel()
	metrics := map[string]metric{
		"lag":     {"gauge", []string{"job", "topic"}},
		"ready":   {"gauge", []string{"job"}},
		"records": {"counter", []string{"job", "topic"}},
		"seconds": {"histogram", []string{"job"}},
	}
	for expression, want := range map[string]string{
		`lag > 60`:                           "",
		`max by (topic) (lag{job="a"}) > 60`: "",
		`sum(rate(records[5m])) / sum(rate(seconds_sum[5m]))`:             "",
		`histogram_quantile(0.9, sum by (le) (rate(seconds_bucket[5m])))`: "",
		`time() - lag`:                                     "",
		`lag and on (job) ready == 0`:                      "",
		`ready * on (job) group_right () (lag == 1) > 300`: "",

		`lags > 60`:                          "lags is not in the table",
		`lag{partition="1"}`:                 "lag has no label partition",
		`sum by (partition) (lag)`:           "lag has no label partition",
		`lag and on (topic) ready`:           "ready has no label topic",
		`lag and ready`:                      "never match",
		`records > 3`:                        "use rate or increase",
		`rate(lag[5m])`:                      "lag is a gauge",
		`seconds`:                            "seconds is a histogram",
		`rate(lag_bucket[5m])`:               "lag_bucket is not in the table",
		`rate(seconds_count{le="1"}[5m])`:    "seconds_count has no label le",
		`histogram_quantile(0.9, ready)`:     "has no label le",
		`{job="a"}`:                          "does not name its metric",
		`deriv(lag[5m])`:                     "function deriv is not known",
		`max by (topic) (max by (job)(lag))`: "has no label topic",
		`lag >`:                              "unexpected token",
	} {
		_, faults := check(metrics, expression)
		if got := strings.Join(faults, "; "); got != want && (want == "" || !strings.Contains(got, want)) {
			t.Errorf("%s: %q, want %q", expression, got, want)
		}
	}
}
