package expression

import "slices"

// Scope says what names an expression may use.
type Scope struct {
	// Value is what the record's value offers.
	Value Shape
	// Key is what the record's key offers. With Fields meta.key is the decoded key, and meta.key.x reads into it; with any
	// other shape meta.key is the key's bytes as text.
	Key Shape
	// Joined are the names of joined rows. Such a name hides the value's own field; it is nil where there is no row.
	Joined []string
}

// Shape says what names a value offers.
type Shape uint8

// The shapes of a value.
const (
	Opaque Shape = iota // bytes: no names, only meta.*
	Text                // one name, value
	Fields              // any name is a field
)

// joined returns the path to a joined row.
func (s *Scope) joined(name string) (*path, bool) {
	row := slices.Index(s.Joined, name)
	return &path{from: fromJoined, row: row, rowName: name}, row >= 0
}
