package deploy_test

import (
	"flag"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"
)

var update = flag.Bool("update", false, "write kubernetes/*.yaml as the chart renders them")

const chart = "helm/streamer"

func render(t *testing.T, args ...string) string {
	t.Helper()
	return run(t, tool(t, "helm"), append([]string{"template", "streamer", chart}, args...)...)
}

const rendered = `# Rendered from deploy/helm/streamer by: go test ./deploy -update. Change the chart, not this file.
# docs/deploy.md explains it. Before you apply it: name your image, and write your configuration.
`

// The plain manifests are the chart's, so that what is mended in one is mended in the other.
func TestPlainManifestsAreWhatTheChartRenders(t *testing.T) {
	t.Parallel()
	for path, args := range map[string][]string{
		"kubernetes/streamer.yaml": nil,
		"kubernetes/keda.yaml":     {"--set", "keda.enabled=true,keda.partitions=8", "--show-only", "templates/scaledobject.yaml"},
	} {
		want := rendered + render(t, args...)
		if *update {
			write(t, path, want)
		}
		if read(t, path) != want {
			t.Errorf("%s is not what the chart renders; run go test ./deploy -update and read the diff", path)
		}
	}
}

func TestChartLints(t *testing.T) {
	t.Parallel()
	helm := tool(t, "helm")
	run(t, helm, "lint", "--strict", chart)
	run(t, helm, "lint", "--strict", chart, "--values", "testdata/every.yaml")
}

// Kubernetes' own types read what is rendered: a field that they do not have, readOnlyRootFileSystem, would protect nobody.
func TestKubernetesKnowsEveryField(t *testing.T) {
	t.Parallel()
	strict := tool(t, "strict")
	path := t.TempDir() + "/every.yaml"
	write(t, path, render(t, "--values", "testdata/every.yaml"))
	checked := run(t, strict, "kubernetes/streamer.yaml", "kubernetes/keda.yaml", path)
	for kind, times := range map[string]int{"StatefulSet": 2, "ConfigMap": 2, "Service": 2, "PodDisruptionBudget": 2} {
		if got := strings.Count(checked, "checked "+kind+"\n"); got != times {
			t.Errorf("%s was checked %d times, want %d", kind, got, times)
		}
	}
}

// Each value does something: a template that forgets one renders what nobody asked for.
func TestChartUsesEveryValue(t *testing.T) {
	t.Parallel()
	values, every := map[string]any{}, map[string]any{}
	for path, into := range map[string]map[string]any{chart + "/values.yaml": values, "testdata/every.yaml": every} {
		if err := yaml.Unmarshal([]byte(read(t, path)), into); err != nil {
			t.Fatal(err)
		}
	}
	plain := render(t)
	for name := range values {
		if _, set := every[name]; !set {
			t.Errorf("testdata/every.yaml does not set %s", name)
			continue
		}
		if name == "keda" || name == "replicas" { // on their own below
			continue
		}
		one, err := yaml.Marshal(map[string]any{name: every[name]})
		if err != nil {
			t.Fatal(err)
		}
		path := t.TempDir() + "/values.yaml"
		write(t, path, string(one))
		if text := render(t, "--values", path); text == plain {
			t.Errorf("%s changes nothing", name)
		}
	}
}

func TestChartWithEveryValue(t *testing.T) {
	t.Parallel()
	text := render(t, "--values", "testdata/every.yaml")
	objects := manifests(t, text)
	cfg := holds(t, objects)
	if cfg.Source.Kafka.InstanceID != "" || time.Duration(cfg.Shutdown.Timeout) != 100*time.Second || cfg.Log.Level != "debug" {
		t.Errorf("instance_id %q, shutdown.timeout %v, log.level %s", cfg.Source.Kafka.InstanceID, cfg.Shutdown.Timeout, cfg.Log.Level)
	}
	data, set := objects["ConfigMap"].Data, objects["StatefulSet"]
	if !strings.Contains(data["config.yaml"], "{z: ad_id, a: event_time}") || !strings.HasPrefix(data["event.avsc"], `{"type": "record"`) {
		t.Errorf("the files are %q", data)
	}
	if set.Spec.Replicas != nil {
		t.Errorf("replicas: %d would undo what KEDA has scaled to, with each upgrade", *set.Spec.Replicas)
	}
	scaler := objects["ScaledObject"].Spec
	topics := []string{}
	for _, trigger := range scaler.Triggers {
		topics = append(topics, trigger.Metadata["topic"])
		if m := trigger.Metadata; m["bootstrapServers"] != "kafka-1:9092,kafka-2:9092" || m["offsetResetPolicy"] != "latest" || m["lagThreshold"] != "500" {
			t.Errorf("trigger %v", m)
		}
	}
	if !slices.Equal(topics, []string{"clicks", "events"}) || scaler.MinReplicaCount != 2 || scaler.MaxReplicaCount != 12 {
		t.Errorf("topics %v, between %d and %d", topics, scaler.MinReplicaCount, scaler.MaxReplicaCount)
	}
	for _, want := range []string{
		`image: "mirror/streamer:1.2.3"`, "- name: mirror-login", "name: registry-login", "secretName: kafka-login",
		"mountPath: /etc/streamer-secret", "memory: 2Gi", "maxUnavailable: 50%", "authenticationRef: {name: kafka-login-for-keda}",
		"mountPath: /var/lib/streamer", "emptyDir: {}", "storage: 10Gi", "team: ads", "tier: streams", "disk: fast", "key: streams", "nodeAffinity: {}",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("there is no %q", want)
		}
	}
	if text := render(t, "--set", "replicas=5"); *manifests(t, text)["StatefulSet"].Spec.Replicas != 5 {
		t.Error("replicas changes nothing")
	}
}

// A value that is written wrong must not be passed over.
func TestChartRefuses(t *testing.T) {
	t.Parallel()
	helm := tool(t, "helm")
	for set, want := range map[string]string{
		"replica=3":         "replica",
		"replicas=two":      "replicas",
		"keda.enabled=true": "/keda/partitions",
		"keda.enabled=true,keda.partitions=8,config=kafka: {brokers: [a\\,b]}": "keda needs source.kafka.topics",
		"image=": "/image",
	} {
		out, err := exec.CommandContext(t.Context(), helm, "template", "streamer", chart, "--set", set).CombinedOutput()
		if err == nil || !strings.Contains(string(out), want) {
			t.Errorf("--set %s: %v, %s; want a refusal that names %s", set, err, out, want)
		}
	}
}
