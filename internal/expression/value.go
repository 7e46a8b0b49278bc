package expression

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"time"

	"streamer/internal/document"
)

// Value is the result of an expression. A time or a duration is a String with its documented text.
type Value struct {
	Kind  document.Kind // never Missing: that is Null; of an Array or Object there is only the kind
	Int   int64         // of an Integer
	Float float64       // of a Float
	// Text of a String is valid until the next run of the evaluator or the next change of the record, and read-only.
	Text []byte
}

var (
	errTextOfList   = errors.New("a list has no plain text; pick one of its elements")
	errTextOfObject = errors.New("an object has no plain text; pick one of its fields")
)

func (v *Value) appendText(dst []byte) (out []byte, found bool, err error) {
	switch v.Kind {
	case document.Missing, document.Null:
		return dst, false, nil
	case document.False, document.True:
		return strconv.AppendBool(dst, v.Kind == document.True), true, nil
	case document.Integer:
		return strconv.AppendInt(dst, v.Int, 10), true, nil
	case document.String:
		return append(dst, v.Text...), true, nil
	case document.Float:
		if dst, err = document.AppendFloat(dst, v.Float); err != nil {
			return dst, false, &EncodeError{Err: err}
		}
		return dst, true, nil
	case document.Array:
		return dst, false, &EncodeError{Err: errTextOfList}
	case document.Object:
	}
	return dst, false, &EncodeError{Err: errTextOfObject}
}

// unboxed turns what expr's machine gives into a Value.
func (e *Evaluator) unboxed(result any) (Value, error) {
	switch v := result.(type) {
	case nil:
		return Value{Kind: document.Null}, nil
	case bool:
		if v {
			return Value{Kind: document.True}, nil
		}
		return Value{Kind: document.False}, nil
	case int:
		return Value{Kind: document.Integer, Int: int64(v)}, nil
	case float64:
		return Value{Kind: document.Float, Float: v}, nil
	case string:
		return e.textValue(v), nil
	case time.Time:
		return e.textValue(v.Format(time.RFC3339Nano)), nil
	case time.Duration:
		return e.textValue(v.String()), nil
	}
	return e.reflected(reflect.ValueOf(result))
}

func (e *Evaluator) textValue(text string) Value {
	start := len(e.frame.arena)
	e.frame.arena = append(e.frame.arena, text...)
	return Value{Kind: document.String, Text: e.frame.arena[start:]}
}

// reflected turns the rarer types into a Value, as document.AppendGo does.
func (e *Evaluator) reflected(v reflect.Value) (Value, error) {
	switch {
	case v.CanInt():
		return Value{Kind: document.Integer, Int: v.Int()}, nil
	case v.CanUint() && v.Uint() <= math.MaxInt64:
		return Value{Kind: document.Integer, Int: int64(v.Uint())}, nil
	case v.CanUint():
		return Value{Kind: document.Float, Float: float64(v.Uint())}, nil
	case v.CanFloat():
		return Value{Kind: document.Float, Float: v.Float()}, nil
	case v.Kind() == reflect.String:
		return e.textValue(v.String()), nil
	case v.Kind() == reflect.Slice && v.Type().Elem().Kind() == reflect.Uint8:
		return e.textValue(string(v.Bytes())), nil
	case v.Kind() == reflect.Slice || v.Kind() == reflect.Array:
		return Value{Kind: document.Array}, nil
	case v.Kind() == reflect.Map:
		return Value{Kind: document.Object}, nil
	}
	return Value{}, &EncodeError{Err: fmt.Errorf("a value of type %s has no plain form", v.Type())}
}
