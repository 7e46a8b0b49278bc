package streamer

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"streamer/internal/kafka"
)

const (
	topic      = "events"
	group      = "g"
	partitions = 4
)

// world is an embedded broker on a network in memory, in virtual time, and the ledger of what sinks were given. Its
// checks hold at every moment of a simulation.
type world struct {
	t       *testing.T
	rand    *rand.Rand
	cluster *kfake.Cluster
	network *kfake.VirtualNetwork
	config  kafka.Config
	client  *kgo.Client // produces and looks
	admin   *kadm.Client
	ledger  *ledger

	members  []*member
	joined   int // ever
	produced [partitions]int64
	high     [partitions]int64 // the highest commit seen
}

func newWorld(t *testing.T, seed uint64) *world {
	t.Helper()
	network := &kfake.VirtualNetwork{}
	cluster, err := kfake.NewCluster(
		kfake.NumBrokers(1), kfake.Ports(9092), kfake.ListenFn(network.Listen), kfake.SeedTopics(partitions, topic),
		kfake.BrokerConfigs(map[string]string{
			"group.consumer.heartbeat.interval.ms": "1000", "group.consumer.session.timeout.ms": "10000",
		}),
	)
	if err != nil {
		t.Fatalf("start broker: %v", err)
	}
	t.Cleanup(cluster.Close)
	w := &world{
		t: t, rand: rand.New(rand.NewPCG(seed, seed)), cluster: cluster, network: network,
		config: kafka.DefaultConfig(), ledger: &ledger{},
	}
	w.config.Brokers = cluster.ListenAddrs()
	w.client = w.newClient("test", network.DialContext, kgo.RecordPartitioner(kgo.ManualPartitioner()))
	t.Cleanup(w.client.Close)
	w.admin = kadm.NewClient(w.client)
	return w
}

func (w *world) newClient(
	role string, dial func(context.Context, string, string) (net.Conn, error), opts ...kgo.Opt,
) *kgo.Client {
	w.t.Helper()
	client, err := kafka.NewClient(w.config, kafka.Use{Role: role, Path: "kafka"}, append(opts, kgo.Dialer(dial))...)
	if err != nil {
		w.t.Fatalf("build client: %v", err)
	}
	return client
}

// produce appends count records whose values are their offsets.
func (w *world) produce(partition int32, count int) {
	w.t.Helper()
	records := make([]*kgo.Record, 0, count)
	for range count {
		value := strconv.FormatInt(w.produced[partition], 10)
		records = append(records, &kgo.Record{Topic: topic, Partition: partition, Value: []byte(value)})
		w.produced[partition]++
	}
	if err := w.client.ProduceSync(w.t.Context(), records...).FirstErr(); err != nil {
		w.t.Fatalf("produce: %v", err)
	}
}

// check compares the group's commits with the ledger: none is past what was delivered without a hole, and none went back.
func (w *world) check() {
	w.t.Helper()
	info := w.cluster.GroupInfo(group)
	if info == nil {
		return
	}
	for p := range int32(partitions) {
		c, ok := info.Commits[topic][p]
		if !ok {
			continue
		}
		if delivered := w.ledger.reached(p); c.Offset > delivered {
			w.t.Fatalf("partition %d: committed %d, delivered only to %d", p, c.Offset, delivered)
		}
		if c.Offset < w.high[p] {
			w.t.Fatalf("partition %d: the commit went back from %d to %d", p, w.high[p], c.Offset)
		}
		w.high[p] = c.Offset
	}
	if err := w.ledger.disorder(); err != nil {
		w.t.Fatal(err)
	}
}

// pass lets virtual time go by, checking all the while.
func (w *world) pass(d time.Duration) {
	w.t.Helper()
	for range 1 + d/(100*time.Millisecond) {
		time.Sleep(min(d, 100*time.Millisecond)) // virtual
		synctest.Wait()
		w.check()
	}
}

// until waits until cond holds, checking all the while.
func (w *world) until(what string, cond func() bool) {
	w.t.Helper()
	for range 6000 { // ten minutes
		synctest.Wait()
		if w.check(); cond() {
			return
		}
		time.Sleep(100 * time.Millisecond) // virtual
	}
	w.t.Fatalf("never happened: %s: produced %v, committed %v", what, w.produced, w.high)
}

// ledger is what the sinks of all members made durable.
type ledger struct {
	mu      sync.Mutex
	next    [partitions]int64 // one past the longest run of offsets without a hole
	problem error
	records int
}

// add notes one record. A value before next is a duplicate; one past it is out of order, or a record was left out.
func (l *ledger) add(partition int32, offset int64, value []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.records++
	if string(value) != strconv.FormatInt(offset, 10) {
		l.problem = fmt.Errorf("partition %d: value %s at offset %d", partition, value, offset)
	}
	switch {
	case offset == l.next[partition]:
		l.next[partition]++
	case offset > l.next[partition]:
		l.problem = fmt.Errorf("partition %d: offset %d delivered before %d", partition, offset, l.next[partition])
	}
}

func (l *ledger) reached(partition int32) int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.next[partition]
}

func (l *ledger) disorder() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.problem
}
