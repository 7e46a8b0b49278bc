package config

import (
	"regexp"
	"slices"
	"strings"

	"streamer/internal/setting"
)

// environment is what the variables say.
type environment struct {
	values   layer
	names    map[string]string // by path: a value may be given by the variable of a shorthand
	faults   Faults
	warnings []Warning
}

// readEnvironment takes variables as os.Environ gives them, NAME=value. An empty one counts as not set: that is what
// compose files and manifests leave behind for a variable that they were not given.
func readEnvironment(variables []string, schema *schema) *environment {
	e := &environment{values: layer{}, names: map[string]string{}}
	known := schema.variables()
	for _, variable := range variables {
		name, text, _ := strings.Cut(variable, "=")
		if !strings.HasPrefix(name, setting.VariablePrefix) || text == "" || isServiceLink(name, text) {
			continue
		}
		k, found := known[name]
		if !found {
			e.warnings = append(e.warnings, unknownVariable(name, known))
			continue
		}
		value, fault := k.parseLine(text)
		if fault != nil {
			e.faults = append(e.faults, Fault{Fault: *fault, Origin: Origin{Kind: FromEnvironment, Name: name}})
			continue
		}
		e.values[k.path], e.names[k.path] = value, name
	}
	slices.SortFunc(e.warnings, func(a, b Warning) int { return strings.Compare(a.Fault.Origin.Name, b.Fault.Origin.Name) })
	return e
}

// unknownVariable is only a warning: variables with our prefix may belong to somebody else.
func unknownVariable(name string, known map[string]key) Warning {
	remedy := "is not a setting and is ignored; docs/configuration.md lists the variables"
	if near, found := setting.Nearest(name, sortedNames(known)); found {
		remedy = "is not a setting and is ignored; did you mean " + near
	}
	return Warning{Fault{
		Fault:  setting.Fault{Field: name, Remedy: remedy},
		Origin: Origin{Kind: FromEnvironment, Name: name},
	}}
}

// serviceLink is what Kubernetes sets in every pod for a service named streamer or streamer-something, after Docker's
// old links: STREAMER_SERVICE_HOST, STREAMER_SERVICE_PORT_HTTP, STREAMER_PORT_4040_TCP_ADDR.
var serviceLink = regexp.MustCompile(`^STREAMER(_[A-Z0-9_]+)?_` +
	`(SERVICE_HOST|SERVICE_PORT(_[A-Z0-9_]+)?|PORT_[0-9]+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)$`)

var serviceURL = regexp.MustCompile(`^(tcp|udp|sctp)://`)

// isServiceLink keeps a warning about every service link out of the log of every pod.
func isServiceLink(name, value string) bool {
	return serviceLink.MatchString(name) || strings.HasSuffix(name, "_PORT") && serviceURL.MatchString(value)
}
