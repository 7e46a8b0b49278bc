package document_test

import (
	"fmt"
	"reflect"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"streamer/internal/document"
)

// What is packed reads as what was added, whatever was added before and after.
func TestPackEqualsDocuments(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var pack document.Pack
		var d document.Document
		var texts []string
		var values []any
		for range rapid.IntRange(0, 20).Draw(t, "documents") {
			text, err := document.AppendGo(nil, anyValue(t, 3))
			if err != nil {
				t.Fatal(err)
			}
			if err := d.Parse(text); err != nil {
				t.Fatal(err)
			}
			pack.Add(&d)
			texts, values = append(texts, string(text)), append(values, d.Go(document.Root))
		}
		if pack.Len() != len(texts) {
			t.Fatalf("%d documents", pack.Len())
		}
		for i := range texts {
			if got := string(pack.At(i).Append(nil, document.Root)); got != texts[i] {
				t.Fatalf("document %d is %s, want %s", i, got, texts[i])
			}
			if got := pack.At(i).Go(document.Root); !reflect.DeepEqual(got, values[i]) {
				t.Fatalf("document %d is %#v, want %#v", i, got, values[i])
			}
		}
	})
}

func TestPackKeeps(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`{"\u0061\n":"\u00e9\"","a\n":1.10}`: `{"a\n":"é\"","a\n":1.10}`,
		`[-0,1e400,12345678901234567890]`:    `[-0,1e400,12345678901234567890]`,
		`"\ud800"`:                           `"` + "\uFFFD" + `"`,
		"{ \"a\" : [ { } , [ ] , \"\" ] }":   `{"a":[{},[],""]}`,
		`null`:                               `null`,
		`{"":""}`:                            `{"":""}`, // needs no text
	} {
		var pack document.Pack
		var d document.Document
		if err := d.Parse([]byte(text)); err != nil {
			t.Fatal(err)
		}
		pack.Add(&d)
		d.Reset()
		if got := string(pack.At(0).Append(nil, document.Root)); got != want {
			t.Errorf("%s is kept as %s, want %s", text, got, want)
		}
	}
}

func TestPackKeepsTheEmptyDocument(t *testing.T) {
	t.Parallel()
	var pack document.Pack
	pack.Add(&document.Document{})
	if kind := pack.At(0).Kind(document.Root); kind != document.Missing {
		t.Error(kind)
	}
}

// Pieces of every size, a document larger than a piece, and more names than are remembered.
func TestPackOfMany(t *testing.T) {
	t.Parallel()
	var pack document.Pack
	var d document.Document
	row := func(i int) string {
		switch {
		case i == 700:
			return `["` + strings.Repeat("x", 1<<20) + `"` + strings.Repeat(",1", 1<<17) + `]`
		case i%3 == 0:
			return fmt.Sprintf(`{"name%d":%d}`, i, i)
		}
		return fmt.Sprintf(`{"id":%d,"name":"the row %d","price":1.50}`, i, i)
	}
	const rows = 10_000
	for i := range rows {
		if err := d.Parse([]byte(row(i))); err != nil {
			t.Fatal(err)
		}
		pack.Add(&d)
	}
	for i := range rows {
		if got := string(pack.At(i).Append(nil, document.Root)); got != row(i) {
			t.Fatalf("row %d is %.100s", i, got)
		}
	}
	if pack.Bytes() < 4<<20 || pack.Bytes() > 8<<20 {
		t.Errorf("%d bytes", pack.Bytes())
	}
}

// Readers of the same document must not write to it; the race detector watches.
func TestPackIsReadConcurrently(t *testing.T) {
	t.Parallel()
	var pack document.Pack
	var d document.Document
	if err := d.Parse([]byte(`{"\u0061":"\u0062","c":[1,"\n"]}`)); err != nil {
		t.Fatal(err)
	}
	pack.Add(&d)
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			d := pack.At(0)
			if got := string(d.Text(d.Field(document.Root, "a"))); got != "b" {
				t.Errorf("a is %q", got)
			}
			if got := string(d.Append(nil, document.Root)); got != `{"a":"b","c":[1,"\n"]}` {
				t.Error(got)
			}
			d.Go(document.Root)
		})
	}
	group.Wait()
}

func TestDigits(t *testing.T) {
	t.Parallel()
	var d document.Document
	if err := d.Parse([]byte(`[12345678901234567890,-1.50e3,"7",null]`)); err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"12345678901234567890", "-1.50e3", "", ""} {
		if got := string(d.Digits(d.Element(document.Root, i))); got != want {
			t.Errorf("element %d: %q, want %q", i, got, want)
		}
	}
}
