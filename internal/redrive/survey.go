package redrive

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"sync"
	"text/tabwriter"
	"time"

	"streamer/internal/record"
)

// Survey counts letters instead of sending them. Any goroutine may add.
type Survey struct {
	mu    sync.Mutex
	kinds map[kind]*count
	left  int // letters that are not meant
}

// kind is what letters are counted by.
type kind struct{ topic, class, step string }

// count is how many letters of a kind there are, and when the first and the last were written.
type count struct {
	letters     int
	first, last time.Time
}

func (s *Survey) add(chosen []letter, left int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.left += left
	for i := range chosen {
		l := &chosen[i]
		k := kind{l.from.Topic, l.from.Class, l.from.Step}
		c := s.kinds[k]
		if c == nil {
			c = &count{first: l.Timestamp, last: l.Timestamp}
			s.kinds[k] = c
		}
		c.letters++
		if l.Timestamp.Before(c.first) {
			c.first = l.Timestamp
		}
		if l.Timestamp.After(c.last) {
			c.last = l.Timestamp
		}
	}
}

// Write prints the table.
func (s *Survey) Write(w io.Writer) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	columns := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(columns, "TOPIC\tCLASS\tSTEP\tLETTERS\tFIRST\tLAST") // an error is kept until Flush
	total := 0
	for _, k := range slices.SortedFunc(maps.Keys(s.kinds), func(a, b kind) int {
		return cmp.Or(cmp.Compare(a.topic, b.topic), cmp.Compare(a.class, b.class), cmp.Compare(a.step, b.step))
	}) {
		c := s.kinds[k]
		total += c.letters
		_, _ = fmt.Fprintf(columns, "%s\t%s\t%s\t%d\t%s\t%s\n", k.topic, k.class, k.step, c.letters, stamp(c.first), stamp(c.last))
	}
	_, _ = fmt.Fprintf(columns, "\n%d selected, %d not selected; nothing was sent\n", total, s.left)
	if err := columns.Flush(); err != nil {
		return fmt.Errorf("print letters: %w", err)
	}
	return nil
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// counting counts the block's letters and sends none.
type counting struct {
	*chooser

	survey *Survey
}

// Process implements [processor.Worker].
func (w *counting) Process(b *record.Block) {
	chosen, seen := w.take(b)
	w.survey.add(chosen, seen-len(chosen))
	b.Filtered, b.In = seen, nil
	b.Charge(record.BlockOverhead - b.Bytes())
}
