package partitionstream

import (
	"context"
	"fmt"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"streamer/internal/kafka"
)

const (
	topic = "events"
	group = "g"
)

// world is an embedded broker on a network in memory, so that everything runs in virtual time.
type world struct {
	t       *testing.T
	cluster *kfake.Cluster
	network *kfake.VirtualNetwork
	config  kafka.Config
	client  *kgo.Client // produces and looks
	admin   *kadm.Client
	tamper  *tamper // of connections that are made from now on; nil for none
	settle  func()  // waits until nothing moves without time
}

// inWorld runs test in a bubble of virtual time with a topic of so many partitions.
func inWorld(t *testing.T, partitions int32, test func(t *testing.T, w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		t.Helper()
		w := newWorld(t, partitions)
		w.settle = synctest.Wait
		test(t, w)
	})
}

// inRealTime is inWorld for a classic group that joins while commits are due: kgo holds those back by a lock, and virtual
// time stands still while a lock is waited for.
func inRealTime(t *testing.T, partitions int32, test func(t *testing.T, w *world)) {
	t.Helper()
	w := newWorld(t, partitions)
	w.settle = func() {}
	test(t, w)
}

func newWorld(t *testing.T, partitions int32) *world {
	t.Helper()
	network := &kfake.VirtualNetwork{}
	cluster, err := kfake.NewCluster(
		kfake.NumBrokers(1), kfake.Ports(9092), kfake.ListenFn(network.Listen), kfake.SeedTopics(partitions, topic),
		kfake.GroupMinSessionTimeout(100*time.Millisecond),
	)
	if err != nil {
		t.Fatalf("start broker: %v", err)
	}
	t.Cleanup(cluster.Close)
	w := &world{t: t, cluster: cluster, network: network, config: kafka.DefaultConfig()}
	w.config.Brokers = cluster.ListenAddrs()
	w.client = w.newClient("test", kgo.RecordPartitioner(kgo.ManualPartitioner()))
	w.admin = kadm.NewClient(w.client)
	t.Cleanup(w.client.Close)
	return w
}

func (w *world) newClient(role string, opts ...kgo.Opt) *kgo.Client {
	w.t.Helper()
	dial := w.network.DialContext
	if w.tamper != nil {
		dial = w.tamper.dial
	}
	opts = append(opts, kgo.Dialer(dial))
	client, err := kafka.NewClient(w.config, kafka.Use{Role: role, Path: "kafka"}, opts...)
	if err != nil {
		w.t.Fatalf("build client: %v", err)
	}
	return client
}

// produce writes count records with values "0", "1", … going on behind from.
func (w *world) produce(partition int32, from, count int) {
	w.t.Helper()
	records := make([]*kgo.Record, 0, count)
	for i := range count {
		records = append(records, &kgo.Record{Topic: topic, Partition: partition, Value: []byte(strconv.Itoa(from + i))})
	}
	if err := w.client.ProduceSync(w.t.Context(), records...).FirstErr(); err != nil {
		w.t.Fatalf("produce: %v", err)
	}
}

// commit is the group's commit of a partition, {-1, -1} if there is none.
func (w *world) commit(partition int32) kgo.EpochOffset {
	w.t.Helper()
	info := w.cluster.GroupInfo(group)
	if info == nil {
		return kgo.EpochOffset{Epoch: -1, Offset: -1}
	}
	c, ok := info.Commits[topic][partition]
	if !ok {
		return kgo.EpochOffset{Epoch: -1, Offset: -1}
	}
	return kgo.EpochOffset{Epoch: c.LeaderEpoch, Offset: c.Offset}
}

// commits is what [Source.Committed] answers.
func (w *world) commits(of map[string][]int32) (map[string]map[int32]int64, error) {
	all := startAt(of, 0)
	for topic, ids := range of {
		for _, id := range ids {
			if all[topic][id] = w.commit(id).Offset; all[topic][id] < 0 {
				delete(all[topic], id)
			}
		}
	}
	return all, nil
}

// until waits, in virtual time, until cond holds and nothing else moves.
func (w *world) until(what string, cond func() bool) {
	w.t.Helper()
	for range 12_000 { // two minutes
		w.settle()
		if cond() {
			return
		}
		time.Sleep(10 * time.Millisecond) // virtual, or the interval of a look
	}
	w.t.Fatalf("never happened: %s", what)
}

// pass lets virtual time go by.
func (w *world) pass(d time.Duration) {
	time.Sleep(d) // virtual
	w.settle()
}

// fakeSource answers look-ups about the log.
type fakeSource struct {
	start func(missing map[string][]int32) (map[string]map[int32]int64, error)
	reset func(position int64) (int64, error)
	probe func(position, end int64) (int64, error)
	// examine looks at what the log has at a position; nil finds nothing wrong.
	examine func(ctx context.Context, topic string, partition int32, position int64) error
	// committed answers what the group has committed.
	committed func(of map[string][]int32) (map[string]map[int32]int64, error)
	started   int
}

func (s *fakeSource) Committed(_ context.Context, of map[string][]int32) (map[string]map[int32]int64, error) {
	if s.committed == nil {
		return map[string]map[int32]int64{}, nil
	}
	return s.committed(of)
}

func (s *fakeSource) Start(_ context.Context, missing map[string][]int32) (map[string]map[int32]int64, error) {
	s.started++
	if s.start != nil {
		return s.start(missing)
	}
	return startAt(missing, 0), nil
}

func startAt(missing map[string][]int32, offset int64) map[string]map[int32]int64 {
	at := make(map[string]map[int32]int64)
	for topic, ids := range missing {
		at[topic] = make(map[int32]int64)
		for _, id := range ids {
			at[topic][id] = offset
		}
	}
	return at
}

func (s *fakeSource) Reset(_ context.Context, _ string, _ int32, position int64) (int64, error) {
	if s.reset == nil {
		return 0, fmt.Errorf("position %d is out of range", position)
	}
	return s.reset(position)
}

func (s *fakeSource) Examine(ctx context.Context, topic string, partition int32, position int64) error {
	if s.examine == nil {
		return nil
	}
	return s.examine(ctx, topic, partition, position)
}

func (s *fakeSource) ProbeTail(_ context.Context, _ string, _ int32, position, end int64) (int64, error) {
	if s.probe == nil {
		return position, nil
	}
	return s.probe(position, end)
}
