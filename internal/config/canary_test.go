package config_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"streamer/internal/config"
	"streamer/internal/setting"
)

const canary = "canary-7f3a"

// secrets are the settings that hold one, as the keys say.
func secrets() []config.Key {
	return slices.DeleteFunc(config.Keys(), func(k config.Key) bool { return k.Unit != "secret" })
}

// plant writes the canary into every secret below v, through pointers, lists and maps, and returns where it did.
func plant(t *testing.T, path string, v reflect.Value) []string {
	t.Helper()
	if v.Type() == reflect.TypeFor[setting.Secret]() {
		if !v.CanSet() {
			t.Errorf("%s is a secret that fmt would show: its field is not exported, or is in a map", path)
			return nil
		}
		v.SetString(canary)
		return []string{path}
	}
	var planted []string
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			name, option, _ := strings.Cut(v.Type().Field(i).Tag.Get("yaml"), ",")
			child := strings.Trim(path+"."+name, ".")
			if option == "inline" {
				child = path
			}
			planted = append(planted, plant(t, child, v.Field(i))...)
		}
	case reflect.Pointer:
		if v.CanSet() && !hasBeen(path) {
			v.Set(reflect.New(v.Type().Elem()))
			planted = plant(t, path, v.Elem())
		}
	case reflect.Slice:
		if v.CanSet() && !hasBeen(path) {
			v.Set(reflect.MakeSlice(v.Type(), 1, 1))
			planted = plant(t, path+".0", v.Index(0))
		}
	case reflect.Map:
		planted = plant(t, path+".*", reflect.New(v.Type().Elem()).Elem())
	default:
	}
	return planted
}

// hasBeen ends the way into steps within steps.
func hasBeen(path string) bool { return strings.Count(path, ".") > 8 }

// TestEverySecretIsAKey would catch a secret where no variable reaches it, so that it could only stand in the file, and one
// that a later test does not plant.
func TestEverySecretIsAKey(t *testing.T) {
	t.Parallel()
	var keys []string
	for _, key := range secrets() {
		keys = append(keys, key.Path)
	}
	cfg := config.Default()
	planted := plant(t, "", reflect.ValueOf(&cfg).Elem())
	slices.Sort(keys)
	slices.Sort(planted)
	if !slices.Equal(keys, planted) || len(keys) < 5 {
		t.Errorf("the secrets of the configuration are\n%q\nits keys of that kind\n%q", planted, keys)
	}
	looksSecret := regexp.MustCompile(`(password|passphrase|secret|token|credential|secret_access_key|api_key)$`)
	for _, key := range config.Keys() {
		if looksSecret.MatchString(key.Path) != (key.Unit == "secret") {
			t.Errorf("%s is a %s", key.Path, key.Unit)
		}
	}
}

// TestSecretsHaveAFile would catch a remedy that names a setting which does not exist.
func TestSecretsHaveAFile(t *testing.T) {
	t.Parallel()
	var paths []string
	for _, key := range config.Keys() {
		paths = append(paths, key.Path)
	}
	for _, key := range secrets() {
		names := strings.Split(key.Path, ".")
		inFile := writeConfig(t, strings.Join(names, ": {")+": x"+strings.Repeat("}", len(names)-1)+"\n")
		_, _, _, err := config.Load(inFile, nil, []string{key.Path + "=x"})
		named := regexp.MustCompile(`[a-z_.]+_file\b`).FindAllString(fmt.Sprint(err), -1)
		named = slices.DeleteFunc(named, func(name string) bool { return !strings.HasPrefix(name, names[0]+".") })
		if len(named) < 2 || slices.ContainsFunc(named, func(name string) bool { return !slices.Contains(paths, name) }) {
			t.Errorf("%s: the faults name %q: %v", key.Path, named, err)
		}
	}
}

// TestSecretsDoNotShow prints a configuration full of secrets in every way in which one gets printed.
func TestSecretsDoNotShow(t *testing.T) {
	t.Parallel()
	cfg := config.Default()
	plant(t, "", reflect.ValueOf(&cfg).Elem())
	// Text as it is goes first: a canary that cannot be found would prove nothing.
	if !strings.Contains(cfg.Kafka.SASL.Password.Reveal(), canary) {
		t.Fatal("the canary is not there")
	}
	shown := map[string]string{}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d"} {
		shown[verb] = fmt.Sprintf(verb, cfg)
		shown["pointer "+verb] = fmt.Sprintf(verb, &cfg.Kafka)
		shown["error "+verb] = fmt.Errorf("connect by "+verb+": %w", cfg.Kafka, errors.ErrUnsupported).Error()
	}
	text, err := json.Marshal(cfg.Kafka) //nolint:musttag // nobody means to; it must not show all the same
	shown["json"] = string(text)
	text, err2 := yaml.Marshal(cfg.Kafka)
	shown["yaml"] = string(text)
	effective, err3 := config.Effective(cfg, nil)
	shown["effective"] = effective
	if err := errors.Join(err, err2, err3); err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	for _, handler := range []slog.Handler{
		slog.NewJSONHandler(&log, nil), slog.NewTextHandler(&log, nil),
	} {
		slog.New(handler).Info("start", "kafka", cfg.Kafka, "pointer", &cfg.Kafka, "registry", cfg.SchemaRegistry, "sink", cfg.Sink.Kafka)
	}
	shown["log"] = log.String()
	for way, text := range shown {
		noCanary(t, way, text)
	}
}

func noCanary(t *testing.T, way, text string) {
	t.Helper()
	if strings.Contains(text, canary) || strings.Contains(strings.ToLower(text), fmt.Sprintf("%x", canary)) {
		t.Errorf("%s shows the secret:\n%s", way, text)
	}
}

// TestSecretsGivenDoNotShow gives each secret by each way that there is, right and wrong, alone and beside all others.
func TestSecretsGivenDoNotShow(t *testing.T) {
	t.Parallel()
	var all []string
	for _, key := range secrets() {
		all = append(all, key.Variable+"="+canary)
	}
	for _, key := range secrets() {
		names := strings.Split(key.Path, ".")
		last := len(names) - 1
		inFile := strings.Join(names, ": {") + ": " + canary + strings.Repeat("}", last) + "\n"
		misspelt := strings.Replace(inFile, names[last]+":", names[last]+"s:", 1)
		for way, given := range map[string]struct {
			file       string
			env, flags []string
		}{
			"variable":          {env: []string{key.Variable + "=" + canary}},
			"all variables":     {env: all},
			"misspelt variable": {env: []string{key.Variable + "S=" + canary}},
			"file":              {file: inFile},
			"misspelt key":      {file: misspelt},
			"flag":              {flags: []string{key.Path + "=" + canary}},
			"misspelt flag":     {flags: []string{key.Path + "s=" + canary}},
			"file setting":      {env: []string{key.Variable + "_FILE=/nowhere", key.Variable + "=" + canary}},
		} {
			cfg, origins, warnings, err := config.Load(writeConfig(t, given.file), given.env, given.flags)
			effective, _ := config.Effective(cfg, origins)
			noCanary(t, key.Path+" by "+way, fmt.Sprintf("%v\n%v\n%+v\n%#v\n%s", err, warnings, cfg, origins, effective))
		}
	}
}

// TestSecretsDoNotShowInAPanic runs this test once more in a process that panics: the runtime prints what it is given.
func TestSecretsDoNotShowInAPanic(t *testing.T) {
	t.Parallel()
	const variable = "CANARY_PANIC"
	cfg := config.Default()
	plant(t, "", reflect.ValueOf(&cfg).Elem())
	values := map[string]any{
		"secret": cfg.Kafka.SASL.Password, "section": cfg.Kafka, "pointer": &cfg, "text": fmt.Sprint(cfg),
		"error": fmt.Errorf("connect by %+v: %w", cfg.Kafka, errors.ErrUnsupported),
	}
	if value, found := values[os.Getenv(variable)]; found {
		panic(value)
	}
	for name := range values {
		again := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$")
		again.Env = append(os.Environ(), variable+"="+name, "GOTRACEBACK=all")
		out, err := again.CombinedOutput()
		if err == nil || !strings.Contains(string(out), "panic: ") {
			t.Errorf("%s: no panic: %s", name, out)
		}
		noCanary(t, "panic of "+name, string(out))
	}
}
