package filesink

import (
	"errors"
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

func TestAValueThatCannotBeALineNamesItsRecord(t *testing.T) {
	directory := t.TempDir()
	s := start(t, directory)
	write(t, s, lineBatch(1, "one"))
	err := s.Write(t.Context(), lineBatch(2, "two", "not\njson"))
	permanent, ok := errors.AsType[*sink.PermanentError](err)
	if !ok || permanent.Origin == nil || permanent.Origin.String() != "in/0@201" {
		t.Fatalf("Write = %v, want a permanent error at in/0@201", err)
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
