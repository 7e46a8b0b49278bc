// Package setting holds the value types of the configuration: [Bytes], [Duration], [Secret] and the [Fault] that says
// what is wrong with one value and how to mend it.
package setting

import "time"

// Bytes is a size; written with a unit: 64KiB, 1MiB, 2GiB, 10MB, 512B.
type Bytes int64

// Duration is a time span; written with a unit: 200ms, 2s, 5m, 1h30m. 0 needs no unit.
type Duration time.Duration

// Secret is a string that never shows: String, Format and Marshal redact it.
type Secret string

// Fault is one thing wrong with one value. Field is the dotted path as the user writes it, Value what stands there, and
// Remedy a sentence that starts with what is wrong and ends with what to write instead.
type Fault struct {
	Field  string
	Value  string
	Remedy string
}
