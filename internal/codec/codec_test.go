package codec

import (
	"strings"
	"testing"

	"go.uber.org/goleak"

	"streamer/internal/document"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestFormatsHaveNames(t *testing.T) {
	for i, name := range Names() {
		format, ok := Parse(name)
		if !ok || format != Format(i) || format.String() != name {
			t.Errorf("Parse(%s) = %v, %v", name, format, ok)
		}
	}
	if _, ok := Parse("JSON"); ok {
		t.Error("names are lower case")
	}
}

func TestDecode(t *testing.T) {
	for _, test := range []struct {
		format Format
		value  []byte
		want   string // the document as JSON, or the error
	}{
		{Raw, []byte("\xff"), "null"},
		{Raw, nil, "null"},
		{String, nil, "null"},
		{String, []byte{}, `""`},
		{String, []byte("a\"\\\n"), `"a\"\\\n"`},
		{String, []byte("canary\xffcanary"), "invalid UTF-8 at byte 6"},
		{JSON, nil, "null"},
		{JSON, []byte(` {"a": 1} `), `{"a":1}`},
		{JSON, []byte{}, "invalid JSON at byte 0: text ends where a value should be"},
		{JSON, []byte(`{"a":canary}`), "invalid JSON at byte 5: no value starts with this character"},
	} {
		var d document.Document
		if err := d.Parse([]byte(`"of the record before"`)); err != nil {
			t.Fatal(err)
		}
		err := test.format.Decode(&d, test.value)
		got := string(d.Append(nil, document.Root))
		if err != nil {
			got = err.Error()
		}
		if got != test.want {
			t.Errorf("%v of %q: got %s, want %s", test.format, test.value, got, test.want)
		}
	}
}

// FuzzDecode holds that no bytes make a decoder panic, and that no error quotes them.
func FuzzDecode(f *testing.F) {
	for _, seed := range []string{`{"a":[1,"\u00e9",null]}`, "\xff", "", `"\ud800`, strings.Repeat("[", 1000)} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, value []byte) {
		for i := range Names() {
			var d document.Document
			if err := Format(i).Decode(&d, value); err != nil && len(value) > 40 && strings.Contains(err.Error(), string(value)) {
				t.Fatalf("%v quotes the payload", err)
			}
			d.Append(nil, document.Root)
		}
	})
}
