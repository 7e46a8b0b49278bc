package avro

import (
	"slices"

	hamba "github.com/hamba/avro/v2"
)

// pick chooses the branch of a reader's union for a type of the writer: the same type before one that it can be promoted to,
// and a record of the same full name before one of the same name in another namespace.
func pick(w hamba.Schema, union *hamba.UnionSchema) (hamba.Schema, bool) {
	for _, fits := range []func(w, r hamba.Schema) bool{same, sameType, matches} {
		for _, branch := range union.Types() {
			if branch := deref(branch); fits(w, branch) {
				return branch, true
			}
		}
	}
	return nil, false
}

func same(w, r hamba.Schema) bool { return matches(w, r) && name(w) == name(r) }

func sameType(w, r hamba.Schema) bool { return w.Type() == r.Type() && matches(w, r) }

// matches reports whether values of w can be read as r, without looking into what w consists of (specification, "Schema
// resolution": two schemas match if …).
func matches(w, r hamba.Schema) bool {
	if w.Type() != r.Type() {
		return slices.Contains(promotions(w.Type()), r.Type())
	}
	named, ok := w.(hamba.NamedSchema)
	if !ok {
		return true
	}
	if r, ok := r.(hamba.NamedSchema); !ok || !sameName(named, r) {
		return false
	}
	return sizeOf(w) == sizeOf(r)
}

// sizeOf is the size of a fixed type, 0 for any other.
func sizeOf(schema hamba.Schema) int {
	if fixed, ok := schema.(*hamba.FixedSchema); ok {
		return fixed.Size()
	}
	return 0
}

func promotions(from hamba.Type) []hamba.Type {
	switch from { //nolint:exhaustive // the others are read as what they are
	case hamba.Int:
		return []hamba.Type{hamba.Long, hamba.Float, hamba.Double}
	case hamba.Long:
		return []hamba.Type{hamba.Float, hamba.Double}
	case hamba.Float:
		return []hamba.Type{hamba.Double}
	case hamba.String:
		return []hamba.Type{hamba.Bytes}
	case hamba.Bytes:
		return []hamba.Type{hamba.String}
	}
	return nil
}

// sameName compares names without namespace, as the specification does.
func sameName(w, r hamba.NamedSchema) bool {
	return w.Name() == r.Name() || slices.Contains(r.Aliases(), w.FullName())
}
