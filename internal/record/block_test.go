package record

import (
	"fmt"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"pgregory.net/rapid"
)

// A block that was passed through behaves as one whose outputs were made, whatever is refused and wherever it ends.
func TestPassedThroughIsTheSameAsMade(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		through, made := &Block{}, &Block{}
		for offset := range int64(rapid.IntRange(0, 8).Draw(t, "records")) {
			r := &kgo.Record{
				Offset: 2 * offset, Value: fmt.Appendf(nil, "value %d", offset), Timestamp: time.UnixMilli(offset),
				Headers: []kgo.RecordHeader{{Key: "h", Value: make([]byte, offset)}},
			}
			through.Through = append(through.Through, r)
			made.Out = append(made.Out, Same(r))
		}
		refused := map[int]bool{}
		for range rapid.IntRange(0, 4).Draw(t, "steps") {
			if rapid.Bool().Draw(t, "end") {
				at := rapid.Int64Range(0, 16).Draw(t, "at")
				through.End(at)
				made.End(at)
			} else if n := through.Len(); n > 0 {
				if i := rapid.IntRange(0, n-1).Draw(t, "refuse"); !refused[i] {
					refused[i] = true
					through.Refuse(i)
					made.Refuse(i)
				}
			}
			if got, want := describe(through), describe(made); got != want {
				t.Fatalf("passed through:\n%s\nmade:\n%s", got, want)
			}
		}
		left, payload := 0, int64(0)
		(&Batch{Blocks: []*Block{through}}).Outputs(func(_ Owner, o *Output) bool {
			left++
			payload += o.Payload()
			return true
		})
		if left != through.Deliverable() || payload != through.Payload() {
			t.Fatalf("%d outputs of %d bytes are yielded of %d and %d", left, payload, through.Deliverable(), through.Payload())
		}
	})
}

func describe(b *Block) string {
	text := fmt.Sprintf("%d of %d, %d bytes, %s\n", b.Deliverable(), b.Len(), b.Payload(), b.Span)
	for i := range b.Len() {
		text += fmt.Sprintf("%+v\n", b.Output(i))
	}
	return text
}
