package partitionstream

import (
	"context"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"streamer/internal/record"
)

// tenure is an assignment and the group's member id that it was made to. A classic member that was kicked joins again
// under a new id, and kgo keeps what the old one had: without a callback if it gets the same partitions again, and with
// an ordinary revoke if it does not. Meanwhile somebody else may have owned, processed and committed them. So what was
// acknowledged under the old id must never be committed under the new one: the broker would accept it, and the group's
// offset would go back.
type tenure struct {
	owner  record.Owner
	member string
}

// member returns the group's member id; it waits until the loop has its client.
func (a *Assignment) member(ctx context.Context) (string, error) {
	select {
	case <-a.began:
	case <-ctx.Done():
		return "", ctx.Err()
	}
	id, _ := a.client.GroupMetadata()
	return id, nil
}

// heldByOthersThan returns the streams that were assigned to another member id.
func (a *Assignment) heldByOthersThan(member string) []*stream {
	var held []*stream
	for _, s := range a.streams {
		if s.member != member {
			held = append(held, s)
		}
	}
	return held
}

// restartKept gives partitions that survived a loss of membership a new beginning where the group's commit is now. It
// runs in kgo's goroutine, at the start of every session of the group.
func (a *Assignment) restartKept(ctx context.Context) {
	member, err := a.member(ctx)
	if err != nil {
		return
	}
	kept := make(map[string][]int32)
	err = a.call(func(done func()) {
		held := a.heldByOthersThan(member)
		for _, s := range held {
			kept[s.owner.Topic] = append(kept[s.owner.Topic], s.owner.Partition)
		}
		if len(held) > 0 {
			a.deps.Metrics.rebalances.WithLabelValues("lost").Inc()
			a.log.Warn("membership was lost and won again: partitions begin anew at the group's commits",
				"partitions", ownerNames(held))
		}
		a.fence(held)
		done()
	})
	if err != nil || len(kept) == 0 {
		return
	}
	if places, err := a.committedPlaces(ctx, kept); err == nil {
		err = a.call(func(done func()) {
			a.begin(places, member)
			for p, at := range places {
				a.seek(p, at.offset) // the client still stands where the old membership had read to
			}
			done()
		})
		if err != nil {
			a.log.Debug("partitions kept after the end", "error", err)
		}
	}
}

// committedPlaces asks where the group stands, until it is told or ctx ends.
func (a *Assignment) committedPlaces(ctx context.Context, of map[string][]int32) (map[partition]place, error) {
	for {
		places, err := a.askPlaces(ctx, of)
		if err == nil || ctx.Err() != nil {
			return places, err
		}
		a.log.Warn("looking up the group's commits failed; trying again", "error", err)
		select {
		case <-time.After(retryBackoff):
		case <-a.ended:
			return nil, errEnded
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func (a *Assignment) askPlaces(ctx context.Context, of map[string][]int32) (map[partition]place, error) {
	ctx, cancel := context.WithTimeout(ctx, lookupTimeout)
	defer cancel()
	committed, err := a.deps.Source.Committed(ctx, of)
	if err != nil {
		return nil, err
	}
	offsets := make(map[string]map[int32]kgo.Offset, len(of))
	for topic, partitions := range of {
		offsets[topic] = make(map[int32]kgo.Offset, len(partitions))
		for _, id := range partitions {
			offset := kgo.NewOffset().AtCommitted() // negative: the start rule applies
			if at, ok := committed[topic][id]; ok {
				offset = kgo.NewOffset().At(at)
			}
			offsets[topic][id] = offset
		}
	}
	return a.placesOf(ctx, offsets)
}

// mostQuickSessions is how many sessions in a row may each begin less than retryBackoff after the one before. A rebalance
// makes two or three.
const mostQuickSessions = 4

// paceSessions delays a session that follows too many others at once. With KIP-848 kgo begins a new one without a pause
// when the commits of new partitions cannot be fetched, which spins while no broker takes connections. It runs in kgo's
// goroutine.
func (a *Assignment) paceSessions() {
	if time.Since(a.sessions.began) < retryBackoff {
		a.sessions.quick++
	} else {
		a.sessions.quick = 0
	}
	if a.sessions.quick > mostQuickSessions {
		select {
		case <-time.After(retryBackoff):
		case <-a.ended:
		}
	}
	a.sessions.began = time.Now()
}
