package redrive

import (
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"streamer/internal/kafka"
)

// FuzzLetters holds that no letters make a redrive panic, and that each ends as one of sent, filtered and stopped at: what
// is sent lies before what is stopped at, goes to a topic that the pipeline reads, and has its origin once. Reasons are
// short and without values.
func FuzzLetters(f *testing.F) {
	f.Add("orders", "1", "7", "5000", "decode", `{"n":1}`, "own", "x")
	f.Add("clicks", "2147483647", "0", "-1", "evaluate", "\xff", kafka.HeaderRedriven, "dead/0/1")
	f.Add("other", "x", "", "9223372036854775807", strings.Repeat("c", 500), "", "", "")
	f.Fuzz(func(t *testing.T, topic, partition, offset, millis, class, value, key, own string) {
		strange := written(1, topic, class, value, kgo.RecordHeader{Key: key, Value: []byte(own)})
		for name, text := range map[string]string{
			kafka.HeaderSourcePartition: partition, kafka.HeaderSourceOffset: offset, kafka.HeaderSourceTimestamp: millis,
		} {
			for i := range strange.Headers[1:] {
				if h := &strange.Headers[1+i]; h.Key == name {
					h.Value = []byte(text)
				}
			}
		}
		for _, o := range []Options{{}, {Selection: Selection{Where: `n > 0`, Decode: "json", Since: born.Add(time.Second)}}} {
			b := blockOf(written(0, "orders", "decode", `{"n":1}`), strange, written(2, "orders", "decode", `{"n":2}`))
			p := planOf(t, o)
			p.Wrap(t.Context(), nil).Process(b)
			done := int(b.Span.Next - b.Span.First)
			if got := len(b.Out) + b.Filtered; got != done || (b.Stopped == nil) != (done == 3) {
				t.Fatalf("%d sent, %d filtered of %d, stopped at %v", len(b.Out), b.Filtered, done, b.Stopped)
			}
			for i := range b.Out {
				out := &b.Out[i]
				if p.sources[out.To.Topic] == 0 || out.Offset >= b.Span.Next {
					t.Fatalf("sent %+v to %+v", out, out.To)
				}
				if n := strings.Count(" "+show(out.Headers), " "+kafka.HeaderRedriven+"="); n < 1 {
					t.Fatalf("no origin in %q", show(out.Headers))
				}
			}
			if b.Stopped != nil {
				if text := b.Stopped.Reason(); len(text) > 600 || len(value) > 40 && strings.Contains(text, value) {
					t.Fatalf("%.1000s", text)
				}
			}
		}
	})
}
