package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"streamer/internal/setting"
)

// Kind is where a value can come from, the weakest last.
type Kind uint8

// The places, in the order in which their faults are listed.
const (
	FromFile Kind = iota
	FromEnvironment
	FromFlag
	FromDefault
)

// Origin is the place where one value stands.
type Origin struct {
	Kind Kind
	Name string // the file's path, the variable, or the flag
	Line int    // in the file, from 1; 0 if no line is to blame
}

// String is what a comment in the effective configuration says: "config.yaml:12", "STREAMER_LOG_LEVEL",
// "--set log.level" or "default".
func (o Origin) String() string {
	switch {
	case o.Kind == FromDefault:
		return "default"
	case o.Kind == FromFile && o.Line > 0:
		return fmt.Sprintf("%s:%d", o.Name, o.Line)
	default:
		return o.Name
	}
}

// Origins tells for each key path where its value comes from, and for each path in the file, lists and user-chosen keys
// included, its line.
type Origins map[string]Origin

// Of returns the origin of the value at path.
func (o Origins) Of(path string) Origin {
	if origin, found := o[path]; found {
		return origin
	}
	return Origin{Kind: FromDefault}
}

// Fault is a fault and its place.
type Fault struct {
	setting.Fault

	Origin Origin
}

// Error renders `config.yaml:12: block.interval: "200" has no unit; …`. A variable or a flag names the key by itself.
func (f Fault) Error() string {
	bare := f.Fault
	switch f.Origin.Kind {
	case FromFile:
		return f.Origin.String() + ": " + bare.Error()
	case FromEnvironment, FromFlag:
		bare.Field = f.Origin.Name
	case FromDefault:
	}
	return bare.Error()
}

// Faults is everything wrong with the configuration, in the order in which it is to be read: by line, then variables,
// then flags, then what stands nowhere.
type Faults []Fault

// Error lists the faults, one on each line.
func (f Faults) Error() string {
	lines := make([]string, len(f))
	for i := range f {
		lines[i] = f[i].Error()
	}
	return strings.Join(lines, "\n")
}

func (f Faults) sort() {
	slices.SortStableFunc(f, func(a, b Fault) int {
		return cmp.Or(
			cmp.Compare(a.Origin.Kind, b.Origin.Kind),
			cmp.Compare(a.Origin.Line, b.Origin.Line),
			strings.Compare(a.Origin.Name, b.Origin.Name),
		)
	})
}

// Warning is something that looks wrong but stops nothing. It is no error, so the fault is not embedded: fmt would print
// the inner one, without its place.
type Warning struct{ Fault Fault }

// String renders the warning as a fault is.
func (w Warning) String() string { return w.Fault.Error() }

// Concerning returns the faults of one section, those of the file as a whole and the names of its sections, and those of the
// flags: a typing error in the section's own name, or in what was written for this very command, would leave a default in its
// place.
func (f Faults) Concerning(section string) Faults {
	return slices.DeleteFunc(slices.Clone(f), func(fault Fault) bool {
		aSection := !strings.Contains(fault.Field, ".") // or the file as a whole, which has no name
		concerns := fault.Origin.Kind == FromFlag || aSection || strings.HasPrefix(fault.Field, section+".")
		return !concerns
	})
}
