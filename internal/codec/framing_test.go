package codec

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestHeadersReadBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		id := rapid.Int32().Draw(t, "id")
		path := rapid.SliceOfN(rapid.IntRange(0, 1<<20), 1, maxIndex).Draw(t, "path")
		rest := rapid.SliceOf(rapid.Byte()).Draw(t, "rest")
		data := append(appendIndexes(appendHeader(nil, id), path), rest...)
		gotID, body, err := splitHeader(data)
		if err != nil || gotID != id {
			t.Fatalf("got id %d, %v; want %d", gotID, err, id)
		}
		gotPath, gotRest, err := splitIndexes(nil, body)
		if err != nil || !slices.Equal(gotPath, path) || !bytes.Equal(gotRest, rest) {
			t.Fatalf("got %v and %x, %v; want %v and %x", gotPath, gotRest, err, path, rest)
		}
	})
}

func TestLongPathsAreRefused(t *testing.T) {
	if path, _, err := splitIndexes(nil, appendIndexes(nil, make([]int, maxIndex+1))); err == nil {
		t.Errorf("got %v", path)
	}
}

// FuzzFraming holds that no bytes make the header's reader panic, and that it takes nothing from what follows.
func FuzzFraming(f *testing.F) {
	f.Add([]byte("\x00\x00\x00\x00\x01\x04\x02\x00rest"))
	f.Add([]byte("\x00\x00\x00\x00\x01\x00rest"))
	f.Add([]byte("\x00\x00\x00\x00\x01\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01"))
	f.Fuzz(func(t *testing.T, data []byte) {
		_, body, err := splitHeader(data)
		if err != nil {
			return
		}
		path, rest, err := splitIndexes(nil, body)
		if err != nil {
			if len(data) > 40 && strings.Contains(err.Error(), string(data)) {
				t.Fatal("the error quotes the data")
			}
			return
		}
		if len(path) == 0 || len(path) > maxIndex || !bytes.HasSuffix(data, rest) {
			t.Fatalf("got %v and %x", path, rest)
		}
	})
}
