package config

import (
	"fmt"
	"strings"

	"github.com/go-viper/mapstructure/v2"
	"github.com/spf13/viper"
)

// settle lets viper decide between the layers and fills cfg with what won. The layers hold typed values, so nothing is
// converted here: viper's own conversions know no units and would read 200 as nanoseconds.
func settle(cfg *Config, schema *schema, file, environment, flags layer) error {
	v := viper.New()
	for _, k := range schema.keys {
		v.SetDefault(k.path, k.fallback)
	}
	// Each merge goes over the one before it, so the environment wins over the file.
	for _, values := range []layer{file, environment} {
		if err := v.MergeConfigMap(values.tree()); err != nil {
			return fmt.Errorf("merge settings: %w", err)
		}
	}
	for path, value := range flags {
		v.Set(path, value)
	}
	if err := v.Unmarshal(cfg, decodeExactly); err != nil {
		return fmt.Errorf("decode settings: %w", err)
	}
	return nil
}

func decodeExactly(decoder *mapstructure.DecoderConfig) {
	decoder.TagName = "yaml"
	decoder.SquashTagOption = "inline"
	decoder.DecodeHook = nil
	decoder.WeaklyTypedInput = false
}

// tree turns key paths into the nested maps that viper merges.
func (l layer) tree() map[string]any {
	root := map[string]any{}
	for path, value := range l {
		section := root
		names := strings.Split(path, ".")
		for _, name := range names[:len(names)-1] {
			below, ok := section[name].(map[string]any)
			if !ok {
				below = map[string]any{}
				section[name] = below
			}
			section = below
		}
		section[names[len(names)-1]] = value
	}
	return root
}
