package reference

import (
	"fmt"
	"hash/maphash"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"streamer/internal/document"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// found writes the row of a key as JSON, "none" if there is none.
func found(r *Rows, key string) string {
	row := r.Find([]byte(key))
	if row == nil {
		return "none"
	}
	return string(row.Append(nil, document.Root))
}

func TestParse(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		format, text string
		want         map[string]string // key: row
	}{
		"csv": {formatCSV, "id,name\na,Ann\nb,Bob\n", map[string]string{
			"a": `{"id":"a","name":"Ann"}`, "b": `{"id":"b","name":"Bob"}`, "c": "none", "": "none", "id": "none",
		}},
		"key in another column": {formatCSV, "name,id\nAnn,a", map[string]string{"a": `{"name":"Ann","id":"a"}`, "Ann": "none"}},
		"empty cells":           {formatCSV, "id,name\na,\n,Bob\n", map[string]string{"a": `{"id":"a","name":""}`, "": `{"id":"","name":"Bob"}`}},
		"quotes":                {formatCSV, "id,name\n\"a,\"\"b\",\"x\ny\"\n", map[string]string{`a,"b`: `{"id":"a,\"b","name":"x\ny"}`}},
		"cells are strings":     {formatCSV, "id,n\n7,01\n", map[string]string{"7": `{"id":"7","n":"01"}`, "07": "none"}},
		"carriage returns":      {formatCSV, "id,n\r\na,1\r\n\r\nb,2", map[string]string{"a": `{"id":"a","n":"1"}`, "b": `{"id":"b","n":"2"}`}},
		"space is part of cell": {formatCSV, "id\nx a \n", map[string]string{"x a": "none", "x a ": `{"id":"x a "}`}},
		"byte order mark":       {formatCSV, "\ufeffid\na\n", map[string]string{"a": `{"id":"a"}`}},
		"mark and quotes":       {formatCSV, "\ufeff\"id\"\na\n", map[string]string{"a": `{"id":"a"}`}},
		"header alone":          {formatCSV, "id,name\n", map[string]string{"a": "none"}},
		"beyond ASCII":          {formatCSV, "id,é\nü,Ж\n", map[string]string{"ü": `{"id":"ü","é":"Ж"}`}},
		"json lines": {formatJSONLines, `{"id":"a","n":1.50}` + "\n" + `{"n":{"x":[]},"id":7}` + "\n", map[string]string{
			"a": `{"id":"a","n":1.50}`, "7": `{"n":{"x":[]},"id":7}`, "n": "none",
		}},
		"blank lines and ends": {formatJSONLines, "\ufeff\r\n{\"id\":\"a\"}\r\n  \n{\"id\":\"b\"}", map[string]string{"a": `{"id":"a"}`, "b": `{"id":"b"}`}},
		"escapes":              {formatJSONLines, `{"\u0069d":"\u0061\n","n":"\/"}`, map[string]string{"a\n": `{"id":"a\n","n":"/"}`}},
		"integers as digits":   {formatJSONLines, `{"id":-12345678901234567890}`, map[string]string{"-12345678901234567890": `{"id":-12345678901234567890}`}},
		"the last of a name":   {formatJSONLines, `{"id":"a","id":"b"}`, map[string]string{"a": "none", "b": `{"id":"a","id":"b"}`}},
	} {
		rows, err := parse(strings.NewReader(test.text), test.format, "id")
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for key, want := range test.want {
			if got := found(rows, key); got != want {
				t.Errorf("%s: row of %q is %s, want %s", name, key, got, want)
			}
		}
	}
}

// Every message has the line and a remedy, and none has what stands in the rows.
func TestParseErrors(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ format, text, want string }{
		{formatCSV, "", "the file is empty; write a header line with the names of the columns"},
		{formatCSV, "\n\n", "the file is empty; write a header line with the names of the columns"},
		{formatCSV, "Id,name\n", `line 1: the header has no column "id"; did you mean "Id"? Mend key`},
		{formatCSV, "secret-1,secret-2\n", `line 1: the header has no column "id"; mend key, or write a header line`},
		{formatCSV, "id,a,b,a\n", "line 1: columns 2 and 4 have the same name; name them differently"},
		{formatCSV, "id,\xff\n", "line 1: " + notUTF8},
		{formatCSV, "id,a\nx,secret\n\ny\n", "line 4: cells: 1, columns in the header: 2; write a cell for each column, and quotes around those with a comma"},
		{formatCSV, "id,a\nx,secret,1\n", "line 2: cells: 3, columns in the header: 2; write a cell for each column, and quotes around those with a comma"},
		{formatCSV, "id,a\nx,\"1\n2\"\ny,\"\n\xffsecret\"\n", "line 4: " + notUTF8},
		{formatCSV, "id,a\nx,se\"cret\n", `line 2: a quote stands in a cell that is not in quotes; write "a ""b"" c" for a "b" c`},
		{formatCSV, "id,a\nx,\"secret\ny,1\n", `line 2: a cell in quotes has no end, or text behind it; write "a ""b"" c" for a "b" c`},
		{formatCSV, "id,a\nx,\"secret\"s\n", `line 2: a cell in quotes has no end, or text behind it; write "a ""b"" c" for a "b" c`},
		{formatCSV, "id,a\nsecret,1\ny,\"\n\n\"\nz,3\nsecret,2\n", "line 7: the row has the same key as the one in line 2; keep one of the two"},
		{formatJSONLines, "", "the file is empty; write one JSON object per line"},
		{formatJSONLines, " \n\n", "the file is empty; write one JSON object per line"},
		{formatJSONLines, "{\"id\":1}\n{\"id\":2,\"a\":secret}\n", "line 2: invalid JSON at byte 12: no value starts with this character; write one JSON object per line"},
		{formatJSONLines, "{\"id\":1}\n\n{\"id\":\"sec", "line 3: invalid JSON at byte 10: string has no end; write one JSON object per line"},
		{formatJSONLines, "{\"id\":\"\xff\"}", "line 1: invalid JSON at byte 7: bytes are not valid UTF-8; write one JSON object per line"},
		{formatJSONLines, `["secret"]`, "line 1: the value is not an object; write one JSON object per line"},
		{formatJSONLines, `{"a":"secret"}`, `line 1: the object has no field "id"; add it, or mend key`},
		{formatJSONLines, `{"id":1.5}`, `line 1: the field "id" is a number with a fraction or an exponent; a key is a string or an integer`},
		{formatJSONLines, `{"id":null}`, `line 1: the field "id" is null; a key is a string or an integer`},
		{formatJSONLines, `{"id":true}`, `line 1: the field "id" is a boolean; a key is a string or an integer`},
		{formatJSONLines, `{"id":[]}`, `line 1: the field "id" is an array; a key is a string or an integer`},
		{formatJSONLines, `{"id":{}}`, `line 1: the field "id" is an object; a key is a string or an integer`},
		{formatJSONLines, "{\"id\":\"7\"}\n{\"id\":8}\n{\"id\":7}\n", "line 3: the row has the same key as the one in line 1; keep one of the two"},
	} {
		_, err := parse(strings.NewReader(test.text), test.format, "id")
		if err == nil || err.Error() != test.want {
			t.Errorf("%s %q:\ngot  %v\nwant %s", test.format, test.text, err, test.want)
		}
	}
}

func TestFindEqualsMap(t *testing.T) {
	t.Parallel()
	for _, n := range []int{1, 2, 3, 10, 255, 256, 257, 20_000} {
		var text strings.Builder
		text.WriteString("id,n\n")
		for i := range n {
			fmt.Fprintf(&text, "key-%d,%d\n", i, i)
		}
		rows, err := parse(strings.NewReader(text.String()), formatCSV, "id")
		if err != nil {
			t.Fatal(err)
		}
		if rows.Len() != n {
			t.Errorf("%d rows of %d", rows.Len(), n)
		}
		for i := range n {
			if got, want := found(rows, fmt.Sprintf("key-%d", i)), fmt.Sprintf(`{"id":"key-%d","n":"%d"}`, i, i); got != want {
				t.Fatalf("of %d: got %s, want %s", n, got, want)
			}
			if got := found(rows, fmt.Sprintf("key-%d", n+i)); got != "none" {
				t.Fatalf("of %d: got %s", n, got)
			}
		}
	}
}

// A key whose hash looks like that of a row is not the row's.
func TestFindTellsCollidingHashesApart(t *testing.T) {
	t.Parallel()
	rows, err := parse(strings.NewReader("id\na\nb\nc\nd\n"), formatCSV, "id")
	if err != nil {
		t.Fatal(err)
	}
	hash := maphash.String(rows.seed, "x")
	rows.slots = make([]uint64, 7)
	rows.slots[rows.slot(hash)] = uint64(uint32(hash))<<32 | 1
	if got := found(rows, "x"); got != "none" {
		t.Errorf("got %s", got)
	}
}

func TestFindDoesNotAllocate(t *testing.T) {
	rows, err := parse(strings.NewReader("id,n\na,1\nb,2\n"), formatCSV, "id")
	if err != nil {
		t.Fatal(err)
	}
	key, other := []byte("a"), []byte("c")
	if n := testing.AllocsPerRun(100, func() {
		row := rows.Find(key)
		row.Text(row.Field(document.Root, "n"))
		rows.Find(other)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
