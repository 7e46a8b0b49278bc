package streamer

import (
	"strings"
	"testing"
	"time"

	"streamer/internal/kafka"
)

func report(places ...int64) []kafka.Progress {
	var made []kafka.Progress
	for i := 0; i < len(places); i += 3 {
		made = append(made, kafka.Progress{
			TopicPartition: kafka.TopicPartition{Topic: "t", Partition: int32(i / 3)},
			Start:          places[i], Position: places[i+1], End: places[i+2],
			Reached: places[i] >= places[i+2] || places[i+1] >= places[i+2],
		})
	}
	return made
}

func TestBarCountsUnknownAndEmptyPartitions(t *testing.T) {
	t.Parallel()
	done, total := sum(report(0, 50, 100, 10, -1, 110, 7, -1, 7))
	if done != 50 || total != 200 {
		t.Fatalf("%d of %d, want 50 of 200", done, total)
	}
	got := bar(done, total, 25, 5*time.Second)
	want := "[=======                       ]  25.0 %  50 of 200 offsets  5/s  30s left"
	if got != want {
		t.Fatalf("bar\n%q, want\n%q", got, want)
	}
	if got := bar(0, 0, 0, time.Second); !strings.Contains(got, "100.0 %") {
		t.Fatalf("an empty run shows %q", got)
	}
}

func TestTheBarIsDrawnOnATerminalOnlyAndTheReportAlways(t *testing.T) {
	t.Parallel()
	var out, terminal strings.Builder
	p := &Progress{Out: &out, Bar: &terminal}
	p.show(report(0, 5, 10), time.Second)
	p.finish(report(0, 10, 10), time.Second)
	if strings.Count(terminal.String(), "\r") != 2 || !strings.HasSuffix(terminal.String(), "\n") {
		t.Fatalf("the bar was drawn as %q", terminal.String())
	}
	if !strings.Contains(out.String(), "t/0  start 0  end 10  position 10") {
		t.Fatalf("the report is %q", out.String())
	}
	var none *Progress
	none.show(nil, 0)
	none.finish(nil, 0)
}
