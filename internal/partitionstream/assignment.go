package partitionstream

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"streamer/internal/record"
)

// A poll takes at most this many records, so that messages are looked at between polls even while a backlog is read.
const maxPollRecords = 20_000

// The loop looks at timers, pauses and gauges at least this often.
const tick = time.Second

// Pool takes blocks to process. Its methods do not block.
type Pool interface {
	Put(blocks ...*record.Block)
	// Free is how many workers would start at once.
	Free() int
	// Remove gives back queued blocks that nobody has begun.
	Remove(fenced func(record.Owner) bool) []*record.Block
}

// Downstream is the union and the batcher, as far as ownership matters to them. Its methods return soon: they wait for no
// sink.
type Downstream interface {
	// Begin admits an owner whose first block starts at offset first.
	Begin(owner record.Owner, first int64)
	// Drain stops taking blocks of the owners, drops those that are in no batch yet, closes the open batch if it holds one
	// of the owners, and returns for each owner that is in a batch where its last block there ends.
	Drain(owners []record.Owner) map[record.Owner]int64
	// Fence forgets the owners and takes their blocks out of all batches that nobody has begun to write.
	Fence(owners []record.Owner)
}

// Deps is what an Assignment works with.
type Deps struct {
	Pool       Pool
	Downstream Downstream
	Source     Source
	Levels     Levels
	Logger     *slog.Logger
	Metrics    *Metrics
	// Fail is called, from the loop, with an error that the service cannot go on after. It must not block.
	Fail func(error)
	// Forget is told of partitions that have gone.
	Forget func(gone map[string][]int32)
	// Polled is told of each poll that brought records.
	Polled func()
	// ShortBatches counts batches behind which the client went on though it could not read all of their records.
	ShortBatches func() uint64
	// DrainTimeout is how long a revoked partition may hold up the rebalance.
	DrainTimeout time.Duration
	// Direct means that there is no group: nothing is committed, and progress is what the sink acknowledged.
	Direct bool
	// End bounds the run: the first offset of a partition that is not wanted. A partition that it does not know has nothing
	// to do. Nil means without end.
	End func(topic string, partition int32) (int64, bool)
}

// Assignment owns the partitions assigned to this member. Make it with [New], give its [Assignment.Options] to the
// client, then call [Assignment.Run]; the other methods may be called from any goroutine while it runs.
type Assignment struct {
	cfg    Config
	deps   Deps
	log    *slog.Logger
	client *kgo.Client

	mail   mailbox
	live   liveOwners
	budget *record.Budget
	began  chan struct{} // closed when Run has taken the client
	ended  chan struct{} // closed when Run has returned
	beat   atomic.Int64  // unix nanoseconds of the loop's last turn
	joined atomic.Bool   // an assignment, perhaps an empty one, has been taken on

	hurry atomic.Bool // see Hurry

	received, fencedRecords atomic.Int64 // records, since the start

	// sessions is only used by kgo's callbacks, of which one runs at a time.
	sessions struct {
		began time.Time
		quick int // how many in a row began soon after the one before
	}

	// Everything below is only used by the assignment loop.

	streams map[partition]*stream
	epoch   uint32
	drains  []*drain
	givenUp []Unsettled // by drains that ended without
	held    time.Time   // since when another member has our instance id; zero if none has
	// opened queues streams by when their open block was begun, which with one interval is the order they come due in.
	// An entry whose block was cut meanwhile is stale and skipped.
	opened []opening
	paused int // streams whose paused is set
	// resetting is at least the number of streams that wait for a new place; 0 saves the look at all of them.
	resetting int
	looking   bool // at a stream that stands still
	stopping  bool
	sinkGone  bool // nothing more will be acknowledged
	over      bool
	commits   committer
	nextTick  time.Time
}

// partition names one partition without its assignment.
type partition struct {
	topic string
	id    int32
}

func keyOf(o record.Owner) partition { return partition{o.Topic, o.Partition} }

// New makes an assignment without partitions.
func New(cfg Config, deps Deps) *Assignment {
	a := &Assignment{
		cfg: cfg, deps: deps, log: deps.Logger,
		began:   make(chan struct{}),
		ended:   make(chan struct{}),
		streams: make(map[partition]*stream),
	}
	a.live.owners = make(map[partition]tenure)
	a.budget = record.NewBudget(deps.Levels.Low, func() { a.mail.post(func() {}) })
	a.commits.begin()
	a.beat.Store(time.Now().UnixNano()) // or it would look stuck since 1970 until its first turn
	return a
}

// Run is the assignment loop: it polls client and serves the mailbox until ctx ends or [Assignment.Close] is called. It
// must keep running until the client has left its group, because the client's callbacks wait for it.
func (a *Assignment) Run(ctx context.Context, client *kgo.Client) error {
	defer close(a.ended)
	defer a.commits.cancel()
	a.client = client
	close(a.began)
	for ctx.Err() == nil && !a.over {
		for _, f := range a.mail.take() {
			f()
		}
		now := time.Now()
		a.beat.Store(now.UnixNano())
		a.cutDue(now)
		a.feedIdle()
		a.balanceMemory()
		a.updateHurry()
		a.commit(now)
		a.settleDrains(now)
		a.settleResets()
		if now.After(a.nextTick) {
			a.nextTick = now.Add(tick)
			a.updateGauges(now)
			a.probeTails()
			a.probeStanding(now)
		}
		a.receive(a.wait(ctx, now))
	}
	return nil
}

// Close ends Run. Call it when the client has left the group.
func (a *Assignment) Close() { a.mail.post(func() { a.over = true }) }

// wait polls until records come, the next timer is due or a message arrives.
func (a *Assignment) wait(ctx context.Context, now time.Time) kgo.Fetches {
	if a.over {
		return nil
	}
	due := a.nextTimer(now)
	ctx, cancel := context.WithDeadline(ctx, due)
	defer cancel()
	rest := a.mail.rest(cancel)
	defer a.mail.stir()
	switch {
	case a.stopping || a.deps.Direct && !a.joined.Load():
		// The client of a run without a group fetches from the start: records that came before the streams would be dropped,
		// and the streams, which cover gaps, would go on behind them.
		if rest {
			<-ctx.Done()
		}
		return nil
	case !rest || !due.After(time.Now()):
		// Take what is there. A poll whose context has ended already takes nothing, and a loop that always has a message or
		// a timer would never poll.
		ctx = nil
	}
	return a.client.PollRecords(ctx, maxPollRecords)
}

// nextTimer is when the loop has something to do without being told.
func (a *Assignment) nextTimer(now time.Time) time.Time {
	at := now.Add(tick)
	earlier := func(t time.Time) {
		if t.Before(at) {
			at = t
		}
	}
	if due, ok := a.nextCut(); ok {
		earlier(due)
	}
	for _, d := range a.drains {
		if !d.fenced && !d.deadline.IsZero() {
			earlier(d.deadline)
		}
	}
	for _, t := range []time.Time{a.commits.notBefore, a.commits.next} {
		if t.After(now) {
			earlier(t)
		}
	}
	return at
}

// Joined reports whether the member has taken on an assignment, so that nothing produced from now on is missed.
func (a *Assignment) Joined() bool { return a.joined.Load() }

// Hurry reports whether the open batch should not wait for its interval: partitions wait for memory that it holds, or a
// bounded run has received all that it wants.
func (a *Assignment) Hurry() bool { return a.hurry.Load() }

func (a *Assignment) updateHurry() { a.hurry.Store(a.paused > 0 || a.allFinished()) }

func (a *Assignment) allFinished() bool {
	if a.deps.End == nil {
		return false
	}
	for _, s := range a.streams {
		if !s.finished() {
			return false
		}
	}
	return len(a.streams) > 0
}

// LastTurn is when the loop last came round; it does so at least every second.
func (a *Assignment) LastTurn() time.Time { return time.Unix(0, a.beat.Load()) }

// Budget is the byte budget of all partitions, for reading.
func (a *Assignment) Budget() *record.Budget { return a.budget }

// errEnded is what callers get who ask an assignment whose loop has ended.
var errEnded = errors.New("the assignment loop has ended")

// call runs f in the loop and waits until f has called its argument, or the loop has ended.
func (a *Assignment) call(f func(done func())) error {
	finished := make(chan struct{})
	a.mail.post(func() { f(func() { close(finished) }) })
	select {
	case <-finished:
		return nil
	case <-a.ended:
		return errEnded
	}
}
