package demo

import (
	"fmt"

	"streamer/internal/admin"
)

// Line is the frame in one line, for logs and pipes.
func (f Frame) Line() string {
	var lag int64
	for _, p := range f.Status.Partitions {
		lag += max(p.Lag, 0)
	}
	var last admin.Batch
	if n := len(f.Status.Batches); n > 0 {
		last = f.Status.Batches[n-1]
	}
	text := fmt.Sprintf("%s  in %s/s  out %s/s  lag %s  %d blocks/batch  delay %s  workers %.1f/%d  memory %s  checked %s",
		clock(f.Elapsed),
		count(int64(f.rate(func(t admin.Totals) int64 { return t.Received }))),
		count(int64(f.rate(func(t admin.Totals) int64 { return t.Delivered }))),
		count(lag), last.Blocks, seconds(last.TotalDelay),
		f.Busy, f.Status.Workers.Total, size(f.Status.Memory.UsedBytes), count(f.Verified))
	if f.Faults > 0 {
		text += fmt.Sprintf("  FAULTS %d", f.Faults)
	}
	return text
}
