package deploy_test

import (
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"streamer/internal/config"
)

// example is a block of docs/deploy.md, by the word after yaml.
var example = regexp.MustCompile("(?ms)^```yaml ([a-z]+)\n(.*?)^```$")

func documentedExample(t *testing.T, name string) string {
	t.Helper()
	names := []string{}
	for _, block := range example.FindAllStringSubmatch(read(t, "../docs/deploy.md"), -1) {
		if block[1] == name {
			return block[2]
		}
		names = append(names, block[1])
	}
	t.Fatalf("docs/deploy.md has the examples %v, and none called %s", names, name)
	return ""
}

// exampleConfig reads a configuration whose secrets are in the files that in names, each of which exists for the test alone.
func exampleConfig(t *testing.T, text, in string) config.Config {
	t.Helper()
	dir := t.TempDir()
	for _, secret := range []string{"password", "kafka-password"} {
		write(t, filepath.Join(dir, secret), "secret")
	}
	path := filepath.Join(dir, "config.yaml")
	write(t, path, strings.ReplaceAll(text, in+"/", dir+"/"))
	return load(t, path, nil)
}

func TestExampleOfValues(t *testing.T) {
	t.Parallel()
	text := documentedExample(t, "values")
	values := struct{ Config string }{}
	if err := yaml.Unmarshal([]byte(text), &values); err != nil {
		t.Fatal(err)
	}
	if cfg := exampleConfig(t, values.Config, "/etc/streamer-secret"); cfg.Source.Kafka.Group != "ad-views" {
		t.Errorf("group %q", cfg.Source.Kafka.Group)
	}
}

func TestChartTakesTheExample(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "values.yaml")
	write(t, path, documentedExample(t, "values"))
	objects := manifests(t, render(t, "--values", path))
	cfg := holds(t, objects)
	if cfg.Kafka.SASL.Username != "ad-views" || *objects["StatefulSet"].Spec.Replicas != 4 {
		t.Errorf("user %q, replicas %d", cfg.Kafka.SASL.Username, *objects["StatefulSet"].Spec.Replicas)
	}
}

func TestExampleOfKustomization(t *testing.T) {
	t.Parallel()
	kubectl := tool(t, "kubectl")
	dir := t.TempDir()
	write(t, filepath.Join(dir, "kustomization.yaml"), documentedExample(t, "kustomization"))
	write(t, filepath.Join(dir, "streamer.yaml"), read(t, "kubernetes/streamer.yaml"))
	objects := manifests(t, run(t, kubectl, "kustomize", dir))
	if cfg := holds(t, objects); cfg.Source.Kafka.Group != "clicks-archive" {
		t.Errorf("group %q", cfg.Source.Kafka.Group)
	}
	if image := objects["StatefulSet"].Spec.Template.Spec.Containers[0].Image; image != "example/streamer:1.0.0" {
		t.Errorf("image %q", image)
	}
}

func TestExampleOfSystemd(t *testing.T) {
	t.Parallel()
	text, got := documentedExample(t, "systemd"), settings(t)
	cfg := exampleConfig(t, text, "/run/credentials/"+filepath.Base(unit))
	if state := "/var/lib/" + strings.Join(got["StateDirectory"], ""); cfg.Sink.File.Directory != state {
		t.Errorf("the file sink writes to %s, the unit lets it write to %s", cfg.Sink.File.Directory, state)
	}
	// The credential is loaded by the name that the configuration reads, once the line is no comment any more.
	if !slices.Contains(got["#LoadCredential"], "kafka-password:/etc/streamer/kafka-password") {
		t.Error("the unit does not show how kafka-password is loaded")
	}
}
