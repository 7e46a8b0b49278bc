package filesink

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"

	"streamer/internal/sink"
)

func TestLines(t *testing.T) {
	for _, test := range []struct{ value, want string }{
		{`{"a":1}`, "{\"a\":1}\n"},
		{"not json", "not json\n"},
		{"", "\n"},
		{"{\n  \"a\": \"x y\"\n}\n", "{\"a\":\"x y\"}\n"},
	} {
		got, err := appendLine([]byte("before\n"), []byte(test.value))
		if err != nil || string(got) != "before\n"+test.want {
			t.Errorf("appendLine(%q) = %q, %v; want %q", test.value, got, err, test.want)
		}
	}
}

func TestValuesThatCannotBeLinesNameTheirRecords(t *testing.T) {
	directory := t.TempDir()
	s := start(t, directory)
	write(t, s, lineBatch(1, "one"))
	err := s.Write(t.Context(), lineBatch(2, "two", "not\njson", "three", "also\nnot"))
	rejected, ok := errors.AsType[*sink.RejectedError](err)
	if !ok || len(rejected.Records) != 2 || rejected.Records[0].Origin().String() != "in/0@201" ||
		rejected.Records[1].Origin().String() != "in/0@203" {
		t.Fatalf("Write = %v, want the records in/0@201 and in/0@203 refused", err)
	}
	if strings.Contains(err.Error(), "not\njson") {
		t.Errorf("the error shows payload: %q", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if got := delivered(t, directory); len(got) != 1 || string(got[0].Value) != "one" {
		t.Errorf("the files have %q, want only what was acknowledged", got)
	}
}

// Whatever the value, what is accepted is one line, and valid JSON is always accepted and means the same.
func FuzzAppendLine(f *testing.F) {
	for _, seed := range []string{"", "\n", "{\"a\":\n1}", "\"\\n\"", "[1,\n2]\n\n", "a\nb", "\r\n", "{\"\u2028\":\n0}"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, value []byte) {
		line, err := appendLine(nil, value)
		if err != nil {
			if json.Valid(value) {
				t.Fatalf("JSON %q was refused: %v", value, err)
			}
			return
		}
		if n := bytes.Count(line, []byte("\n")); n != 1 || line[len(line)-1] != '\n' {
			t.Fatalf("%q became %q, which is not one line", value, line)
		}
		var before, after any
		if json.Unmarshal(value, &before) == nil {
			if err := json.Unmarshal(line, &after); err != nil || !reflect.DeepEqual(before, after) {
				t.Fatalf("%q became %q, which means something else (%v)", value, line, err)
			}
		}
	})
}
