package service

import (
	"testing"

	"go.yaml.in/yaml/v3"
)

func TestConfigYAML(t *testing.T) {
	t.Parallel()
	config := Config{"a.b": 1, "a.c.d": "x", "e": []string{"y"}}.With(Config{"a.b": nil, "a.c.f": true})
	text, err := config.YAML()
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		A struct {
			B *int `yaml:"b"`
			C struct {
				D string `yaml:"d"`
				F bool   `yaml:"f"`
			} `yaml:"c"`
		} `yaml:"a"`
		E []string `yaml:"e"`
	}
	if err := yaml.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	if got.A.B != nil || got.A.C.D != "x" || !got.A.C.F || len(got.E) != 1 {
		t.Errorf("rendered\n%s", text)
	}
}

func TestMetricsSum(t *testing.T) {
	t.Parallel()
	metrics, err := parseMetrics("# HELP lag x\nlag{p=\"1\",t=\"a b\"} 3\nlag{p=\"2\",t=\"a b\"} 4.5\nlagging 7\n")
	if err != nil {
		t.Fatal(err)
	}
	if got := metrics.Sum("lag"); got != 7.5 {
		t.Errorf("sum of all %v", got)
	}
	if got := metrics.Sum("lag", `p="2"`, `t="a b"`); got != 4.5 {
		t.Errorf("sum of one %v", got)
	}
	if metrics.Has("la") || !metrics.Has("lagging") {
		t.Error("Has goes by prefix")
	}
}
