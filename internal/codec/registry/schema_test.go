package registry

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/sr"
)

func TestReferencesComeInOrder(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	reference := func(name string) sr.SchemaReference {
		return sr.SchemaReference{Name: name, Subject: name, Version: 1}
	}
	f.SeedSchema("zip", 1, 11, sr.Schema{Schema: "zip", Type: Protobuf})
	f.SeedSchema("home", 1, 12, sr.Schema{Schema: "home", Type: Protobuf, References: []sr.SchemaReference{reference("zip")}})
	f.SeedSchema("user", 1, 13, sr.Schema{Schema: "user", Type: Protobuf, References: []sr.SchemaReference{reference("home"), reference("zip")}})
	c, _ := newTest(t, Config{}, network{"a": f})
	schema, err := c.Schema(t.Context(), 13)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, r := range schema.References {
		names = append(names, r.Name+"="+r.Text)
	}
	if got := strings.Join(names, " "); got != "zip=zip home=home" || schema.Type != Protobuf {
		t.Errorf("got %s of type %s", got, schema.Type)
	}
	f.failing(func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path != "/schemas/ids/14" {
			return false
		}
		_, _ = w.Write([]byte(`{"schema":"x","references":[{"name":"n","subject":"nothing","version":1}]}`))
		return true
	})
	if _, err := c.Schema(t.Context(), 14); err == nil || !strings.HasPrefix(err.Error(), "get schema 14: get reference nothing, version 1: GET http://a/") {
		t.Errorf("got %v", err)
	}
}

func TestID(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	c, _ := newTest(t, Config{}, network{"a": f})
	source := &Source{Text: `"string"`}
	for range 2 {
		if id, err := c.ID(t.Context(), "events-value", source, false); err != nil || id != 7 {
			t.Fatalf("got %d, %v", id, err)
		}
	}
	if f.asked.Load() != 1 {
		t.Errorf("asked %d times", f.asked.Load())
	}
	_, err := c.ID(t.Context(), "new-value", source, false)
	if want := "subject new-value does not have the schema; register it, or set register: true"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	id, err := c.ID(t.Context(), "new-value", source, true)
	if _, there := f.GetSchema("new-value", 1); err != nil || !there {
		t.Errorf("got %d, %v", id, err)
	}
}

func TestImportsAreRegistered(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	c, _ := newTest(t, Config{}, network{"a": f})
	base := Source{Type: Protobuf, Text: `syntax = "proto3"; message A {}`}
	source := &Source{Type: Protobuf, Text: `syntax = "proto3"; import "a.proto"; message B { A a = 1; }`, Imports: []Import{{"a.proto", base}}}
	id, err := c.ID(t.Context(), "b-value", source, true)
	if err != nil {
		t.Fatal(err)
	}
	schema, err := c.Schema(t.Context(), id)
	if err != nil || len(schema.References) != 1 || schema.References[0] != (Reference{"a.proto", base.Text}) {
		t.Errorf("got %+v, %v", schema, err)
	}
}

func TestRefusalIsForGood(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	f.failing(func(w http.ResponseWriter, r *http.Request) bool {
		if !strings.HasSuffix(r.URL.Path, "/versions") {
			return false
		}
		w.WriteHeader(http.StatusConflict)
		_, _ = w.Write([]byte(`{"error_code":409,"message":"Schema is incompatible"}`))
		return true
	})
	c, _ := newTest(t, Config{}, network{"a": f})
	_, err := c.ID(t.Context(), "events-value", &Source{Text: `"long"`}, true)
	const want = "register schema in subject events-value: POST http://a/subjects/events-value/versions answered 409: Schema is incompatible"
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestFullCacheIsEmptied(t *testing.T) {
	t.Parallel()
	c := newCache[int, int]()
	for i := range 2*maxCached + 1 {
		value, err := c.get(t.Context(), i, func(context.Context) (int, error) { return i, nil })
		if err != nil || value != i || c.size() > maxCached {
			t.Fatalf("got %d, %v; %d are kept", value, err, c.size())
		}
	}
	for i := range 2*maxCached + 1 {
		_, _ = c.get(t.Context(), -1-i, func(context.Context) (int, error) { return 0, ErrUnknown })
	}
	if len(c.failed) > maxCached {
		t.Errorf("%d failures are kept", len(c.failed))
	}
}
