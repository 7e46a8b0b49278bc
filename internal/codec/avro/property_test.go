package avro_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	hamba "github.com/hamba/avro/v2"
	"pgregory.net/rapid"

	"streamer/internal/codec/avro"
	"streamer/internal/document"
)

// equal holds that data is read as the Go value that hamba made of it. Numbers are compared as float64.
func equal(t *rapid.T, p *avro.Decoder, data []byte, want any) {
	var s avro.State
	var d document.Document
	if err := p.Decode(&s, &d, data); err != nil {
		t.Fatalf("decode: %v", err)
	}
	if got, want := plain(d.Go(document.Root)), plain(want); !reflect.DeepEqual(got, want) {
		t.Fatalf("read as %#v, want %#v", got, want)
	}
}

func plain(value any) any {
	switch v := reflect.ValueOf(value); {
	case !v.IsValid():
		return nil
	case v.CanInt():
		return float64(v.Int())
	case v.CanFloat():
		return v.Float()
	case v.Kind() == reflect.Slice:
		list := []any{}
		for i := range v.Len() {
			list = append(list, plain(v.Index(i).Interface()))
		}
		return list
	case v.Kind() == reflect.Map:
		object := map[string]any{}
		for it := v.MapRange(); it.Next(); {
			object[it.Key().String()] = plain(it.Value().Interface())
		}
		return object
	}
	return value
}

// maker draws schemas with values that fit them: JSON for us, Go for hamba.
type maker struct {
	t     *rapid.T
	names int
}

func (m *maker) draw(depth int) (schema, json string, value any) {
	kinds := 11
	if depth == 0 {
		kinds = 7
	}
	switch rapid.IntRange(0, kinds-1).Draw(m.t, "kind") {
	case 0:
		v := rapid.Bool().Draw(m.t, "boolean")
		return `"boolean"`, fmt.Sprint(v), v
	case 1:
		v := rapid.Int32().Draw(m.t, "int")
		return `"int"`, fmt.Sprint(v), int(v)
	case 2:
		v := rapid.Int64().Draw(m.t, "long")
		return `"long"`, fmt.Sprint(v), v
	case 3:
		v := float64(rapid.IntRange(-99, 99).Draw(m.t, "double")) / 8
		return `"double"`, fmt.Sprint(v), v
	case 4:
		v := float32(rapid.IntRange(-99, 99).Draw(m.t, "float")) / 8
		return `"float"`, fmt.Sprint(v), v
	case 5:
		v := rapid.String().Draw(m.t, "string")
		text, _ := document.AppendString(nil, v)
		return `"string"`, string(text), v
	case 6:
		m.names++
		return fmt.Sprintf(`{"type":"enum","name":"e%d","symbols":["A","B"]}`, m.names), `"B"`, "B"
	case 7:
		return m.record(depth)
	case 8:
		item, json, value := m.draw(depth - 1)
		n := rapid.IntRange(0, 3).Draw(m.t, "items")
		list := make([]any, n)
		for i := range list {
			list[i] = value
		}
		return `{"type":"array","items":` + item + `}`, "[" + strings.TrimSuffix(strings.Repeat(json+",", n), ",") + "]", list
	case 9:
		item, json, value := m.draw(depth - 1)
		name := rapid.String().Draw(m.t, "name")
		text, _ := document.AppendString(nil, name)
		return `{"type":"map","values":` + item + `}`, "{" + string(text) + ":" + json + "}", map[string]any{name: value}
	default:
		item, json, value := m.draw(depth - 1)
		if strings.HasPrefix(item, "[") {
			return item, json, value
		}
		if rapid.Bool().Draw(m.t, "null") {
			return `["null",` + item + `]`, "null", nil
		}
		return `[` + item + `,"null"]`, json, value
	}
}

func (m *maker) record(depth int) (schema, json string, value any) {
	m.names++
	name := m.names
	object := map[string]any{}
	var fields, members []string
	for i := range rapid.IntRange(0, 4).Draw(m.t, "fields") {
		item, json, value := m.draw(depth - 1)
		fields = append(fields, fmt.Sprintf(`{"name":"f%d","type":%s}`, i, item))
		members = append(members, fmt.Sprintf(`"f%d":%s`, i, json))
		object[fmt.Sprintf("f%d", i)] = value
	}
	return fmt.Sprintf(`{"type":"record","name":"r%d","fields":[%s]}`, name, strings.Join(fields, ",")),
		"{" + strings.Join(members, ",") + "}", object
}

// What is written from JSON is what hamba reads, and reads back as the same JSON.
func TestRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		m := &maker{t: t}
		text, json, value := m.record(3)
		parsed := must(avro.Parse(text))
		program, err := avro.NewEncoder(parsed)
		if err != nil {
			t.Fatal(err)
		}
		var in, out document.Document
		if err := in.Parse([]byte(json)); err != nil {
			t.Fatal(err)
		}
		var e avro.Encoder
		data, err := program.Append(&e, nil, &in, document.Root)
		if err != nil {
			t.Fatalf("%s as %s: %v", json, text, err)
		}
		decoder, err := avro.NewDecoder(parsed, nil)
		if err != nil {
			t.Fatal(err)
		}
		equal(t, decoder, data, value)
		var s avro.State
		if err := decoder.Decode(&s, &out, data); err != nil {
			t.Fatal(err)
		}
		if got, want := string(out.Append(nil, document.Root)), string(in.Append(nil, document.Root)); got != want {
			t.Fatalf("%s became %s", want, got)
		}
		if strings.Contains(text, "[") && strings.Contains(text, `"null"`) {
			return // hamba wraps what comes out of a union, and what goes in
		}
		written, err := hamba.Marshal(theirs(text), value)
		if err != nil {
			t.Fatalf("hamba: %v", err)
		}
		equal(t, decoder, written, value)
	})
}
