package redrive

import (
	"context"
	"fmt"
	"sort"

	"github.com/twmb/franz-go/pkg/kgo"

	"streamer/internal/kafka"
	"streamer/internal/pipeline"
	"streamer/internal/record"
)

// chooser finds the letters that are meant. It belongs to one goroutine.
type chooser struct {
	selection *Selection
	filter    *pipeline.Worker // nil without an expression
	sources   map[string]int   // partitions of each topic that the pipeline reads
}

func (p *Plan) chooser(ctx context.Context) *chooser {
	c := &chooser{selection: &p.selection, sources: p.sources}
	if p.filter != nil {
		c.filter = p.filter.NewWorker(ctx)
	}
	return c
}

// take chooses, and ends the block at a failure. It returns how many letters there are before that.
func (c *chooser) take(b *record.Block) (chosen []letter, seen int) {
	chosen, failure := c.choose(b)
	if failure != nil {
		return chosen, stop(b, failure)
	}
	return chosen, len(b.In)
}

// choose returns the letters of the block that are meant. A failure is the first letter of which that cannot be said, or
// that names a topic which is not the pipeline's; then only letters before it are returned.
func (c *chooser) choose(b *record.Block) (chosen []letter, failure *record.Failure) {
	for _, r := range b.In {
		from, err := kafka.ReadDeadLetter(r.Headers)
		if err != nil {
			failure = fail(r, "headers", err.Error())
			break
		}
		if c.selection.has(r, &from) {
			chosen = append(chosen, letter{r, from})
		}
	}
	if c.filter != nil {
		var stopped *record.Failure
		if chosen, stopped = c.where(b.Owner, chosen); stopped != nil {
			failure = stopped
		}
	}
	for i := range chosen {
		if topic := chosen[i].from.Topic; c.sources[topic] == 0 {
			why := fmt.Sprintf("the letter is of topic %s, which source.kafka does not read", topic)
			return chosen[:i], fail(chosen[i].Record, "source topic", why)
		}
	}
	return chosen, failure
}

func fail(r *kgo.Record, step, why string) *record.Failure {
	return &record.Failure{Offset: r.Offset, Class: record.ClassDecode, Step: step, Err: &letterError{why}}
}

// where keeps the letters for which the expression holds. It stops at one for which it has no value: to leave that out
// would leave it out for good.
func (c *chooser) where(owner record.Owner, letters []letter) (kept []letter, failure *record.Failure) {
	b := &record.Block{Owner: owner, In: make([]*kgo.Record, len(letters))}
	for i := range letters {
		b.In[i] = letters[i].Record
	}
	c.filter.Process(b)
	next := 0
	for i := range b.Len() {
		for letters[next].Offset < b.Output(i).Offset {
			next++
		}
		kept = append(kept, letters[next])
	}
	if b.Stopped != nil {
		stopped := *b.Stopped
		stopped.Step, stopped.Err = "--where", &letterError{b.Stopped.Err.Error()}
		failure = &stopped
	}
	return kept, failure
}

// stop ends the block before the failure, and returns how many letters it has then.
func stop(b *record.Block, failure *record.Failure) int {
	i := sort.Search(len(b.In), func(i int) bool { return b.In[i].Offset >= failure.Offset })
	b.Stop(i, failure)
	return i
}
