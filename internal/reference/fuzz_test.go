package reference

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"streamer/internal/document"
)

// FuzzCSV holds the rows to encoding/csv, and to what may be refused.
func FuzzCSV(f *testing.F) {
	for _, seed := range []string{
		"id,a\nx,1\ny,\"2\n3\"\n", "\ufeffid\r\na\r\n\r\n", "id,id\n", "a\n1\n", "id,a\nx\n", "id\n\"x\n", "id,a\nx,1\nx,2\n", "id,a\n\xff,1\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		rows, err := parse(bytes.NewReader(data), formatCSV, "id")
		checkError(t, err)
		records, problem := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(data, []byte("\ufeff")))).ReadAll()
		if err != nil {
			if problem == nil && utf8.Valid(data) && len(records) > 0 && unique(records) {
				t.Fatalf("refused a table: %v", err)
			}
			return
		}
		if problem != nil || !utf8.Valid(data) || len(records) != rows.Len()+1 {
			t.Fatalf("took %d rows of what is not a table: %v", rows.Len(), problem)
		}
		for _, record := range records[1:] {
			want := map[string]string{}
			for i, name := range records[0] {
				want[name] = record[i]
			}
			checkRow(t, rows, want["id"], want)
		}
	})
}

// unique tells whether there is exactly one column id, no column twice and no key twice.
func unique(records [][]string) bool {
	columns, column := map[string]bool{}, -1
	for i, name := range records[0] {
		if columns[name] {
			return false
		}
		columns[name] = true
		if name == "id" {
			column = i
		}
	}
	keys := map[string]bool{}
	for _, record := range records[1:] {
		if column >= 0 && keys[record[column]] {
			return false
		}
		if column >= 0 {
			keys[record[column]] = true
		}
	}
	return column >= 0
}

// FuzzJSONLines holds the rows to encoding/json.
func FuzzJSONLines(f *testing.F) {
	for _, seed := range []string{
		"{\"id\":\"a\",\"n\":[1,{}]}\n\n{\"id\":7}", "\ufeff{\"id\":\"\\u0061\"}\r\n", "{\"id\":1}\n{\"id\":\"1\"}", "{\"id\":1.5}", "[]", "{\"id\":\"a\",\"id\":2}",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		rows, err := parse(bytes.NewReader(data), formatJSONLines, "id")
		checkError(t, err)
		if err != nil {
			return
		}
		count := 0
		for line := range strings.SplitSeq(strings.TrimPrefix(string(data), "\ufeff"), "\n") {
			if strings.TrimSpace(line) == "" {
				continue
			}
			count++
			var want map[string]any
			decoder := json.NewDecoder(strings.NewReader(line))
			decoder.UseNumber()
			if err := decoder.Decode(&want); err != nil {
				t.Fatalf("took what is not JSON: %v", err)
			}
			key := fmt.Sprint(want["id"])
			row := rows.Find([]byte(key))
			if row == nil {
				t.Fatalf("no row of %q", key)
			}
			var again map[string]any
			decoder = json.NewDecoder(bytes.NewReader(row.Append(nil, document.Root)))
			decoder.UseNumber()
			if err := decoder.Decode(&again); err != nil || !reflect.DeepEqual(again, want) {
				t.Fatalf("row of %q is %v, %v; want %v", key, again, err, want)
			}
		}
		if count != rows.Len() {
			t.Fatalf("%d rows of %d", rows.Len(), count)
		}
	})
}

func checkError(t *testing.T, err error) {
	t.Helper()
	if _, ok := errors.AsType[*contentError](err); err != nil && !ok {
		t.Fatalf("error of another kind: %v", err)
	}
}

func checkRow(t *testing.T, rows *Rows, key string, want map[string]string) {
	t.Helper()
	row := rows.Find([]byte(key))
	if row == nil {
		t.Fatalf("no row of %q", key)
	}
	got, ok := row.Go(document.Root).(map[string]any)
	if !ok || len(got) != len(want) {
		t.Fatalf("row of %q is %v, want %v", key, got, want)
	}
	for name, cell := range want {
		if got[name] != cell {
			t.Fatalf("row of %q is %v, want %v", key, got, want)
		}
	}
}
