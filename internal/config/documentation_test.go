package config_test

import (
	"regexp"
	"testing"

	"streamer/internal/config"
)

const documentation = "../../docs/configuration.md"

// row is one setting in the tables of docs/configuration.md.
var row = regexp.MustCompile("(?m)^\\| `([^`]+)`<br>`([^`]+)` \\| ([^|]+) \\| `([^`]*)` \\| (.+) \\|$")

func TestDocumentationHoldsEverySetting(t *testing.T) {
	t.Parallel()
	documented := map[string]config.Key{}
	for _, match := range row.FindAllStringSubmatch(read(t, documentation), -1) {
		documented[match[1]] = config.Key{Path: match[1], Variable: match[2], Unit: match[3], Default: match[4]}
	}
	for _, key := range config.Keys() {
		if got := documented[key.Path]; got != key {
			t.Errorf("%s says %+v; want a row with %+v", documentation, got, key)
		}
		delete(documented, key.Path)
	}
	for path := range documented {
		t.Errorf("%s has a row for %s, which is no setting", documentation, path)
	}
}
