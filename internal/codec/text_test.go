package codec_test

import (
	"testing"

	"streamer/internal/codec"
	"streamer/internal/document"
)

func TestTextCodecs(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		decode, encode, data, want string
	}{
		{"json", "json", ` {"a": [1, "b"]} `, `{"a":[1,"b"]}`},
		{"json", "string", `"a\nb"`, "a\nb"},
		{"json", "raw", `"a"`, "a"},
		{"json", "string", `1.50`, "1.50"},
		{"json", "string", `true`, "true"},
		{"json", "string", `{}`, "encode string: an array, an object or null has no text; write it as json"},
		{"json", "string", `null`, "encode string: an array, an object or null has no text; write it as json"},
		{"string", "json", "a\"b", `"a\"b"`},
		{"string", "string", "a\xff", "invalid UTF-8 at byte 1"},
		{"raw", "json", "anything", "null"},
	} {
		if got := recode(t, codec.Config{Format: test.decode}, codec.Config{Format: test.encode}, test.data); got != test.want {
			t.Errorf("%s to %s of %q gives %s, want %s", test.decode, test.encode, test.data, got, test.want)
		}
	}
}

// recode decodes data, encodes what came out behind the byte '>', and returns what stands behind it, or the error.
func recode(t *testing.T, from, to codec.Config, data string) string {
	t.Helper()
	decoders, err := codec.NewDecoder(from, codec.Use{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	encoders, err := codec.NewEncoder(to, codec.Use{Encode: true}, nil)
	if err != nil {
		t.Fatal(err)
	}
	var d document.Document
	if err := decoders().Decode(t.Context(), &d, []byte(data)); err != nil {
		return err.Error()
	}
	out, err := encoders().Append(t.Context(), []byte(">"), &d, document.Root)
	if err != nil {
		if string(out) != ">" {
			t.Errorf("a failing encoder left %q", out)
		}
		return err.Error()
	}
	return string(out[1:])
}
