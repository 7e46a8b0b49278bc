package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"streamer/bench/event"
	"streamer/bench/process"
)

// The bars of the latency at the default rate.
const (
	barMedian = 4 * time.Millisecond
	bar99     = 15 * time.Millisecond
)

// latency measures from produce time to read time, in an open loop: records are due at fixed times whatever becomes of the
// earlier ones, and their age is counted from when they were due. First the broker alone, read where it was written, then
// filter and map from topic to topic with both intervals 0.
func (h *harness) latency(ctx context.Context) error {
	h.printf("## latency: JSON filter and map, topic to topic, 250 B, open loop, %d records per second for %d s, %d partitions\n",
		h.rate, h.seconds, partitions)
	rows := [][]string{{"path", "records", "p50", "p99", "p99.9", "max", "CPU", "bar p50 / p99"}}
	ages, err := h.bare(ctx)
	if err != nil {
		return err
	}
	rows = append(rows, latencyRow("produce, read", ages))
	for _, b := range h.binaries {
		ages, used, err := h.through(ctx, b)
		if err != nil {
			return err
		}
		row := latencyRow("produce, "+b.name+", read", ages)
		row[6] = fmt.Sprintf("%.0f %%", 100*used.CPU.Seconds()/used.Wall.Seconds())
		met := quantile(ages, .5) <= barMedian && quantile(ages, .99) <= bar99
		row[7] = fmt.Sprintf("%v / %v: %s", barMedian, bar99, verdict(met))
		rows = append(rows, row)
	}
	h.printf("%s", table(rows))
	return nil
}

// latencyRow needs sorted ages.
func latencyRow(path string, ages []time.Duration) []string {
	row := []string{path, strconv.Itoa(len(ages))}
	for _, q := range []float64{.5, .99, .999, 1} {
		row = append(row, fmt.Sprintf("%.1f ms", quantile(ages, q).Seconds()*1000))
	}
	return append(row, "", "")
}

// bare measures without a streamer.
func (h *harness) bare(ctx context.Context) ([]time.Duration, error) {
	topic, err := h.topic(ctx, "latency-bare", partitions)
	if err != nil {
		return nil, err
	}
	ages, err := h.openLoop(ctx, topic, topic, all)
	return ages, errors.Join(err, h.remove(ctx, topic))
}

// through measures through a streamer, and what that used.
func (h *harness) through(ctx context.Context, b binary) (ages []time.Duration, used process.Usage, err error) {
	in, err := h.topic(ctx, "latency", partitions)
	if err != nil {
		return nil, used, err
	}
	out, err := h.topic(ctx, "latency-out", partitions)
	if err != nil {
		return nil, used, err
	}
	config, err := h.file(b.name+"-latency.yaml", fmt.Sprintf(`kafka: {brokers: %q}
source: {kafka: {topics: [%s], group: bench}}
block: {interval: 0}
batch: {interval: 0}
pipeline: %s
sink: {kafka: {topic: %s}}
admin: {listen: "127.0.0.1:0"}
log: {level: warn}
`, h.broker.Addrs, in, filterMapSteps, out))
	if err != nil {
		return nil, used, err
	}
	serve, stop := context.WithCancel(ctx)
	defer stop()
	cmd := h.streamerCommand(serve, b, config)
	var printed bytes.Buffer
	cmd.Stdout, cmd.Stderr = &printed, &printed
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = time.Minute // then it is killed
	var ended error
	var group sync.WaitGroup
	group.Go(func() {
		used, ended = process.Run(cmd)
		stop() // or the reader would wait for ever for a streamer that has failed
	})
	ages, err = h.openLoop(serve, in, out, views)
	stop()
	group.Wait()
	if _, failed := errors.AsType[*exec.ExitError](ended); failed {
		err = errors.Join(fmt.Errorf("%w\n%s", ended, printed.Bytes()), err)
	}
	return ages, used, errors.Join(err, h.remove(ctx, in, out))
}

// Which of the produced events reach the topic that is read.
func all([]byte) bool         { return true }
func views(value []byte) bool { return bytes.Contains(value, []byte(`"event_type":"view"`)) }

// openLoop produces events to a topic and returns, sorted, how old they were when they were read from the other one. It
// begins when the way between the two is open.
func (h *harness) openLoop(ctx context.Context, in, out string, arrives func(value []byte) bool) ([]time.Duration, error) {
	producer, err := h.client(kgo.ProducerLinger(0))
	if err != nil {
		return nil, err
	}
	defer producer.Close()
	reader, err := h.client(kgo.ConsumeTopics(out), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	if err != nil {
		return nil, err
	}
	defer reader.Close()
	source := &loop{client: producer, topic: in, events: event.NewGenerator(h.seed, event.Large), arrives: arrives}
	if err := source.open(ctx, reader); err != nil {
		return nil, err
	}
	var ages []time.Duration
	var readErr error
	read := make(chan struct{})
	began := time.Now()
	reading, giveUp := context.WithTimeout(ctx, time.Duration(h.seconds)*time.Second+time.Minute)
	defer giveUp()
	want := make(chan int, 1)
	go func() { // ends when it has read what it wants, or with its context
		defer close(read)
		ages, readErr = readAges(reading, reader, began, want)
	}()
	sent, err := source.run(reading, began, time.Duration(h.seconds)*time.Second, h.rate)
	if err != nil {
		giveUp()
	}
	want <- sent
	<-read
	slices.Sort(ages)
	return ages, errors.Join(err, readErr)
}

// loop is the producing side.
type loop struct {
	client  *kgo.Client
	topic   string
	events  *event.Generator
	arrives func([]byte) bool
	count   int64
	promise kgo.FirstErrPromise
}

// burst is how far apart records are produced together.
const burst = time.Millisecond

// open produces a record now and then until one is read.
func (l *loop) open(ctx context.Context, reader *kgo.Client) error {
	const patience = time.Minute
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		l.produce(ctx, time.Now())
		look, stop := context.WithTimeout(ctx, 20*burst)
		fetches := reader.PollFetches(look)
		stop()
		if fetches.NumRecords() > 0 {
			return nil
		}
		if ctx.Err() != nil {
			return fmt.Errorf("wait for the first output: %w", ctx.Err())
		}
	}
}

// produce sends one event whose time is when it was due, and reports whether it will arrive.
func (l *loop) produce(ctx context.Context, due time.Time) bool {
	all, value := l.events.Next(nil, due.UnixNano())
	r := &kgo.Record{Topic: l.topic, Partition: int32(l.count % partitions), Key: all[:value], Value: all[value:]}
	l.count++
	l.client.Produce(ctx, r, l.promise.Promise())
	return l.arrives(r.Value)
}

// run produces at the rate, some records in each burst, and returns how many of them will arrive.
func (l *loop) run(ctx context.Context, began time.Time, duration time.Duration, rate int) (arrive int, err error) {
	ticker := time.NewTicker(burst)
	defer ticker.Stop()
	sent := 0
	for at := time.Duration(0); at < duration; at += burst {
		for time.Since(began) < at {
			select {
			case <-ticker.C:
			case <-ctx.Done():
				return arrive, ctx.Err()
			}
		}
		for ; sent < dueBy(at, rate); sent++ {
			if l.produce(ctx, began.Add(at)) {
				arrive++
			}
		}
	}
	if err := l.client.Flush(ctx); err != nil {
		return arrive, fmt.Errorf("produce to %s: %w", l.topic, err)
	}
	if err := l.promise.Err(); err != nil {
		return arrive, fmt.Errorf("produce to %s: %w", l.topic, err)
	}
	return arrive, nil
}

// dueBy is how many records are due with the burst at that time.
func dueBy(at time.Duration, rate int) int {
	return int(int64(at+burst) * int64(rate) / int64(time.Second))
}

// readAges reads until it has as many records, of those that were due after began, as want says.
func readAges(ctx context.Context, reader *kgo.Client, began time.Time, want <-chan int) ([]time.Duration, error) {
	var ages []time.Duration
	wanted, known := 0, false
	for {
		select {
		case wanted = <-want:
			known = true
		default:
		}
		if known && len(ages) >= wanted {
			return ages, nil
		}
		look, stop := context.WithTimeout(ctx, time.Second)
		fetches := reader.PollFetches(look)
		stop()
		now := time.Now()
		if ctx.Err() != nil {
			return ages, fmt.Errorf("read %d records: %w", len(ages), ctx.Err())
		}
		fetches.EachRecord(func(r *kgo.Record) {
			if due, ok := dueTime(r.Value); ok && !due.Before(began) {
				ages = append(ages, now.Sub(due))
			}
		})
	}
}

// dueTime reads the time out of an event or of what the pipeline made of it.
func dueTime(value []byte) (time.Time, bool) {
	_, rest, found := bytes.Cut(value, []byte(`"event_time":`))
	if !found {
		return time.Time{}, false
	}
	end := 0
	for end < len(rest) && rest[end] >= '0' && rest[end] <= '9' {
		end++
	}
	nanoseconds, err := strconv.ParseInt(string(rest[:end]), 10, 64)
	return time.Unix(0, nanoseconds), err == nil
}
