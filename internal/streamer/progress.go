package streamer

import (
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"

	"streamer/internal/kafka"
)

// Progress shows a bounded run: a bar that is redrawn in place on a terminal, a report per partition at the end. The zero
// Progress, and a nil one, show nothing and leave it to the log.
type Progress struct {
	Out io.Writer // where the report goes
	// Bar is the terminal that the bar is drawn on; nil for none.
	Bar io.Writer
	Log *slog.Logger

	begun bool
	first int64 // records that were done before this process looked for the first time
	drawn bool
}

const barWidth = 30

// show draws the bar.
func (p *Progress) show(report []kafka.Progress, elapsed time.Duration) {
	if p == nil || p.Bar == nil {
		return
	}
	done, total := sum(report)
	if !p.begun {
		p.begun, p.first = true, done
	}
	p.drawn = true
	fmt.Fprintf(p.Bar, "\r\x1b[K%s", bar(done, total, done-p.first, elapsed)) //nolint:errcheck // a terminal that went away
}

// finish ends the bar and prints where every partition stands.
func (p *Progress) finish(report []kafka.Progress, elapsed time.Duration) {
	if p == nil {
		return
	}
	p.show(report, elapsed)
	if p.drawn {
		fmt.Fprintln(p.Bar) //nolint:errcheck // as above
	}
	for _, r := range report {
		if p.Log != nil {
			p.Log.Info("partition done", "topic", r.Topic, "partition", r.Partition,
				"start", r.Start, "end", r.End, "position", r.Position)
		}
	}
	if p.Out == nil {
		return
	}
	fmt.Fprint(p.Out, reportTable(report, elapsed)) //nolint:errcheck // the run is done whether or not somebody reads this
}

// bar renders progress in offsets: transactions' markers and compacted gaps count like records.
func bar(done, total, here int64, elapsed time.Duration) string {
	share := 1.0
	if total > 0 {
		share = float64(done) / float64(total)
	}
	full := int(share * barWidth)
	line := fmt.Sprintf("[%s%s] %5.1f %%  %d of %d offsets",
		strings.Repeat("=", full), strings.Repeat(" ", barWidth-full), 100*share, done, total)
	rate := float64(here) / max(elapsed.Seconds(), 0.001)
	if rate <= 0 {
		return line
	}
	left := time.Duration(float64(total-done) / rate * float64(time.Second))
	return fmt.Sprintf("%s  %.0f/s  %s left", line, rate, left.Round(time.Second))
}

func reportTable(report []kafka.Progress, elapsed time.Duration) string {
	var text strings.Builder
	done, _ := sum(report)
	fmt.Fprintf(&text, "bounded run done: %d partitions, %d offsets, %s\n",
		len(report), done, elapsed.Round(time.Millisecond))
	for _, r := range report {
		fmt.Fprintf(&text, "  %s  start %d  end %d  position %d\n", r.TopicPartition, r.Start, r.End, r.Position)
	}
	return text.String()
}

func sum(report []kafka.Progress) (done, total int64) {
	for _, r := range report {
		size := max(0, r.End-r.Start)
		total += size
		if r.Reached {
			done += size
			continue
		}
		done += min(size, max(0, r.Position-r.Start))
	}
	return done, total
}
