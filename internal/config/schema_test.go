package config_test

import (
	"strings"
	"testing"

	"streamer/internal/config"
)

// Two keys with one variable could not be told apart: a.b_c and a_b.c.
func TestVariablesAreUnique(t *testing.T) {
	t.Parallel()
	owners := map[string]string{}
	for _, key := range config.Keys() {
		if other, taken := owners[key.Variable]; taken {
			t.Errorf("%s belongs to %s and to %s", key.Variable, other, key.Path)
		}
		owners[key.Variable] = key.Path
		if key.Path != strings.ToLower(key.Path) || strings.Contains(key.Path, "-") {
			t.Errorf("%s is not in lower snake case; viper would not find it", key.Path)
		}
	}
}

// Every key takes its own default from a variable, so no kind of value is read other than it is written.
func TestEveryKeyReadsItsDefault(t *testing.T) {
	t.Parallel()
	for _, key := range config.Keys() {
		text := strings.Trim(key.Default, `[]"'`)
		if text == "" {
			continue
		}
		_, origins, warnings, err := config.Load("", []string{key.Variable + "=" + text}, nil)
		if strings.Contains(err.Error(), key.Variable) || len(warnings) > 0 {
			t.Errorf("%s=%s: %v %v", key.Variable, text, warnings, err)
		}
		if got := origins.Of(key.Path).String(); got != key.Variable {
			t.Errorf("%s: the origin is %s", key.Path, got)
		}
	}
}
