package expression

import (
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// event is an ad event of 250 B.
const event = `{"event_id":"0f9a3c6e-7c31-4a8e-9f0a-000000000042","user_id":"user-7","page_id":"page-42","ad_id":"ad-17","ad_type":"banner",` +
	`"event_type":"view","event_time":1790000000123,"ip_address":"10.20.30.40","price":2.5,"text":"gr\u00fcezi"}`

func eventRecord(t testing.TB) *Record {
	r := record(t, event)
	r.Joined = append(r.Joined, row(t, `{"campaign":"c-1","budget":100}`))
	if err := r.Key.Parse([]byte(`{"id":7}`)); err != nil {
		t.Fatal(err)
	}
	return r
}

func eventScope() Scope { return Scope{Value: Fields, Key: Fields, Joined: []string{"ad"}} }

// The filters and maps of the documentation and of the benchmarks.
var (
	benchFilters = map[string]string{
		"equal and more": `event_type == "view" && event_time > 5`,
		"in":             `event_type in ["click", "view"]`,
		"two fields":     `event_id != user_id`,
		"metadata":       `meta.topic == "events" && meta.headers.trace == "t1" && meta.timestamp > 5`,
		"matches":        `ip_address matches "^10\\."`,
		"text":           `text == "grüezi" && ad_type startsWith "ban"`,
		"missing":        `not (nope > 1) and (nope ?? true)`,
		"joined":         `ad.budget >= price * 10 && meta.key.id == 7`,
		"function":       `lower(event_type) == "view" && len(ad_id) < 20`,
		"range":          `price in 1..9 || event_type == "view"`,
	}
	benchMaps = map[string]string{
		"copy":        `ad_id`,
		"arithmetic":  `price * 100`,
		"hours":       `event_time / 3600000`,
		"concat":      `ad_type + "-" + ad_id`,
		"upper":       `upper(ad_id)`,
		"escaped":     `upper(text) + text`,
		"conditional": `price > 2 ? "high" : "low"`,
		"default":     `nope ?? "none"`,
		"string":      `meta.topic + "/" + string(meta.partition)`,
		"rounded":     `int(round(price * 3)) % 2 == 0`,
		"int":         `int(price) + int("12")`,
		"max":         `max(price, meta.offset, 3)`,
		"replace":     `replace(ip_address, ".", "-")`,
		"slice":       `user_id[5:]`,
		"trim":        `trim(trimPrefix(user_id, "user"))`,
		"if":          `if price > 1 { indexOf(ad_id, "-") } else { nil }`,
		"joined":      `ad.campaign + "/" + string(meta.key.id)`,
		"topic":       `meta.topic`,
	}
)

func TestClosuresDoNotAllocate(t *testing.T) {
	r := eventRecord(t)
	var e Evaluator
	dst := make([]byte, 0, 1024)
	check := func(text string, run func() error) {
		t.Helper()
		if err := run(); err != nil {
			t.Errorf("%s: %v", text, err)
		}
		if n := testing.AllocsPerRun(100, func() { _ = run() }); n != 0 {
			t.Errorf("%s allocates %v objects", text, n)
		}
	}
	for _, text := range benchFilters {
		p, err := CompileFilter(text, eventScope())
		if err != nil {
			t.Fatal(err)
		}
		check(text, func() error {
			keep, err := e.Test(p, r)
			if !keep {
				t.Errorf("%s is false", text)
			}
			return err
		})
		if !p.Compiled() {
			t.Errorf("%s falls back: %s", text, p.FallbackReason())
		}
	}
	for _, text := range benchMaps {
		p, err := Compile(text, eventScope())
		if err != nil {
			t.Fatal(err)
		}
		check(text, func() error { _, err := e.Append(dst, p, r); return err })
		check(text, func() error { _, err := e.Value(p, r); return err })
		check(text, func() error { _, _, err := e.AppendText(dst, p, r); return err })
		if !p.Compiled() {
			t.Errorf("%s falls back: %s", text, p.FallbackReason())
		}
	}
}

func BenchmarkFilter(b *testing.B) {
	r := eventRecord(b)
	for name, text := range benchFilters {
		p, err := CompileFilter(text, eventScope())
		if err != nil {
			b.Fatal(err)
		}
		for way, program := range map[string]*Program{"closures": p, "machine": onMachine(p)} {
			b.Run(name+"/"+way, func(b *testing.B) {
				var e Evaluator
				b.ReportAllocs()
				for b.Loop() {
					if _, err := e.Test(program, r); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

func BenchmarkMap(b *testing.B) {
	r := eventRecord(b)
	for name, text := range benchMaps {
		p, err := Compile(text, eventScope())
		if err != nil {
			b.Fatal(err)
		}
		for way, program := range map[string]*Program{"closures": p, "machine": onMachine(p)} {
			b.Run(name+"/"+way, func(b *testing.B) {
				var e Evaluator
				var dst []byte
				b.ReportAllocs()
				for b.Loop() {
					var err error
					if dst, err = e.Append(dst[:0], program, r); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

// BenchmarkParseFilterMap is what one record of a filter and map pipeline costs without Kafka.
func BenchmarkParseFilterMap(b *testing.B) {
	filter, err := CompileFilter(`event_type == "view" && event_time > 5`, eventScope())
	if err != nil {
		b.Fatal(err)
	}
	var fields []*Program
	for _, text := range []string{`ad_id`, `event_time`} {
		p, err := Compile(text, eventScope())
		if err != nil {
			b.Fatal(err)
		}
		fields = append(fields, p)
	}
	value := []byte(event)
	r := &Record{Source: &kgo.Record{Timestamp: time.UnixMilli(1)}}
	var e Evaluator
	var dst []byte
	b.ReportAllocs()
	for b.Loop() {
		if err := r.Value.Parse(value); err != nil {
			b.Fatal(err)
		}
		if keep, err := e.Test(filter, r); !keep || err != nil {
			b.Fatal(keep, err)
		}
		dst = dst[:0]
		for _, p := range fields {
			if dst, err = e.Append(dst, p, r); err != nil {
				b.Fatal(err)
			}
		}
	}
}
