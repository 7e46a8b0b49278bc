package config

import (
	"slices"
	"strings"

	"streamer/internal/setting"
)

// Load reads the configuration from the file at path (none if it is empty), from variables as os.Environ gives them, and
// from flags of the form KEY=VALUE. An error is of type [Faults] unless the program itself is at fault. Then Config holds
// what could be read, and defaults for the rest; that is enough for `health` to find the admin listener, not to run.
func Load(path string, env []string, flags []string) (Config, Origins, []Warning, error) {
	schema := newSchema()
	file := readFile(path, schema)
	environment := readEnvironment(env, schema)
	flagged := readFlags(flags, schema)

	cfg := Default()
	if err := settle(&cfg, schema, file.values, environment.values, flagged.values); err != nil {
		return Config{}, nil, nil, err
	}
	l := newLoader(file, environment, flagged)
	cfg.Pipeline = cfg.Pipeline.WithLists(file.pipeline)
	if !l.origins.below("sink.kafka.create") {
		cfg.Sink.Kafka.Output.Create = nil
	}
	if !l.origins.below("dead_letter.create") {
		cfg.DeadLetter.Create = nil
	}
	if path == "" || file.root != nil { // a file that cannot be read at all explains everything that is missing
		l.chooseSink(&cfg)
		l.validate(cfg)
	}
	if len(l.faults) > 0 {
		l.faults.sort()
		return cfg, l.origins, l.warnings, l.faults
	}
	return cfg, l.origins, l.warnings, nil
}

// loader gathers what is found once the layers are settled.
type loader struct {
	file     *file
	origins  Origins
	unread   map[string]bool // what could not be read, so that a default stands in for it
	faults   Faults
	warnings []Warning
}

func newLoader(file *file, environment *environment, flagged *flagged) *loader {
	l := &loader{
		file:     file,
		origins:  originsOf(file, environment, flagged),
		unread:   map[string]bool{},
		faults:   slices.Concat(file.faults, environment.faults, flagged.faults),
		warnings: environment.warnings,
	}
	for _, fault := range l.faults {
		l.unread[fault.Field] = true
	}
	return l
}

// fault records what is wrong with a settled value. Of a default that stands in for a value that could not be read
// nothing is said; it would help nobody.
func (l *loader) fault(faults ...setting.Fault) {
	for _, fault := range faults {
		if !l.stoodIn(fault.Field) {
			l.faults = append(l.faults, Fault{Fault: fault, Origin: l.blame(fault.Field)})
		}
	}
}

// stoodIn reports whether field, or a part of the file around it, could not be read.
func (l *loader) stoodIn(field string) bool {
	for path := field; path != ""; path = around(path) {
		if l.unread[path] {
			return true
		}
	}
	return false
}

func (l *loader) warn(warnings ...setting.Fault) {
	for _, warning := range warnings {
		l.warnings = append(l.warnings, Warning{Fault{Fault: warning, Origin: l.blame(warning.Field)}})
	}
}

func originsOf(file *file, environment *environment, flagged *flagged) Origins {
	origins := Origins{}
	for path, line := range file.lines {
		_, isKey := file.schema.byPath[path]
		if _, given := file.values[path]; given || !isKey { // `group:` with nothing behind it leaves the default
			origins[path] = Origin{Kind: FromFile, Name: file.path, Line: line}
		}
	}
	for path := range environment.values {
		origins[path] = Origin{Kind: FromEnvironment, Name: environment.names[path]}
	}
	for path := range flagged.values {
		origins[path] = Origin{Kind: FromFlag, Name: flagged.names[path]}
	}
	return origins
}

// below reports whether path or anything in it was given.
func (o Origins) below(path string) bool { return o.anyBelow(path).Kind != FromDefault }

// anyBelow is the origin of path, or of the first key in it that was given.
func (o Origins) anyBelow(path string) Origin {
	for _, given := range sortedNames(o) {
		if given == path || strings.HasPrefix(given, path+".") {
			return o[given]
		}
	}
	return Origin{Kind: FromDefault}
}

// blame finds the place of a field: where its value stands, or else the innermost section around it in the file.
func (l *loader) blame(field string) Origin {
	if origin, found := l.origins[field]; found {
		return origin
	}
	return l.file.origin(field)
}
