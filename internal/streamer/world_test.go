package streamer

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"net"
	"slices"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"streamer/internal/kafka"
	"streamer/internal/record"
)

const (
	topic = "events"
	group = "g"
	// session is how long a member may be silent.
	session = 10 * time.Second
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
	writer  *kgo.Client // of transactions; nil before the first
	ledger  *ledger
	log     *slog.Logger // of one schedule that is played alone

	// What the members are told.
	protocol   string
	onError    string // the policy for records that fail or that the sink refuses
	outOfRange string
	static     bool // members have instance ids
	faulty     bool // some records are
	// holds, if it is set, keeps a worker at a block for as long as it says so.
	holds func(b *record.Block) bool

	members  []*member
	changed  time.Time            // when something last happened
	joined   int                  // ever
	high     []int64              // by partition, the highest commit seen
	faults   []refusal            // of commits, ever
	refusals []refusal            // of those the ones that a member must stop after
	refused  []error              // the codes that may have stopped a member
	silent   map[string]time.Time // classic members of the group that nobody is, and since when
	settled  time.Time            // when the group was last seen in another state than a rebalance
}

// refusal is a code that so many commits are answered with.
type refusal struct {
	code  *kerr.Error
	fault *kfake.FaultHandle
	count int
}

func newWorld(t *testing.T, seed uint64, partitions int) *world {
	t.Helper()
	network := &kfake.VirtualNetwork{}
	cluster, err := kfake.NewCluster(
		kfake.NumBrokers(1), kfake.Ports(9092), kfake.ListenFn(network.Listen),
		kfake.SeedTopics(int32(partitions), topic),
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
		config: kafka.DefaultConfig(), ledger: &ledger{}, silent: make(map[string]time.Time), settled: time.Now(), log: slog.New(slog.DiscardHandler), high: make([]int64, partitions),
		protocol: kafka.ProtocolConsumer, onError: "fail", outOfRange: kafka.OutOfRangeFail,
	}
	if *seeds == 1 {
		w.log = slog.New(slog.NewTextHandler(t.Output(), nil))
	}
	w.ledger.grow(partitions)
	w.config.Brokers = cluster.ListenAddrs()
	w.reconnect()
	t.Cleanup(w.disconnect)
	t.Cleanup(func() { // of a test that has failed: goroutines that stay behind would hide why
		for _, m := range w.members {
			m.kill()
		}
	})
	cluster.ControlKey(int16(kmsg.OffsetCommit), w.audit)
	return w
}

func (w *world) newClient(
	role string, dial func(context.Context, string, string) (net.Conn, error), opts ...kgo.Opt,
) *kgo.Client {
	w.t.Helper()
	client, err := kafka.NewClient(w.config, kafka.Use{Role: role, Path: "kafka", Logger: w.log}, append(opts, kgo.Dialer(dial))...)
	if err != nil {
		w.t.Fatalf("build client: %v", err)
	}
	return client
}

// reconnect makes the world's own clients anew.
func (w *world) reconnect() {
	w.t.Helper()
	w.disconnect()
	w.client = w.newClient("test", w.network.DialContext, kgo.RecordPartitioner(kgo.ManualPartitioner()))
	w.admin = kadm.NewClient(w.client)
}

func (w *world) disconnect() {
	for _, client := range []*kgo.Client{w.client, w.writer} {
		if client != nil {
			client.Close()
		}
	}
	w.client, w.writer = nil, nil
}

func (w *world) partitions() int32 { return int32(len(w.high)) }

// anyPartition draws one.
func (w *world) anyPartition() int32 { return w.rand.Int32N(w.partitions()) }

// owe draws what is wrong with a record and says what must become of it.
func (w *world) owe() entry {
	e := entry{debt: owesOutput}
	if !w.faulty {
		return e
	}
	if e.fault = []fault{sound, poison, refused}[max(0, w.rand.IntN(80)-77)]; e.fault == sound {
		return e
	}
	e.faulty = true
	switch w.onError {
	case "skip":
		e.debt = owesNothing
	case "dead_letter":
		e.debt = owesLetter
	}
	return e
}

// produce appends count records, whose values are their offsets.
func (w *world) produce(p int32, count int) {
	w.t.Helper()
	entries := make([]entry, count)
	for i := range entries {
		entries[i] = w.owe()
	}
	w.append(w.client, p, entries)
}

// append writes a record for each entry.
func (w *world) append(client *kgo.Client, p int32, entries []entry) {
	w.t.Helper()
	first := w.ledger.end(p)
	w.ledger.note(p, entries...)
	records := make([]*kgo.Record, len(entries))
	for i := range records {
		value := strconv.FormatInt(first+int64(i), 10)
		records[i] = &kgo.Record{Topic: topic, Partition: p, Value: []byte(value)}
	}
	results := client.ProduceSync(w.t.Context(), records...)
	if err := results.FirstErr(); err != nil {
		w.t.Fatalf("produce: %v", err)
	}
	for i, r := range records {
		if r.Offset != first+int64(i) {
			w.t.Fatalf("partition %d: produced at %d, want %d", p, r.Offset, first+int64(i))
		}
	}
}

// transact appends count records in a transaction, which is aborted or committed, and its marker.
func (w *world) transact(p int32, count int, how kgo.TransactionEndTry) {
	w.t.Helper()
	if w.writer == nil {
		w.writer = w.newClient("writer", w.network.DialContext, kgo.RecordPartitioner(kgo.ManualPartitioner()),
			kgo.TransactionalID("writer"))
	}
	entries := make([]entry, count)
	if how == kgo.TryCommit {
		for i := range entries {
			entries[i] = w.owe()
		}
	}
	if err := w.writer.BeginTransaction(); err != nil {
		w.t.Fatal(err)
	}
	w.append(w.writer, p, entries)
	w.ledger.note(p, entry{}) // the marker
	if err := w.writer.EndTransaction(w.t.Context(), how); err != nil {
		w.t.Fatal(err)
	}
}

// look is how much virtual time lies between two checks at most.
const look = 250 * time.Millisecond

// pass lets virtual time go by, checking all the while.
func (w *world) pass(d time.Duration) {
	w.t.Helper()
	for ; d > 0; d -= look {
		time.Sleep(min(d, look)) // virtual
		w.settle()
	}
}

// settle waits until nothing moves without time, checks, and takes members out that had to stop.
func (w *world) settle() {
	w.t.Helper()
	synctest.Wait()
	w.check()
	for _, m := range w.members {
		m.observe()
	}
	w.reap()
}

// until waits until cond holds, checking all the while.
func (w *world) until(what string, cond func() bool) {
	w.t.Helper()
	for range 2400 { // ten minutes
		synctest.Wait()
		if w.check(); cond() {
			return
		}
		time.Sleep(look) // virtual
	}
	w.t.Fatalf("never happened: %s: committed %v of %v, owed from %v; the group: %+v", what, w.high, w.ends(), w.owed(),
		w.cluster.GroupInfo(group))
}

func (w *world) ends() []int64 {
	ends := make([]int64, len(w.high))
	for p := range w.partitions() {
		ends[p] = w.ledger.end(p)
	}
	return ends
}

func (w *world) owed() []int64 {
	owed := make([]int64, len(w.high))
	for p := range w.partitions() {
		owed[p] = w.ledger.reached(p)
	}
	return owed
}

func (w *world) allCommitted() bool { return slices.Equal(w.high, w.ends()) }
