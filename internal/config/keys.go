package config

// Key describes one setting, for documentation and its tests.
type Key struct {
	Path     string // block.max_bytes
	Variable string // STREAMER_BLOCK_MAX_BYTES
	Default  string // as it is written in YAML
	Unit     string // what the value is: size, duration, number, text, list, true or false, secret
}

// Keys lists every setting that a variable or a flag can give, in the order of the configuration.
func Keys() []Key {
	schema := newSchema()
	keys := make([]Key, len(schema.keys))
	for i, k := range schema.keys {
		keys[i] = Key{Path: k.path, Variable: k.variable(), Default: k.text(), Unit: k.unit()}
	}
	return keys
}
