package pipeline

import (
	"slices"
	"strings"

	"streamer/internal/record"
	"streamer/internal/setting"
)

// What may happen with a record that fails.
const (
	Fail       = "fail"        // stop the partition before the record
	Skip       = "skip"        // count it, log it and go on
	DeadLetter = "dead_letter" // write it to the dead-letter topic and go on
)

func policyNames() []string { return []string{Fail, Skip, DeadLetter} }

// OnError is what happens with a record that fails, by the class of its failure. An empty class has the default.
type OnError struct {
	Default  string `yaml:"default"`
	Decode   string `yaml:"decode"`
	Evaluate string `yaml:"evaluate"`
	Encode   string `yaml:"encode"`
	TooLarge string `yaml:"too_large"`
}

// Policy is what happens with a failure of the class.
func (o OnError) Policy(class string) string {
	own := ""
	switch class {
	case record.ClassDecode:
		own = o.Decode
	case record.ClassEvaluate:
		own = o.Evaluate
	case record.ClassEncode:
		own = o.Encode
	case record.ClassTooLarge:
		own = o.TooLarge
	}
	if own == "" {
		return o.Default
	}
	return own
}

// Has reports whether a class has the policy.
func (o OnError) Has(policy string) bool {
	for _, class := range record.Classes() {
		if o.Policy(class) == policy {
			return true
		}
	}
	return false
}

func (o OnError) validate() []setting.Fault {
	var faults []setting.Fault
	for _, class := range []struct{ name, policy string }{
		{"default", o.Default}, {"decode", o.Decode}, {"evaluate", o.Evaluate}, {"encode", o.Encode}, {"too_large", o.TooLarge},
	} {
		if class.policy == "" && class.name != "default" {
			continue
		}
		if !slices.Contains(policyNames(), class.policy) {
			remedy := "is not a policy; write one of " + strings.Join(policyNames(), ", ")
			if near, ok := setting.Nearest(class.policy, policyNames()); ok {
				remedy = "is not a policy; did you mean " + near + "?"
			}
			faults = append(faults, fault("on_error."+class.name, class.policy, remedy))
		}
	}
	return faults
}
