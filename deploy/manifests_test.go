package deploy_test

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"streamer/internal/config"
)

// manifest is what of Kubernetes' objects the tests look at.
type manifest struct {
	APIVersion string `yaml:"apiVersion"`
	Kind       string
	Metadata   struct{ Name string }
	Data       map[string]string
	Spec       struct {
		Replicas            *int
		ServiceName         string `yaml:"serviceName"`
		PodManagementPolicy string `yaml:"podManagementPolicy"`
		MaxUnavailable      any    `yaml:"maxUnavailable"`
		ClusterIP           string `yaml:"clusterIP"`
		Selector            map[string]any
		Template            struct {
			Metadata struct{ Labels, Annotations map[string]string }
			Spec     pod
		}
		ScaleTargetRef  struct{ Kind, Name string } `yaml:"scaleTargetRef"`
		MinReplicaCount int                         `yaml:"minReplicaCount"`
		MaxReplicaCount int                         `yaml:"maxReplicaCount"`
		Triggers        []struct {
			Type     string
			Metadata map[string]string
		}
	}
}

type pod struct {
	Grace           int            `yaml:"terminationGracePeriodSeconds"`
	TokenMounted    *bool          `yaml:"automountServiceAccountToken"`
	SecurityContext map[string]any `yaml:"securityContext"`
	Containers      []container
	Volumes         []struct {
		Name      string
		ConfigMap struct{ Name string } `yaml:"configMap"`
	}
}

type container struct {
	Image string
	Args  []string
	Env   []struct {
		Name, Value string
		ValueFrom   struct {
			FieldRef struct {
				FieldPath string `yaml:"fieldPath"`
			} `yaml:"fieldRef"`
		} `yaml:"valueFrom"`
	}
	Ports []struct {
		Name          string
		ContainerPort int `yaml:"containerPort"`
	}
	LivenessProbe   probe          `yaml:"livenessProbe"`
	ReadinessProbe  probe          `yaml:"readinessProbe"`
	SecurityContext map[string]any `yaml:"securityContext"`
	VolumeMounts    []mount        `yaml:"volumeMounts"`
}

type mount struct {
	Name      string
	MountPath string `yaml:"mountPath"`
}

type probe struct {
	HTTPGet struct{ Path, Port string } `yaml:"httpGet"`
}

// manifests reads documents of YAML, by kind.
func manifests(t *testing.T, text string) map[string]manifest {
	t.Helper()
	found := map[string]manifest{}
	decoder := yaml.NewDecoder(strings.NewReader(text))
	for {
		var m manifest
		err := decoder.Decode(&m)
		if errors.Is(err, io.EOF) {
			return found
		}
		if err != nil {
			t.Fatalf("%v in\n%s", err, text)
		}
		if _, twice := found[m.Kind]; twice || m.Kind == "" {
			t.Fatalf("a second object of kind %q", m.Kind)
		}
		found[m.Kind] = m
	}
}

// confined is what the pod-security standard "restricted" asks for, and a file system that nobody can change.
var confined = map[string]map[string]any{
	"pod": {
		"runAsNonRoot": true, "runAsUser": 65532, "runAsGroup": 65532, "fsGroup": 65532,
		"seccompProfile": map[string]any{"type": "RuntimeDefault"},
	},
	"container": {
		"allowPrivilegeEscalation": false, "readOnlyRootFilesystem": true,
		"capabilities": map[string]any{"drop": []any{"ALL"}},
	},
}

// holds is what must be true of every rendering; it returns the configuration that a pod would run with.
func holds(t *testing.T, objects map[string]manifest) config.Config {
	t.Helper()
	for _, kind := range []string{"ConfigMap", "Service", "PodDisruptionBudget", "StatefulSet"} {
		if _, found := objects[kind]; !found {
			t.Fatalf("there is no %s", kind)
		}
	}
	set := objects["StatefulSet"]
	labels, spec := set.Spec.Template.Metadata.Labels, set.Spec.Template.Spec
	for kind, of := range objects {
		selector := of.Spec.Selector
		if matched, nested := selector["matchLabels"].(map[string]any); nested {
			selector = matched
		}
		for name, value := range selector {
			if labels[name] != value {
				t.Errorf("%s selects %s: %v; the pods have %v", kind, name, value, labels)
			}
		}
		if len(selector) == 0 && slices.Contains([]string{"Service", "PodDisruptionBudget", "StatefulSet"}, kind) {
			t.Errorf("%s selects nothing", kind)
		}
	}
	if service := objects["Service"]; service.Spec.ClusterIP != "None" || set.Spec.ServiceName != service.Metadata.Name {
		t.Errorf("the pods' names are of service %q, %q is %q", set.Spec.ServiceName, service.Metadata.Name, service.Spec.ClusterIP)
	}
	if objects["PodDisruptionBudget"].Spec.MaxUnavailable == nil {
		t.Error("the disruption budget has no maxUnavailable")
	}
	if set.Spec.PodManagementPolicy != "Parallel" || len(spec.Containers) != 1 {
		t.Fatalf("pods start %s, with %d containers", set.Spec.PodManagementPolicy, len(spec.Containers))
	}
	c := spec.Containers[0]
	has(t, "pod", spec.SecurityContext, confined["pod"])
	has(t, "container", c.SecurityContext, confined["container"])
	if spec.TokenMounted == nil || *spec.TokenMounted {
		t.Error("the service account's token is mounted")
	}
	if live, ready := c.LivenessProbe.HTTPGet, c.ReadinessProbe.HTTPGet; live.Path != "/livez" || ready.Path != "/readyz" ||
		len(c.Ports) != 1 || live.Port != c.Ports[0].Name || ready.Port != c.Ports[0].Name {
		t.Errorf("probes %+v, %+v, ports %+v", live, ready, c.Ports)
	}
	cfg := loaded(t, objects["ConfigMap"], c)
	if want := fmt.Sprintf(":%d", c.Ports[0].ContainerPort); cfg.Admin.Listen != want {
		t.Errorf("admin.listen is %s, the port is %s", cfg.Admin.Listen, want)
	}
	// Some seconds more: the exit comes within one of the deadline, but on a busy node.
	if grace := time.Duration(spec.Grace) * time.Second; grace < time.Duration(cfg.Shutdown.Timeout)+10*time.Second {
		t.Errorf("terminationGracePeriodSeconds %s cuts a drain of %s short", grace, time.Duration(cfg.Shutdown.Timeout))
	}
	return cfg
}

func has(t *testing.T, what string, got, want map[string]any) {
	t.Helper()
	for name, value := range want {
		if fmt.Sprint(got[name]) != fmt.Sprint(value) {
			t.Errorf("the %s's securityContext has %s: %v, want %v", what, name, got[name], value)
		}
	}
}

// loaded reads the configuration as `streamer run` in the pod would: with the ConfigMap's files where it is mounted, a secret's
// beside it, the container's variables, and the pod's name.
func loaded(t *testing.T, files manifest, c container) config.Config {
	t.Helper()
	const at, secretAt = "/etc/streamer", "/etc/streamer-secret"
	if !slices.ContainsFunc(c.VolumeMounts, func(m mount) bool { return m.MountPath == at }) ||
		!slices.Equal(c.Args, []string{"run", "-c", at + "/config.yaml"}) {
		t.Fatalf("args %v, mounts %+v", c.Args, c.VolumeMounts)
	}
	environment := []string{}
	for _, v := range c.Env {
		value := v.Value
		if v.ValueFrom.FieldRef.FieldPath == "metadata.name" {
			value = "streamer-0"
		}
		environment = append(environment, v.Name+"="+value)
	}
	dir, secretDir := t.TempDir(), t.TempDir()
	write(t, filepath.Join(secretDir, "password"), "secret")
	for name, text := range files.Data {
		write(t, filepath.Join(dir, name), strings.NewReplacer(at+"/", dir+"/", secretAt+"/", secretDir+"/").Replace(text))
	}
	return load(t, filepath.Join(dir, "config.yaml"), environment)
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// load is the real loader.
func load(t *testing.T, path string, environment []string) config.Config {
	t.Helper()
	cfg, _, warnings, err := config.Load(path, environment, nil)
	if err != nil {
		t.Fatalf("%v\nin\n%s", err, read(t, path))
	}
	for _, warning := range warnings {
		t.Errorf("warning: %s", warning)
	}
	return cfg
}

func TestPlainManifests(t *testing.T) {
	t.Parallel()
	objects := manifests(t, read(t, "kubernetes/streamer.yaml"))
	cfg := holds(t, objects)
	if id := cfg.Source.Kafka.InstanceID; id != "streamer-0" {
		t.Errorf("the member's name is %q, not the pod's", id)
	}
	if replicas := objects["StatefulSet"].Spec.Replicas; replicas == nil || *replicas != 2 {
		t.Errorf("replicas: %v", replicas)
	}
}

// The scaler watches the group and topics that are consumed, and stops at the number of partitions.
func TestScaledObject(t *testing.T) {
	t.Parallel()
	cfg := holds(t, manifests(t, read(t, "kubernetes/streamer.yaml")))
	scaler := manifests(t, read(t, "kubernetes/keda.yaml"))["ScaledObject"].Spec
	if scaler.ScaleTargetRef.Kind != "StatefulSet" || scaler.ScaleTargetRef.Name != "streamer" {
		t.Errorf("it scales %+v", scaler.ScaleTargetRef)
	}
	if scaler.MinReplicaCount < 1 || scaler.MaxReplicaCount != 8 {
		t.Errorf("between %d and %d", scaler.MinReplicaCount, scaler.MaxReplicaCount)
	}
	if len(scaler.Triggers) != 1 || scaler.Triggers[0].Type != "kafka" {
		t.Fatalf("triggers: %+v", scaler.Triggers)
	}
	for name, want := range map[string]string{
		"bootstrapServers":  strings.Join(cfg.Kafka.Brokers, ","),
		"consumerGroup":     cfg.Source.Kafka.Group,
		"topic":             cfg.Source.Kafka.Topics[0],
		"lagThreshold":      "10000",
		"offsetResetPolicy": "earliest",
	} {
		if got := scaler.Triggers[0].Metadata[name]; got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
}
