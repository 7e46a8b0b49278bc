package pipeline

import (
	"strings"
	"testing"
)

func TestExplain(t *testing.T) {
	lines, err := Explain(parse(t, `
decode: {key: json, value: json}
streams:
  text: {topics: [lines], decode: {key: json, value: string}, steps: [{map: {kind: '"line"', price: '1', n: 'len(value)'}}]}
steps:
  - filter: kind == "a" && price > 1
  - set: {user.name: upper(user.name), n: 'count(items, .x > 1)'}
  - remove: [a, b]
  - key_by: {k: meta.key.id, d: meta.offset % 2}
route: {topic: kind}
encode: json
`), Options{Topics: []string{"x"}})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"stream text:",
		"  decode: key json, value string",
		`    "n": len(value)  (reads value; `,
		"records of other topics:",
		"  decode: key json, value json",
		"  steps[0].filter",
		`    kind == "a" && price > 1  (reads kind, price; compiled)`,
		"    user.name: upper(user.name)  (reads user.name; ",
		"    n: count(items, .x > 1)  (reads items; on expr's machine: ",
		"  steps[2].remove",
		`    "k": meta.key.id  (reads meta.key.id; compiled)`,
		"  route.topic",
		"  encode: key raw, value json: written as JSON",
	} {
		if !strings.Contains("\n"+strings.Join(lines, "\n")+"\n", "\n"+want) {
			t.Errorf("no line %q in\n%s", want, strings.Join(lines, "\n"))
		}
	}
}
