package config_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"streamer/internal/config"
	"streamer/internal/kafka"
	"streamer/internal/setting"
)

func writeConfig(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "config.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

const smallest = "source: {kafka: {topics: [events], group: g}}\nsink: {stdout: {}}\n"

// The environment alone is enough, as in a container without a mounted file.
func TestEnvironmentAlone(t *testing.T) {
	t.Parallel()
	cfg, origins, warnings, err := config.Load("", []string{
		"STREAMER_SOURCE_KAFKA_TOPICS=a, b", "STREAMER_SOURCE_KAFKA_GROUP=g", "STREAMER_SINK_KAFKA_TOPIC=out",
		"STREAMER_PIPELINE_DECODE=json", "STREAMER_MEMORY_BUDGET=auto", "STREAMER_KAFKA_SASL_PASSWORD=",
	}, nil)
	if err != nil || len(warnings) > 0 {
		t.Fatalf("%v\n%v", warnings, err)
	}
	want := config.Default()
	want.Source.Kafka.Topics = []string{"a", "b"}
	want.Source.Kafka.Group = "g"
	want.Sink.Type = config.SinkKafka
	want.Sink.Kafka.Output.Topic = "out"
	want.Pipeline.Decode.Value.Format = "json"
	if !reflect.DeepEqual(cfg, want) {
		t.Errorf("got  %+v\nwant %+v", cfg, want)
	}
	if origin := origins.Of("sink.type").String(); origin != "STREAMER_SINK_KAFKA_TOPIC" {
		t.Errorf("sink.type comes from %s", origin)
	}
}

// Without a file and with nothing in the environment each fault says what to do; no place can be named.
func TestNothingAtAll(t *testing.T) {
	t.Parallel()
	_, _, _, err := config.Load("", nil, nil)
	want := "source.kafka.topics: is missing; write [topic], or set topic_pattern\n" +
		"source.kafka.group: is missing; write the consumer group, or set until to read once without a group\n" +
		"sink.type: is missing; write one section in sink: kafka, file, stdout, drop"
	faults, _ := errors.AsType[config.Faults](err)
	got := strings.Split(faults.Error(), "\n")
	wanted := strings.Split(want, "\n")
	slices.Sort(got)
	slices.Sort(wanted)
	if !slices.Equal(got, wanted) {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}
}

func TestUnreadableFile(t *testing.T) {
	t.Parallel()
	directory := t.TempDir()
	for path, want := range map[string]string{
		filepath.Join(directory, "none.yaml"): ": no such file; write the path of the configuration after -c",
		directory:                             ": cannot be read (is a directory); write the path of a YAML file after -c",
	} {
		_, _, _, err := config.Load(path, nil, nil)
		if err == nil || err.Error() != path+want {
			t.Errorf("got  %v\nwant %s", err, path+want)
		}
	}
}

// A value that is not there at all still names the section that it belongs to.
func TestMissingKeyNamesItsSection(t *testing.T) {
	t.Parallel()
	path := writeConfig(t, "log: {level: info}\nsource:\n  kafka:\n    topics: [events]\nsink: {drop: {}}\n")
	_, _, _, err := config.Load(path, nil, nil)
	want := path + ":3: source.kafka.group: is missing; write the consumer group, or set until to read once without a group"
	if err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

func TestPrecedence(t *testing.T) {
	t.Parallel()
	directory := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		inFile, inEnv, inFlag := rapid.Bool().Draw(t, "file"), rapid.Bool().Draw(t, "env"), rapid.Bool().Draw(t, "flag")
		text, env, flags := smallest, []string{"STREAMER_KAFKA_BROKERS="}, []string(nil)
		want, brokers := setting.Duration(200*time.Millisecond), kafka.DefaultConfig().Brokers
		path := filepath.Join(directory, "config.yaml")
		origin := "default"
		if inFile {
			text += "block: {interval: 1s}\nkafka: {brokers: [file:1, file:2, file:3]}\n"
			want, brokers, origin = setting.Duration(time.Second), []string{"file:1", "file:2", "file:3"}, path+":3"
		}
		if inEnv {
			env = []string{"STREAMER_BLOCK_INTERVAL=2s", "STREAMER_KAFKA_BROKERS=env:1"}
			want, brokers, origin = setting.Duration(2*time.Second), []string{"env:1"}, "STREAMER_BLOCK_INTERVAL"
		}
		if inFlag {
			flags = []string{"block.interval=1s", "kafka.brokers=flag:1,flag:2", "block.interval=3s"}
			want, brokers, origin = setting.Duration(3*time.Second), []string{"flag:1", "flag:2"}, "--set block.interval"
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		cfg, origins, _, err := config.Load(path, env, flags)
		if err != nil {
			t.Fatal(err)
		}
		if cfg.Block.Interval != want || !slices.Equal(cfg.Kafka.Brokers, brokers) {
			t.Fatalf("got %v and %v; want %v and %v", cfg.Block.Interval, cfg.Kafka.Brokers, want, brokers)
		}
		if got := origins.Of("block.interval").String(); got != origin {
			t.Fatalf("the interval is said to come from %s; want %s", got, origin)
		}
	})
}

// What validate prints is itself a configuration that means the same.
func TestEffectiveReadsBack(t *testing.T) {
	t.Parallel()
	paths, err := filepath.Glob("testdata/*.good.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range append(paths, reference) {
		env, flags := inputs(t, path)
		cfg, origins, _, err := config.Load(path, env, flags)
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		text, err := config.Effective(cfg, origins)
		if err != nil {
			t.Fatal(err)
		}
		env = slices.DeleteFunc(env, func(given string) bool {
			return !slices.ContainsFunc(secrets(), func(k config.Key) bool { return strings.HasPrefix(given, k.Variable+"=") })
		})
		again, _, _, err := config.Load(writeConfig(t, withoutSecrets(text)), env, nil)
		if err != nil {
			t.Fatalf("%s: its effective configuration has faults:\n%v\n%s", path, err, text)
		}
		text2, err := config.Effective(again, nil)
		if err != nil {
			t.Fatal(err)
		}
		if was, read := withoutComments(text), withoutComments(text2); was != read {
			t.Errorf("%s\n--- was\n%s--- read\n%s", path, was, read)
		}
	}
}

func withoutComments(text string) string {
	var kept strings.Builder
	for line := range strings.Lines(text) {
		line, _, _ = strings.Cut(line, " # ")
		kept.WriteString(strings.TrimRight(line, " \n") + "\n")
	}
	return kept.String()
}

// withoutSecrets leaves out the lines that a file may not have.
func withoutSecrets(text string) string {
	var kept strings.Builder
	for line := range strings.Lines(text) {
		name, _, _ := strings.Cut(strings.TrimSpace(line), ":")
		if !slices.ContainsFunc(secrets(), func(k config.Key) bool { return strings.HasSuffix(k.Path, "."+name) }) {
			kept.WriteString(line)
		}
	}
	return kept.String()
}

// A secret is written by mistake in every place where a user might; nothing that is printed may hold it.
func TestSecretsShowNowhere(t *testing.T) {
	t.Parallel()
	const canary = "canary-7f3a"
	for name, text := range map[string]string{
		"right key":     "kafka: {sasl: {password: canary-7f3a}}",
		"wrong key":     "kafka: {sasl: {passwort: canary-7f3a}}",
		"wrong section": "kafka: {sasl: canary-7f3a}\npassword: canary-7f3a",
		"wrong type":    "kafka: {sasl: {password: [canary-7f3a]}}",
		"alias":         "kafka: {sasl: {password: *canary-7f3a}}",
		"anchor":        "kafka: {sasl: {password: &canary-7f3a x}}",
		"tag":           "kafka: {sasl: {password: !canary-7f3a x}}",
		"template":      "kafka: {sasl: {password: \"${X:-canary-7f3a}\"}}",
		"broken":        "kafka: {sasl: {password: canary-7f3a",
		"broken quote":  "kafka: {sasl: {password: \"canary-7f3a}}",
	} {
		path := writeConfig(t, text+"\n")
		cfg, origins, warnings, err := config.Load(path,
			[]string{"STREAMER_KAFKA_SASL_PASSWORD=" + canary, "STREAMER_KAFKA_SASL_PASSWORT=" + canary},
			[]string{"kafka.sasl.password=" + canary, "kafka.sasl.passwort=" + canary})
		if err == nil {
			t.Errorf("%s: no faults", name)
		}
		text, _ := config.Effective(cfg, origins)
		shown := fmt.Sprintf("%v %v %+v %#v %s", err, warnings, cfg, origins, text)
		if strings.Contains(shown, canary) {
			t.Errorf("%s: shows the secret:\n%s", name, shown)
		}
	}
}

func FuzzLoad(f *testing.F) {
	for _, pattern := range []string{"testdata/*.yaml", reference} {
		paths, _ := filepath.Glob(pattern)
		for _, path := range paths {
			text, err := os.ReadFile(path)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(string(text))
		}
	}
	f.Fuzz(func(t *testing.T, text string) {
		cfg, origins, _, err := config.Load(writeConfig(t, text), nil, nil)
		if _, isFaults := errors.AsType[config.Faults](err); err != nil && !isFaults {
			t.Fatalf("an error that is no fault: %v", err)
		}
		if _, err = config.Effective(cfg, origins); err != nil {
			t.Fatal(err)
		}
	})
}
