package protobuf_test

import (
	"encoding/base64"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/dynamicpb"
	"pgregory.net/rapid"

	"streamer/internal/codec/protobuf"
	"streamer/internal/document"
)

// model is what a message should be read as, from the official library's view of it. It panics with a string where a
// document cannot hold the value.
func model(m protoreflect.Message) any {
	fields := m.Descriptor().Fields()
	switch name := m.Descriptor().FullName(); name {
	case "google.protobuf.Timestamp", "google.protobuf.Duration":
		return modelTime(m)
	case "google.protobuf.Value":
		if set := m.WhichOneof(m.Descriptor().Oneofs().Get(0)); set != nil {
			return modelField(set, m.Get(set))
		}
		return nil
	case "google.protobuf.Struct", "google.protobuf.ListValue", "google.protobuf.Int64Value", "google.protobuf.StringValue":
		return modelField(fields.Get(0), m.Get(fields.Get(0)))
	}
	object := map[string]any{}
	for i := range fields.Len() {
		if f := fields.Get(i); !f.HasPresence() || m.Has(f) {
			object[string(f.Name())] = modelField(f, m.Get(f))
		}
	}
	return object
}

func modelTime(m protoreflect.Message) string {
	fields := m.Descriptor().Fields()
	seconds, nanos := m.Get(fields.Get(0)).Int(), m.Get(fields.Get(1)).Int()
	if m.Descriptor().Name() == "Timestamp" {
		if seconds < -62135596800 || seconds > 253402300799 || nanos < 0 || nanos > 999999999 {
			panic("timestamp")
		}
		return time.Unix(seconds, nanos).UTC().Format(time.RFC3339Nano)
	}
	if max(seconds, -seconds) > 315576000000 || max(nanos, -nanos) > 999999999 || seconds > 0 && nanos < 0 || seconds < 0 && nanos > 0 {
		panic("duration")
	}
	sign := ""
	if seconds < 0 || nanos < 0 {
		sign, seconds, nanos = "-", -seconds, -nanos
	}
	text := fmt.Sprintf("%s%d.%09d", sign, seconds, nanos)
	return strings.TrimSuffix(strings.TrimRight(text, "0"), ".") + "s"
}

func modelField(f protoreflect.FieldDescriptor, v protoreflect.Value) any {
	switch {
	case f.IsList():
		list := []any{}
		for i := range v.List().Len() {
			list = append(list, modelScalar(f, v.List().Get(i)))
		}
		return list
	case f.IsMap():
		object := map[string]any{}
		v.Map().Range(func(key protoreflect.MapKey, value protoreflect.Value) bool {
			object[key.String()] = modelScalar(f.MapValue(), value)
			return true
		})
		return object
	}
	return modelScalar(f, v)
}

func modelScalar(f protoreflect.FieldDescriptor, v protoreflect.Value) any {
	switch x := v.Interface().(type) {
	case int32:
		return int(x)
	case int64:
		return int(x)
	case uint32:
		return int(x)
	case uint64:
		if x > math.MaxInt64 {
			return float64(x)
		}
		return int(x)
	case float32:
		wide, _ := strconv.ParseFloat(strconv.FormatFloat(float64(x), 'g', -1, 32), 64)
		return finite(wide)
	case float64:
		return finite(x)
	case []byte:
		return base64.StdEncoding.EncodeToString(x)
	case protoreflect.EnumNumber:
		if f.Enum().FullName() == "google.protobuf.NullValue" {
			return nil
		}
		if value := f.Enum().Values().ByNumber(x); value != nil {
			return string(value.Name())
		}
		return int(x)
	case protoreflect.Message:
		return model(x)
	}
	return v.Interface()
}

func finite(x float64) float64 {
	if math.IsInf(x, 0) || math.IsNaN(x) {
		panic("number")
	}
	return x
}

// modelled returns the model's answer; ok is false where a document cannot hold it.
func modelled(m protoreflect.Message) (value any, ok bool) {
	defer func() {
		if r := recover(); r != nil {
			if _, expected := r.(string); !expected {
				panic(r)
			}
			value, ok = nil, false
		}
	}()
	return model(m), true
}

// fill sets fields of a message at random.
func fill(t *rapid.T, m protoreflect.Message, depth int) {
	fields := m.Descriptor().Fields()
	name := m.Descriptor().FullName()
	for i := range fields.Len() {
		f := fields.Get(i)
		if f.Cardinality() != protoreflect.Required && (name == "test.Every" || name == "test.Old") && rapid.IntRange(0, 9).Draw(t, "set") > 0 {
			continue
		}
		switch {
		case f.Message() != nil && !f.IsMap() && depth == 0:
		case f.IsList():
			list := m.Mutable(f).List()
			for range rapid.IntRange(0, 3).Draw(t, "length") {
				list.Append(draw(t, f, list.NewElement, depth))
			}
		case f.IsMap() && depth > 0:
			mapping := m.Mutable(f).Map()
			for range rapid.IntRange(0, 3).Draw(t, "length") {
				key := draw(t, f.MapKey(), nil, depth).MapKey()
				mapping.Set(key, draw(t, f.MapValue(), mapping.NewValue, depth))
			}
		case !f.IsMap():
			m.Set(f, draw(t, f, func() protoreflect.Value { return m.NewField(f) }, depth))
		}
	}
}

func draw(t *rapid.T, f protoreflect.FieldDescriptor, fresh func() protoreflect.Value, depth int) protoreflect.Value {
	switch f.Kind() {
	case protoreflect.BoolKind:
		return protoreflect.ValueOfBool(rapid.Bool().Draw(t, "bool"))
	case protoreflect.EnumKind:
		values := f.Enum().Values()
		return protoreflect.ValueOfEnum(values.Get(rapid.IntRange(0, values.Len()-1).Draw(t, "enum")).Number())
	case protoreflect.Int32Kind, protoreflect.Sint32Kind, protoreflect.Sfixed32Kind:
		if f.Name() == "nanos" {
			return protoreflect.ValueOfInt32(rapid.Int32Range(0, 999999999).Draw(t, "nanos"))
		}
		return protoreflect.ValueOfInt32(rapid.Int32().Draw(t, "int32"))
	case protoreflect.Uint32Kind, protoreflect.Fixed32Kind:
		return protoreflect.ValueOfUint32(rapid.Uint32().Draw(t, "uint32"))
	case protoreflect.Int64Kind, protoreflect.Sint64Kind, protoreflect.Sfixed64Kind:
		if f.Name() == "seconds" {
			return protoreflect.ValueOfInt64(rapid.Int64Range(0, 253402300799).Draw(t, "seconds"))
		}
		return protoreflect.ValueOfInt64(rapid.Int64().Draw(t, "int64"))
	case protoreflect.Uint64Kind, protoreflect.Fixed64Kind:
		return protoreflect.ValueOfUint64(rapid.Uint64().Draw(t, "uint64"))
	case protoreflect.FloatKind:
		return protoreflect.ValueOfFloat32(rapid.Float32Range(-1e30, 1e30).Draw(t, "float"))
	case protoreflect.DoubleKind:
		return protoreflect.ValueOfFloat64(rapid.Float64Range(-1e300, 1e300).Draw(t, "double"))
	case protoreflect.StringKind:
		return protoreflect.ValueOfString(rapid.String().Draw(t, "string"))
	case protoreflect.BytesKind:
		return protoreflect.ValueOfBytes(rapid.SliceOf(rapid.Byte()).Draw(t, "bytes"))
	default:
		value := fresh()
		if depth > 0 {
			fill(t, value.Message(), depth-1)
		}
		return value
	}
}

// What the official library writes is read as the model says, and written back as a message that it holds equal.
func TestRoundTrip(t *testing.T) {
	t.Parallel()
	for _, m := range []protobuf.Message{message(t, "every.proto", "test.Every"), message(t, "old.proto", "")} {
		rapid.Check(t, func(t *rapid.T) {
			theirs := dynamicpb.NewMessage(protobuf.Descriptor(m))
			fill(t, theirs, 3)
			want, ok := modelled(theirs)
			if !ok {
				t.Skip("a document cannot hold it")
			}
			data, err := proto.Marshal(theirs)
			if err != nil {
				t.Fatal(err)
			}
			var s protobuf.State
			var d document.Document
			if err := protobuf.NewDecoder(m).Decode(&s, &d, data); err != nil {
				t.Fatal(err)
			}
			if got := d.Go(document.Root); !reflect.DeepEqual(got, want) {
				t.Fatalf("read as\n%v\nwant\n%v", got, want)
			}
			var e protobuf.Encoder
			written, err := protobuf.NewEncoder(m).Append(&e, nil, &d, document.Root)
			if err != nil {
				t.Fatal(err)
			}
			ours := dynamicpb.NewMessage(protobuf.Descriptor(m))
			if err := proto.Unmarshal(written, ours); err != nil {
				t.Fatal(err)
			}
			if again, ok := modelled(ours); !ok || !reflect.DeepEqual(again, want) {
				t.Fatalf("written as\n%v\nwant\n%v", again, want)
			}
		})
	}
}
