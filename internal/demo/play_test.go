package demo

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/goleak"

	"streamer/internal/admin"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// copier is a service in a few lines: it keeps views and picks three fields. mutate may turn what it writes for one input
// record into something else.
type copier struct {
	client    *kgo.Client
	mutate    func(out []*kgo.Record) []*kgo.Record
	committed [partitions]atomic.Int64
}

func startCopier(mutate func([]*kgo.Record) []*kgo.Record) starter {
	return func(broker *Broker, _ string, _ *slog.Logger) (service, error) {
		from := make(map[int32]kgo.Offset)
		for p := range int32(partitions) {
			from[p] = kgo.NewOffset().At(0)
		}
		client, err := broker.Client("copier", append(producerOptions(),
			kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{inputTopic: from}))...)
		return &copier{client: client, mutate: mutate}, err
	}
}

func (c *copier) Run(ctx context.Context) error {
	defer c.client.Close()
	for {
		fetches := c.client.PollFetches(ctx)
		if ctx.Err() != nil {
			return nil
		}
		var out []*kgo.Record
		for _, record := range fetches.Records() {
			out = append(out, c.mutate(project(record))...)
		}
		if err := c.client.ProduceSync(context.WithoutCancel(ctx), out...).FirstErr(); err != nil {
			return err
		}
		for _, record := range fetches.Records() {
			c.committed[record.Partition].Store(record.Offset + 1)
		}
	}
}

// project is the pipeline, written a second time.
func project(record *kgo.Record) []*kgo.Record {
	var event struct {
		Type     string `json:"event_type"`
		Ad       string `json:"ad_id"`
		Time     string `json:"event_time"`
		Campaign string `json:"campaign_id"`
	}
	if err := json.Unmarshal(record.Value, &event); err != nil {
		panic(err)
	}
	if event.Type != "view" {
		return nil
	}
	value := `{"ad_id":"` + event.Ad + `","event_time":"` + event.Time + `","campaign_id":"` + event.Campaign + `"}`
	return []*kgo.Record{{
		Topic: outputTopic, Partition: record.Partition, Timestamp: record.Timestamp,
		Key: record.Key, Headers: record.Headers, Value: []byte(value),
	}}
}

func (c *copier) Status() admin.Status {
	var status admin.Status
	for p := range c.committed {
		status.Partitions = append(status.Partitions, admin.Partition{
			Topic: inputTopic, Partition: int32(p), Committed: c.committed[p].Load(),
		})
	}
	return status
}

// once applies change to the output of the tenth view and leaves the others alone.
func once(change func(record *kgo.Record) []*kgo.Record) func([]*kgo.Record) []*kgo.Record {
	views := 0
	return func(out []*kgo.Record) []*kgo.Record {
		if len(out) == 0 {
			return out
		}
		views++
		if views != 10 {
			return out
		}
		return change(out[0])
	}
}

func unchanged(out []*kgo.Record) []*kgo.Record { return out }

func playBriefly(t *testing.T, start starter) (string, error) {
	t.Helper()
	var out bytes.Buffer
	options := Options{For: 300 * time.Millisecond, Rate: 3000, Seed: testSeed, Stdout: &out, Stderr: io.Discard}
	err := run(t.Context(), options, start)
	return out.String(), err
}

func TestHonestServicePasses(t *testing.T) {
	t.Parallel()
	out, err := playBriefly(t, startCopier(unchanged))
	if err != nil || !strings.Contains(out, "Yes: each of ") {
		t.Errorf("error %v\n%s", err, out)
	}
}

// The check is worth what it catches: each of these services cheats once.
func TestFaultyServicesAreCaught(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		change func(*kgo.Record) []*kgo.Record
		want   string
	}{
		"loses one": {
			func(*kgo.Record) []*kgo.Record { return nil },
			"check output: 1 missing, 0 duplicate, 0 out of order, 0 unexpected, 0 altered",
		},
		"writes one twice": {
			func(r *kgo.Record) []*kgo.Record { again := *r; return []*kgo.Record{r, &again} },
			"check output: 0 missing, 1 duplicate, 0 out of order, 0 unexpected, 0 altered",
		},
		"changes one": {
			func(r *kgo.Record) []*kgo.Record { r.Value = []byte("{}"); return []*kgo.Record{r} },
			"check output: 0 missing, 0 duplicate, 0 out of order, 0 unexpected, 1 altered",
		},
		"loses the headers of one": {
			func(r *kgo.Record) []*kgo.Record { r.Headers = nil; return []*kgo.Record{r} },
			"check output: 1 missing, 0 duplicate, 0 out of order, 1 unexpected, 0 altered",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			out, err := playBriefly(t, startCopier(once(test.change)))
			if err == nil || err.Error() != test.want || !strings.Contains(out, "NO: "+test.want) {
				t.Errorf("error %v, want %s\n%s", err, test.want, out)
			}
		})
	}
}

// quitter is a service that ends by itself.
type quitter struct{ err error }

func (q quitter) Run(context.Context) error { return q.err }

func (quitter) Status() admin.Status { return admin.Status{} }

func TestServiceThatEndsEarlyIsAnError(t *testing.T) {
	t.Parallel()
	broken := errors.New("sink is gone")
	for _, want := range []error{broken, errEarly} {
		early := quitter{err: want}
		if errors.Is(want, errEarly) {
			early.err = nil
		}
		_, err := playBriefly(t, func(*Broker, string, *slog.Logger) (service, error) { return early, nil })
		if !errors.Is(err, want) {
			t.Errorf("error %v, want %v", err, want)
		}
	}
}

// Ending the context ends the events, never the check: what was produced must still come out.
func TestInterruptStillChecks(t *testing.T) {
	t.Parallel()
	ctx, interrupt := context.WithCancel(t.Context())
	var out bytes.Buffer
	seen := 0
	start := startCopier(func(record []*kgo.Record) []*kgo.Record {
		if seen++; seen == 100 {
			interrupt()
		}
		return record
	})
	err := run(ctx, Options{Rate: 3000, Seed: testSeed, Stdout: &out, Stderr: io.Discard}, start)
	if err != nil || !strings.Contains(out.String(), "Yes: each of ") {
		t.Errorf("error %v\n%s", err, out.String())
	}
}

func TestOptionsAreChecked(t *testing.T) {
	t.Parallel()
	if err := (Options{Rate: DefaultRate}).Validate(); err != nil {
		t.Error(err)
	}
	for want, options := range map[string]Options{
		"--rate 0 is no load; write 1 or more events per second":     {},
		"--for -1s is in the past; leave it out to run until Ctrl-C": {Rate: 1, For: -time.Second},
	} {
		if err := options.Validate(); err == nil || err.Error() != want {
			t.Errorf("error %v, want %s", err, want)
		}
	}
}

// Trim moves the log's start and leaves what is still needed; asking again or for less changes nothing.
func TestTrim(t *testing.T) {
	t.Parallel()
	broker, err := StartBroker()
	if err != nil {
		t.Fatal(err)
	}
	defer broker.Close()
	client, err := broker.Client("test", producerOptions()...)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	for range 10 {
		if err := client.ProduceSync(t.Context(), &kgo.Record{Topic: inputTopic, Partition: 3}).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	for _, offset := range []int64{7, 7, 2} {
		if err := broker.trim(inputTopic, 3, offset); err != nil {
			t.Fatal(err)
		}
		if start := broker.cluster.PartitionInfo(inputTopic, 3).LogStartOffset; start != 7 {
			t.Errorf("after trimming to %d the log starts at %d, want 7", offset, start)
		}
	}
	if end := broker.End(inputTopic, 3); end != 10 {
		t.Errorf("end %d, want 10", end)
	}
	if err := broker.trim(inputTopic, 3, 11); err == nil {
		t.Error("trimming past the end is no error")
	}
}
