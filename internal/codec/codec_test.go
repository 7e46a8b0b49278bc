package codec

import (
	"strings"
	"testing"

	"go.uber.org/goleak"

	"streamer/internal/document"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestDecode(t *testing.T) {
	for _, test := range []struct {
		decoder Decoder
		value   []byte
		want    string // the document as JSON, or the error
	}{
		{rawDecoder{}, []byte("\xff"), "null"},
		{rawDecoder{}, nil, "null"},
		{stringDecoder{}, nil, "null"},
		{stringDecoder{}, []byte{}, `""`},
		{stringDecoder{}, []byte("a\"\\\n"), `"a\"\\\n"`},
		{stringDecoder{}, []byte("canary\xffcanary"), "invalid UTF-8 at byte 6"},
		{jsonDecoder{}, nil, "null"},
		{jsonDecoder{}, []byte(` {"a": 1} `), `{"a":1}`},
		{jsonDecoder{}, []byte{}, "invalid JSON at byte 0: text ends where a value should be"},
		{jsonDecoder{}, []byte(`{"a":canary}`), "invalid JSON at byte 5: no value starts with this character"},
	} {
		var d document.Document
		if err := d.Parse([]byte(`"of the record before"`)); err != nil {
			t.Fatal(err)
		}
		err := test.decoder.Decode(t.Context(), &d, test.value)
		got := string(d.Append(nil, document.Root))
		if err != nil {
			got = err.Error()
		}
		if got != test.want {
			t.Errorf("%T of %q: got %s, want %s", test.decoder, test.value, got, test.want)
		}
	}
}

// FuzzDecode holds that no bytes make a decoder panic, and that no error quotes them.
func FuzzDecode(f *testing.F) {
	for _, seed := range []string{`{"a":[1,"\u00e9",null]}`, "\xff", "", `"\ud800`, strings.Repeat("[", 1000)} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, value []byte) {
		for _, decoder := range []Decoder{rawDecoder{}, stringDecoder{}, jsonDecoder{}} {
			var d document.Document
			if err := decoder.Decode(t.Context(), &d, value); err != nil && len(value) > 40 && strings.Contains(err.Error(), string(value)) {
				t.Fatalf("%v quotes the payload", err)
			}
			d.Append(nil, document.Root)
		}
	})
}
