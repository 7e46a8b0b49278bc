package avro

import (
	"fmt"
	"math"
	"slices"

	hamba "github.com/hamba/avro/v2"

	"streamer/internal/codec/scalar"
	"streamer/internal/document"
)

// branch is one of a union's types.
type branch struct {
	encode encodeFunc
	// exact reports whether the node is what the branch is read as; nil if no node is.
	exact func(e *Encoder, n document.Node) bool
	// loose reports whether the node can be written as the branch all the same; nil asks encode, which must not nest.
	loose func(e *Encoder, n document.Node) bool
}

// union writes a node as the first branch that is exactly of its kind, else as the first that can hold it. What is asked is
// the node itself, never what it consists of: the work would grow with the power of the depth.
func (comp *encodeCompiler) union(schema *hamba.UnionSchema) (encodeFunc, error) {
	branches := make([]branch, len(schema.Types()))
	for i, typ := range schema.Types() {
		var err error
		if branches[i], err = comp.branch(deref(typ)); err != nil {
			return nil, err
		}
	}
	if schema.Nullable() {
		null, other := schema.Indices()
		return nullable(int64(null), int64(other), branches[other].encode), nil
	}
	return func(e *Encoder, dst []byte, n document.Node) ([]byte, error) {
		place := slices.IndexFunc(branches, func(b branch) bool { return b.exact != nil && b.exact(e, n) })
		if place < 0 {
			place = slices.IndexFunc(branches, func(b branch) bool { return b.holds(e, dst, n) })
		}
		if place < 0 {
			return dst, fmt.Errorf("%s fits no branch of the union", scalar.Name(e.d.Kind(n)))
		}
		return branches[place].encode(e, appendLong(dst, int64(place)), n)
	}, nil
}

// nullable is the common union of null and one type, whose error says what the type wants.
func nullable(null, other int64, encode encodeFunc) encodeFunc {
	return func(e *Encoder, dst []byte, n document.Node) ([]byte, error) {
		if kind := e.d.Kind(n); kind == document.Null || kind == document.Missing {
			return appendLong(dst, null), nil
		}
		return encode(e, appendLong(dst, other), n)
	}
}

func (b branch) holds(e *Encoder, dst []byte, n document.Node) bool {
	if b.loose != nil {
		return b.loose(e, n)
	}
	_, err := b.encode(e, dst, n) // behind dst, where the branch that is chosen writes over it
	return err == nil
}

func (comp *encodeCompiler) branch(schema hamba.Schema) (branch, error) {
	encode, err := comp.encoder(schema)
	b := branch{encode: encode}
	if err != nil {
		return b, err
	}
	switch schema := schema.(type) {
	case *hamba.NullSchema:
		b.exact = ofKind(document.Null, document.Missing)
	case *hamba.ArraySchema:
		b.exact = ofKind(document.Array)
		b.loose = b.exact
	case *hamba.MapSchema:
		b.exact = ofKind(document.Object)
		b.loose = b.exact
	case *hamba.RecordSchema:
		record := comp.records[schema]
		b.exact = func(e *Encoder, n document.Node) bool { return record.fits(e, n, true) }
		b.loose = func(e *Encoder, n document.Node) bool { return record.fits(e, n, false) }
	case *hamba.EnumSchema:
		b.exact = func(e *Encoder, n document.Node) bool {
			_, err := encode(e, nil, n)
			return err == nil
		}
	case *hamba.PrimitiveSchema:
		b.exact = exactPrimitive(schema.Type())
	}
	return b, nil
}

func ofKind(kinds ...document.Kind) func(*Encoder, document.Node) bool {
	return func(e *Encoder, n document.Node) bool { return slices.Contains(kinds, e.d.Kind(n)) }
}

func exactPrimitive(typ hamba.Type) func(*Encoder, document.Node) bool {
	switch typ { //nolint:exhaustive // bytes are text only if nothing else is
	case hamba.Boolean:
		return ofKind(document.False, document.True)
	case hamba.Int:
		return func(e *Encoder, n document.Node) bool {
			value, ok := e.d.Int(n)
			return ok && value >= math.MinInt32 && value <= math.MaxInt32
		}
	case hamba.Long:
		return func(e *Encoder, n document.Node) bool {
			_, ok := e.d.Int(n)
			return ok
		}
	case hamba.Float, hamba.Double:
		return ofKind(document.Float)
	case hamba.String:
		return ofKind(document.String)
	}
	return nil
}
