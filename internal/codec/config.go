package codec

import (
	"errors"
	"slices"
	"strings"

	"streamer/internal/setting"
)

// The formats, as the configuration writes them.
const (
	formatRaw      = "raw"    // bytes that nothing looks into
	formatString   = "string" // UTF-8 text
	formatJSON     = "json"   // one JSON value (RFC 8259) in UTF-8
	formatAvro     = "avro"
	formatProtobuf = "protobuf"
)

// The framings, as the configuration writes them. The empty one is confluent if a registry is configured and the format
// is avro or protobuf, else none.
const (
	framingNone      = "none"
	framingConfluent = "confluent" // five bytes in front: 0 and the id of the schema
)

// Formats lists the formats as the configuration writes them.
func Formats() []string {
	return []string{formatRaw, formatString, formatJSON, formatAvro, formatProtobuf}
}

// Config says how one side of a record, its key or its value, is read or written. In YAML it is one word, the format, or a
// section.
type Config struct {
	// Format is raw, string, json, avro or protobuf; empty is raw.
	Format string `yaml:"format"`
	// Framing is none or confluent; empty is confluent if a registry is configured and the format is avro or protobuf, else
	// none.
	Framing string `yaml:"framing"`
	// Schema is the path of an .avsc, .proto or JSON Schema file. When Avro is read it is the reader's schema, and without
	// a registry the writer's too.
	Schema string `yaml:"schema"`
	// Message is the full name of the Protobuf message. It may be empty if Schema has only one message, or if a registry
	// says which message it is.
	Message string `yaml:"message"`
	// Imports are the directories in which imports of a Protobuf schema are looked for.
	Imports []string `yaml:"imports"`
	// Subject is where the registry keeps the schema that is written; empty is <topic>-value or <topic>-key.
	Subject string `yaml:"subject"`
	// Register adds the schema to the subject if it is not there; without it, it is only looked up.
	Register bool `yaml:"register"`
}

// Use says what a Config is for.
type Use struct {
	Encode   bool   // written, not read
	Key      bool   // the key, not the value
	Registry bool   // a registry is configured
	Topic    string // the topic that is written, for the name of the subject; empty if it is not fixed
}

func (c Config) format() string {
	if c.Format == "" {
		return formatRaw
	}
	return c.Format
}

func (c Config) hasSchema() bool { return c.Format == formatAvro || c.Format == formatProtobuf }

// framed reports whether a header stands in front of the value.
func (c Config) framed(use Use) bool {
	if c.Framing == "" {
		return use.Registry && c.hasSchema()
	}
	return c.Framing == framingConfluent
}

func (c Config) subject(use Use) string {
	switch {
	case c.Subject != "" || use.Topic == "":
		return c.Subject
	case use.Key:
		return use.Topic + "-key"
	default:
		return use.Topic + "-value"
	}
}

// checker gathers the faults of one Config.
type checker struct {
	Config
	use    Use
	path   string
	faults []setting.Fault
}

func (c *checker) fault(key, value, remedy string) {
	c.faults = append(c.faults, setting.Fault{Field: c.path + "." + key, Value: value, Remedy: remedy})
}

// useless reports a setting that has no effect: whoever wrote it believes that it has.
func (c *checker) useless(key, value, remedy string) {
	if value != "" {
		c.fault(key, value, "has no effect "+remedy)
	}
}

// Validate returns everything that is wrong. path is where the Config stands, such as pipeline.decode.value; each fault's
// field starts with it. Schema files are read and compiled.
func (c Config) Validate(path string, use Use) []setting.Fault {
	check := &checker{Config: c, use: use, path: path}
	if !check.known() {
		return check.faults
	}
	check.framing()
	check.files()
	check.subjects()
	if len(check.faults) == 0 {
		check.compile()
	}
	return check.faults
}

// known reports whether format and framing are words that mean something.
func (c *checker) known() bool {
	oneOf := func(key, value, what string, names []string) {
		if slices.Contains(names, value) {
			return
		}
		remedy := "is not a " + what + "; write one of " + strings.Join(names, ", ")
		if near, ok := setting.Nearest(value, names); ok {
			remedy = "is not a " + what + "; did you mean " + near + "?"
		}
		c.fault(key, value, remedy)
	}
	oneOf("format", c.format(), "format", Formats())
	if c.Framing != "" {
		oneOf("framing", c.Framing, "framing", []string{framingNone, framingConfluent})
	}
	return len(c.faults) == 0
}

func (c *checker) framing() {
	switch format := c.format(); {
	case c.Framing != framingConfluent:
	case format == formatRaw || format == formatString:
		c.fault("framing", c.Framing, "is for avro, protobuf and json; leave it out with "+format)
	case !c.use.Registry && c.use.Encode:
		c.fault("framing", c.Framing, "needs a registry, which gives the schema its id; set schema_registry.urls")
	case !c.use.Registry && c.Schema == "" && c.hasSchema():
		c.fault("framing", c.Framing, "needs the schema; set schema_registry.urls, or schema beside it")
	}
}

// files looks at the settings that say what the schema is.
func (c *checker) files() {
	format, framed := c.format(), c.framed(c.use)
	switch {
	case format == formatRaw || format == formatString:
		c.useless("schema", c.Schema, "with "+format+"; remove it")
	case format == formatJSON && (!framed || !c.use.Encode):
		c.useless("schema", c.Schema, "with json, unless it is written with framing: confluent; remove it")
	case c.Schema == "" && (c.use.Encode || !framed):
		c.fault("schema", "", "is missing; write the path of "+schemaFile(format))
	}
	if format != formatProtobuf {
		c.useless("message", c.Message, "with "+format+"; remove it")
		c.useless("imports", strings.Join(c.Imports, ","), "with "+format+"; remove it")
	} else if c.Schema == "" {
		c.useless("imports", strings.Join(c.Imports, ","), "without schema; remove it")
	}
}

func schemaFile(format string) string {
	switch format {
	case formatAvro:
		return "an .avsc file"
	case formatProtobuf:
		return "a .proto file"
	default:
		return "a JSON Schema file"
	}
}

// subjects looks at the settings that say where the registry keeps the schema.
func (c *checker) subjects() {
	register := ""
	if c.Register {
		register = "true"
	}
	switch {
	case !c.use.Encode:
		c.useless("subject", c.Subject, "where values are read, the header names the schema; remove it")
		c.useless("register", register, "where values are read; remove it")
	case !c.framed(c.use):
		c.useless("subject", c.Subject, "without a registry; set schema_registry.urls, or remove it")
		c.useless("register", register, "without a registry; set schema_registry.urls, or remove it")
	case c.subject(c.use) == "":
		c.fault("subject", "", "is missing, the topic is not fixed; write the subject's name")
	}
}

// compile reads the schema file and reports what is wrong with it.
func (c *checker) compile() {
	_, err := c.load(c.use)
	if wrong, ok := errors.AsType[*settingError](err); ok {
		c.fault(wrong.key, wrong.value, wrong.err.Error())
	}
}
