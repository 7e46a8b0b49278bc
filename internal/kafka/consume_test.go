package kafka_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"streamer/internal/kafka"
	"streamer/internal/record"
)

// pollError polls until an error of a partition comes out.
func pollError(t *testing.T, client *kgo.Client) *kafka.PollError {
	t.Helper()
	ctx := testContext(t)
	for ctx.Err() == nil {
		var found *kafka.PollError
		client.PollFetches(ctx).EachError(func(topic string, partition int32, err error) {
			if found == nil {
				found = kafka.ClassifyPoll(topic, partition, err)
			}
		})
		if found != nil && found.Class != kafka.PollClosed {
			return found
		}
	}
	t.Fatal("no error came out of a poll")
	return nil
}

// direct consumes topic events from an offset without a group.
func direct(t *testing.T, config kafka.Config, budget, offset int64) (*kgo.Client, *kafka.FetchSizer) {
	t.Helper()
	options, sizer := kafka.SourceOptions(source("", "events"), budget)
	options = append(options, kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{"events": {0: kgo.NewOffset().At(offset)}}))
	return newClient(t, config, options...), sizer
}

// Records that were deleted before they were read are an error, not a jump.
func TestOutOfRangeIsNotResetInSilence(t *testing.T) {
	t.Parallel()
	_, config := newCluster(t, kfake.SeedTopics(1, "events"))
	produce(t, config, "events", 0, 10)
	deleteRecords(t, config, "events", 5)
	client, _ := direct(t, config, 64<<20, 2)
	if err := pollError(t, client); err.Class != kafka.PollOutOfRange || err.Topic != "events" || err.Partition != 0 {
		t.Errorf("%s: %v", err.Class, err)
	}
}

// A batch that unpacks to more than its share of the budget stops its partition, whatever it weighs on the wire.
func TestDecompressionBombIsRefused(t *testing.T) {
	t.Parallel()
	_, config := newCluster(t, kfake.SeedTopics(1, "events"))
	client := newClient(t, config, kgo.ProducerBatchMaxBytes(64<<20), kgo.MaxBufferedBytes(256<<20),
		kgo.ProducerBatchCompression(kgo.ZstdCompression()))
	bomb := &kgo.Record{Topic: "events", Value: bytes.Repeat([]byte{'x'}, 20<<20)}
	if err := client.ProduceSync(testContext(t), bomb).FirstErr(); err != nil {
		t.Skipf("the broker takes no such batch: %v", err)
	}
	consumer, _ := direct(t, config, 64<<20, 0) // a quarter is 16 MiB
	if err := pollError(t, consumer); err.Class != kafka.PollUndecodable {
		t.Errorf("%s: %v", err.Class, err)
	}
}

// What is looked up beside the source's client has the same bound: kgo's own decompressor would unpack up to 2 GiB.
func TestRegression10DecompressionBombIsNotUnpackedByLookUps(t *testing.T) {
	t.Parallel()
	_, config := newCluster(t, kfake.SeedTopics(1, "events"))
	client := newClient(t, config, kgo.ProducerBatchMaxBytes(64<<20), kgo.MaxBufferedBytes(256<<20),
		kgo.ProducerBatchCompression(kgo.ZstdCompression()))
	bomb := &kgo.Record{Topic: "events", Value: bytes.Repeat([]byte{'x'}, 20<<20)}
	if err := client.ProduceSync(testContext(t), bomb).FirstErr(); err != nil {
		t.Fatal(err)
	}
	at, s := kafka.TopicPartition{Topic: "events"}, source("group", "events")
	for budget, refused := range map[int64]bool{64 << 20: true, 128 << 20: false} {
		admin := kafka.NewAdmin(newClient(t, config, kafka.UnpackLimit(budget)))
		_, recordErr := admin.Record(testContext(t), s, at, 0)
		_, probeErr := admin.ProbeTail(testContext(t), s, at, 0, 1)
		for _, err := range []error{recordErr, probeErr} {
			if errors.Is(err, kgo.ErrMaxDecompress) != refused || !refused && err != nil {
				t.Errorf("budget %d: %v", budget, err)
			}
		}
	}
}

// The sizer sees what is fetched, and lets plain data come in larger fetches than the first.
func TestFetchSizerFollowsTheData(t *testing.T) {
	t.Parallel()
	_, config := newCluster(t, kfake.SeedTopics(1, "events"))
	producer := newClient(t, config, kgo.ProducerBatchCompression(kgo.NoCompression()))
	const count = 64
	for range count {
		record := &kgo.Record{Topic: "events", Value: make([]byte, 256<<10)}
		if err := producer.ProduceSync(testContext(t), record).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	client, sizer := direct(t, config, 1<<30, 0)
	first, _ := sizer.Size()
	for got, ctx := 0, testContext(t); got < count; {
		fetches := client.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			t.Fatal(err)
		}
		got += fetches.NumRecords()
	}
	grown, _ := sizer.Size()
	if grown <= first || client.OptValue(kgo.FetchMaxBytes) != grown {
		t.Errorf("first %d, then %d, the client asks for %v", first, grown, client.OptValue(kgo.FetchMaxBytes))
	}
	sizer.Forget(map[string][]int32{"events": {0}})
}

// A partition that reaches the client without an offset is an error, because any default would lose or repeat records.
func TestPartitionWithoutAnOffsetIsAnError(t *testing.T) {
	t.Parallel()
	_, config := newCluster(t, kfake.SeedTopics(1, "events"))
	client := join(t, config, source("group", "events"))
	if err := pollError(t, client); err.Class != kafka.PollUndecodable {
		t.Errorf("%s: %v", err.Class, err)
	}
}

func TestPatternLeavesKafkasOwnTopicsOut(t *testing.T) {
	t.Parallel()
	_, config := newCluster(t, kfake.SeedTopics(1, "events-a", "events-b", "other", "__consumer_offsets"))
	s := source("group")
	s.TopicPattern = "events|consumer"
	found, err := newAdmin(t, config).SourcePartitions(testContext(t), s)
	if err != nil || len(found) != 2 || len(found["events-a"]) != 1 || len(found["events-b"]) != 1 {
		t.Errorf("found = %v, %v", found, err)
	}
	for _, protocol := range []string{kafka.ProtocolClassic, kafka.ProtocolConsumer} {
		s.Group, s.GroupProtocol = "group-"+protocol, protocol
		assigned := make(chan map[string][]int32, 8)
		join(t, config, s, kgo.AdjustFetchOffsetsFn(func(ctx context.Context, offsets map[string]map[int32]kgo.Offset) (map[string]map[int32]kgo.Offset, error) {
			got := map[string][]int32{}
			for topic := range offsets {
				got[topic] = nil
			}
			assigned <- got
			return fromZero(ctx, offsets)
		}))
		if got := <-assigned; len(got) != 2 {
			t.Errorf("%s: assigned %v", protocol, got)
		}
	}
}

func TestAssertProtocol(t *testing.T) {
	t.Parallel()
	_, config := newCluster(t, kfake.SeedTopics(1, "events"))
	admin := newAdmin(t, config)
	for _, protocol := range []string{kafka.ProtocolClassic, kafka.ProtocolConsumer} {
		s := source("group-"+protocol, "events")
		s.GroupProtocol = protocol
		client := join(t, config, s, kgo.AdjustFetchOffsetsFn(fromZero))
		if err := admin.AssertProtocol(testContext(t), client, s); err != nil {
			t.Errorf("%s: %v", protocol, err)
		}
	}
	// As if kgo had fallen back: the member is classic, the configuration says consumer.
	s := source("group-fallback", "events")
	client := join(t, config, s, kgo.AdjustFetchOffsetsFn(fromZero))
	s.GroupProtocol = kafka.ProtocolConsumer
	if err := admin.AssertProtocol(testContext(t), client, s); err == nil {
		t.Error("a classic member passes for a consumer one")
	}
}

func TestMissingTopic(t *testing.T) {
	t.Parallel()
	_, config := newCluster(t, kfake.SeedTopics(1, "events"))
	_, err := newAdmin(t, config).SourcePartitions(testContext(t), source("group", "events", "evnets"))
	missing, ok := errors.AsType[*kafka.MissingTopicError](err)
	if !ok || len(missing.Topics) != 1 || missing.Topics[0] != "evnets" {
		t.Errorf("err = %v", err)
	}
}

func deleteRecords(t *testing.T, config kafka.Config, topic string, before int64) {
	t.Helper()
	offsets := kadm.Offsets{}
	offsets.AddOffset(topic, 0, before, -1)
	if _, err := kadm.NewClient(newClient(t, config)).DeleteRecords(testContext(t), offsets); err != nil {
		t.Fatalf("delete records: %v", err)
	}
}

// What the client holds unpolled stays within an eighth of the budget, plus one batch, which a broker always sends whole.
func TestFetchesStaySmallForDataThatUnpacksBadly(t *testing.T) {
	t.Parallel()
	noise := make([]byte, 10_000)
	_, _ = rand.Read(noise)
	for name, test := range map[string]struct {
		value    []byte
		perBatch int
	}{
		"tiny records":  {make([]byte, 10), 5000},
		"100:1 batches": {noise, 100},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const budget, batches = 64 << 20, 40
			_, config := newCluster(t, kfake.SeedTopics(1, "events"))
			producer := newClient(t, config, kgo.ProducerBatchCompression(kgo.ZstdCompression()))
			for range batches {
				produceBatch(t, producer, test.value, test.perBatch)
			}
			client, _ := direct(t, config, budget, 0)
			worst, got := int64(0), 0
			for ctx := testContext(t); got < batches*test.perBatch; {
				fetches := client.PollFetches(ctx)
				if err := fetches.Err(); err != nil {
					t.Fatal(err)
				}
				held := int64(0)
				fetches.EachRecord(func(r *kgo.Record) { held += record.Size(r) })
				worst, got = max(worst, held), got+fetches.NumRecords()
			}
			if limit := int64(budget/8 + 2<<20); worst > limit {
				t.Errorf("one fetch unpacked to %d bytes, limit %d", worst, limit)
			}
		})
	}
}

func produceBatch(t *testing.T, producer *kgo.Client, value []byte, count int) {
	t.Helper()
	records := make([]*kgo.Record, count)
	for i := range records {
		records[i] = &kgo.Record{Topic: "events", Value: value}
	}
	if err := producer.ProduceSync(testContext(t), records...).FirstErr(); err != nil {
		t.Fatal(err)
	}
}
