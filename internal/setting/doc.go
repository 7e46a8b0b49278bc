// Package setting holds the value types of the configuration, [Bytes], [Duration] and [Secret], and the [Fault] that
// says what is wrong with one value and how to mend it.
//
// One rule holds everywhere, in YAML, environment and flags: a size or a duration is a number with a unit, only 0 needs
// none, none is negative, and what String writes the parser reads back as the same value.
package setting
