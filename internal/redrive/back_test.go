package redrive

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"streamer/internal/kafka"
	"streamer/internal/record"
)

func offsets(b *record.Block) string {
	all := make([]string, len(b.Out))
	for i := range b.Out {
		all[i] = fmt.Sprint(b.Out[i].Offset)
	}
	return strings.Join(all, " ")
}

func show(headers []kgo.RecordHeader) string {
	all := make([]string, len(headers))
	for i, h := range headers {
		all[i] = h.Key + "=" + string(h.Value)
	}
	return strings.Join(all, " ")
}

// Only the last nine headers go, and an earlier origin; own ones of the same names stay, and nil stays nil.
func TestBackStripsWhatStreamerAdded(t *testing.T) {
	t.Parallel()
	own := []kgo.RecordHeader{
		{Key: kafka.HeaderErrorClass, Value: []byte("mine")}, {Key: kafka.HeaderRedriven, Value: []byte("dead/0/1")}, {Key: "nil"},
	}
	l := written(4, "orders", "decode", "x", own...)
	before := show(l.Headers)
	b := blockOf(l)
	charge := b.Bytes()
	planOf(t, Options{}).Wrap(t.Context(), nil).Process(b)
	out := b.Out[0]
	if got := show(out.Headers); got != "streamer-error-class=mine nil= streamer-redriven-from=dead/2/4" || out.Headers[1].Value != nil {
		t.Errorf("headers %s", got)
	}
	if string(out.Key) != "k4" || string(out.Value) != "x" || !out.Timestamp.IsZero() {
		t.Errorf("output %q %q %v", out.Key, out.Value, out.Timestamp)
	}
	if *out.To != (record.Destination{Topic: "orders", Partition: 1}) || b.Bytes() != charge || b.In != nil {
		t.Errorf("goes to %+v, charged %d of %d", *out.To, b.Bytes(), charge)
	}
	if show(l.Headers) != before {
		t.Error("the letter was changed; the block may be processed again after a rebalance")
	}
}

// The topic clicks was made anew with one partition.
func TestBackPlacesWhatHasNoPartition(t *testing.T) {
	t.Parallel()
	keyless := written(1, "clicks", "decode", "x")
	keyless.Key = nil
	b := blockOf(written(0, "clicks", "decode", "x"), keyless, written(2, "clicks", "decode", "x"))
	planOf(t, Options{}).Wrap(t.Context(), nil).Process(b)
	byKey := record.Destination{Topic: "clicks", Partition: -1, ByKey: true}
	if *b.Out[0].To != byKey || *b.Out[1].To != (record.Destination{Topic: "clicks"}) {
		t.Errorf("placed at %+v and %+v", *b.Out[0].To, *b.Out[1].To)
	}
	if b.Out[0].To != b.Out[2].To {
		t.Error("one place has two destinations")
	}
}

// What cannot be sent as it says stops the block before it, in every mode: nothing is left out in silence.
func TestStopsBeforeWhatIsNoLetterOfThePipeline(t *testing.T) {
	t.Parallel()
	plain := written(1, "orders", "decode", "{}")
	plain.Headers = plain.Headers[1:]
	for _, test := range []struct {
		name   string
		second *kgo.Record
		where  string
		want   string
	}{
		{"foreign", written(1, "elsewhere", "decode", "{}"), "", "the letter is of topic elsewhere, which source.kafka does not read"},
		{"no letter", plain, "", "it has 8 headers, a dead letter of Streamer has 9 or more"},
		{"no value", written(1, "orders", "decode", "{"), "n == nil", "invalid JSON at byte 1: "},
	} {
		for _, o := range []Options{{}, {Through: true}, {DryRun: true}} {
			o.Selection.Where, o.Selection.Decode = test.where, "json"
			b := blockOf(written(0, "orders", "decode", "{}"), test.second, written(2, "orders", "decode", "{}"))
			planOf(t, o).Wrap(t.Context(), passing{}).Process(b)
			if b.Stopped == nil || b.Stopped.Offset != 1 || !strings.HasPrefix(b.Stopped.Err.Error(), test.want) {
				t.Fatalf("%s %+v: stopped %v", test.name, o, b.Stopped)
			}
			if len(b.Out)+b.Filtered != 1 || b.Span != (record.Span{First: 0, Next: 1, LeaderEpoch: 7}) {
				t.Errorf("%s %+v: %d outputs, %d filtered, span %+v", test.name, o, len(b.Out), b.Filtered, b.Span)
			}
		}
	}
}

// passing is a chain that hands everything on.
type passing struct{}

func (passing) Process(b *record.Block) {
	for _, r := range b.In {
		b.Out = append(b.Out, record.Output{Key: r.Key, Value: r.Value, Headers: r.Headers, Timestamp: r.Timestamp, Offset: r.Offset})
	}
	b.In = nil
}

func TestForeignLettersThatAreNotMeant(t *testing.T) {
	t.Parallel()
	b := blockOf(written(0, "orders", "decode", "x"), written(1, "elsewhere", "decode", "x"))
	w := planOf(t, Options{Selection: Selection{Topics: []string{"orders"}}}).Wrap(context.Background(), nil)
	if w.Process(b); offsets(b) != "0" || b.Stopped != nil || b.Filtered != 1 {
		t.Errorf("%q, %v", offsets(b), b.Stopped)
	}
}

func TestNothingChosenHoldsNothing(t *testing.T) {
	t.Parallel()
	b := blockOf(written(0, "orders", "decode", "x"))
	planOf(t, Options{Selection: Selection{Classes: []string{"encode"}}}).Wrap(t.Context(), nil).Process(b)
	if b.Bytes() != record.BlockOverhead || b.Filtered != 1 {
		t.Errorf("charged %d, %d filtered", b.Bytes(), b.Filtered)
	}
}
