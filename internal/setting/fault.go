package setting

import "strconv"

// Fault is one thing wrong with one value. Field is the dotted path as the user writes it, Value what stands there, and
// Remedy a sentence that starts with what is wrong and ends with what to write instead. Value is empty when there is
// nothing to show: a missing value, or a secret.
type Fault struct {
	Field  string
	Value  string
	Remedy string
}

// Error renders the fault as `block.interval: "200" has no unit; write 200ms`. Parts that are empty are left out.
func (f Fault) Error() string {
	text := f.Remedy
	if f.Value != "" {
		text = strconv.Quote(f.Value) + " " + text
	}
	if f.Field != "" {
		text = f.Field + ": " + text
	}
	return text
}
