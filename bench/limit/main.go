// Command limit does by hand what a pipeline of Streamer does, as fast as we know how: a raw poll loop, one more goroutine
// for the work, no framework. It is what Streamer is measured against, so it leaves out what only a service needs: it
// commits what it has polled and not what has arrived, bounds no memory, and gives up at the first error.
//
// It reads a topic to the ends that it has at the start, and then prints one line of JSON about itself.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"streamer/bench/process"
)

func main() {
	if err := run(context.Background(), os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "limit:", err)
		os.Exit(1)
	}
}

// options are the command's flags.
type options struct {
	brokers, topic, group string
	mode                  string
	to                    string // the topic for the output
	after                 int64  // filter-map keeps events with a later time
	ads                   string // the CSV file of join-count
}

func parse(args []string) (options, error) {
	var o options
	flags := flag.NewFlagSet("limit", flag.ContinueOnError)
	flags.StringVar(&o.brokers, "brokers", "localhost:9092", "where the cluster is, separated by commas")
	flags.StringVar(&o.topic, "topic", "", "the topic to read")
	flags.StringVar(&o.group, "group", "", "the consumer group")
	flags.StringVar(&o.mode, "mode", "count", "count, filter-map or join-count")
	flags.StringVar(&o.to, "to", "", "the topic to write, with as many partitions as the topic to read")
	flags.Int64Var(&o.after, "after", 0, "filter-map keeps views with a later event_time")
	flags.StringVar(&o.ads, "ads", "", "CSV file with ad_id and campaign_id, for join-count")
	if err := flags.Parse(args); err != nil {
		return o, fmt.Errorf("read flags: %w", err)
	}
	if o.topic == "" || o.group == "" {
		return o, errors.New("-topic and -group are required")
	}
	return o, nil
}

// report is what is printed at the end.
type report struct {
	Records    int64   `json:"records"`
	Seconds    float64 `json:"seconds"`
	CPUSeconds float64 `json:"cpu_seconds"`
	MaxRSS     int64   `json:"max_rss_bytes"`
}

// gcPercent lets the heap grow to five times what lives. What lives is a few fetches, so that is still little.
const gcPercent = 400

func run(ctx context.Context, args []string, stdout io.Writer) error {
	began := time.Now()
	o, err := parse(args)
	if err != nil {
		return err
	}
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	client, err := newClient(o)
	if err != nil {
		return err
	}
	defer client.Close()
	job, err := newJob(o, client)
	if err != nil {
		return err
	}
	ends, err := endsOf(ctx, client, o.topic)
	if err != nil {
		return err
	}
	records, err := consume(ctx, client, ends, job)
	if err != nil {
		return err
	}
	if err := client.CommitUncommittedOffsets(ctx); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	line, err := json.Marshal(report{
		Records: records, Seconds: time.Since(began).Seconds(),
		CPUSeconds: process.CPUOfSelf().Seconds(), MaxRSS: process.PeakOfSelf(),
	})
	if err != nil {
		return fmt.Errorf("print report: %w", err)
	}
	if _, err = fmt.Fprintf(stdout, "%s\n", line); err != nil {
		return fmt.Errorf("print report: %w", err)
	}
	return nil
}

func newClient(o options) (*kgo.Client, error) {
	const (
		maxBuffered = 200_000 // records; at the default of 10,000 the work would wait for the linger
		// At the default of a mebibyte a fetch leaves the cache before it is worked on, and fresh memory costs more than
		// what is done with it: measured, a third more records per CPU-second, at a fourth of the memory.
		maxPartition = 128 << 10
	)
	client, err := kgo.NewClient(
		kgo.SeedBrokers(strings.Split(o.brokers, ",")...),
		kgo.ConsumerGroup(o.group),
		kgo.ConsumeTopics(o.topic),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.AutoCommitInterval(time.Second),
		kgo.FetchMaxWait(250*time.Millisecond),
		kgo.FetchMaxPartitionBytes(maxPartition),
		kgo.DisableClientMetrics(),
		kgo.ProducerBatchCompression(kgo.Lz4Compression()),
		kgo.ProducerLinger(20*time.Millisecond),
		kgo.MaxBufferedRecords(maxBuffered),
		kgo.RecordPartitioner(kgo.ManualPartitioner()),
	)
	if err != nil {
		return nil, fmt.Errorf("make client: %w", err)
	}
	return client, nil
}

// newJob makes what the mode does with the records.
func newJob(o options, client *kgo.Client) (job, error) {
	out := &producer{client: client, topic: o.to}
	switch o.mode {
	case "count":
		return &count{}, nil
	case "filter-map":
		return &filterMap{after: o.after, out: out}, nil
	case "join-count":
		campaigns, err := readCampaigns(o.ads)
		if err != nil {
			return nil, err
		}
		return &joinCount{campaigns: campaigns, out: out}, nil
	}
	return nil, fmt.Errorf("-mode: %q is not known; write count, filter-map or join-count", o.mode)
}

// endsOf returns one past the last offset of every partition that has records.
func endsOf(ctx context.Context, client *kgo.Client, topic string) (map[int32]int64, error) {
	admin := kadm.NewClient(client)
	starts, err := admin.ListStartOffsets(ctx, topic)
	if err != nil {
		return nil, fmt.Errorf("list starts: %w", err)
	}
	listed, err := admin.ListEndOffsets(ctx, topic)
	if err != nil {
		return nil, fmt.Errorf("list ends: %w", err)
	}
	if err := listed.Error(); err != nil {
		return nil, fmt.Errorf("list ends of %s: %w", topic, err)
	}
	ends := map[int32]int64{}
	listed.Each(func(end kadm.ListedOffset) {
		if start, ok := starts.Lookup(topic, end.Partition); ok && start.Offset < end.Offset {
			ends[end.Partition] = end.Offset
		}
	})
	return ends, nil
}
