package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// job is what is done with the records. Its methods are called by one goroutine.
type job interface {
	// take does a partition's records of one poll, in offset order.
	take(records []*kgo.Record) error
	// tick is called about every second.
	tick() error
	// finish is called after the last record; it returns when everything has arrived.
	finish(ctx context.Context) error
}

// consume reads up to the ends, which it changes, and returns how many records that were. One goroutine polls, this one
// works.
func consume(ctx context.Context, client *kgo.Client, ends map[int32]int64, work job) (records int64, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	const ahead = 2 // polls
	polled := make(chan kgo.Fetches, ahead)
	var failed error // read after polled is closed
	var group sync.WaitGroup
	defer group.Wait()
	defer cancel()
	group.Go(func() {
		defer close(polled)
		failed = poll(ctx, client, ends, polled)
	})
	ticks := time.Now()
	for fetches := range polled {
		for i := range fetches {
			for j := range fetches[i].Topics {
				partitions := fetches[i].Topics[j].Partitions
				for k := range partitions {
					records += int64(len(partitions[k].Records))
					if err := work.take(partitions[k].Records); err != nil {
						return records, err
					}
				}
			}
		}
		if time.Since(ticks) >= time.Second {
			ticks = ticks.Add(time.Second)
			if err := work.tick(); err != nil {
				return records, err
			}
		}
	}
	if failed != nil {
		return records, failed
	}
	return records, work.finish(ctx)
}

// poll sends what it polls until every partition is at its end.
func poll(ctx context.Context, client *kgo.Client, ends map[int32]int64, polled chan<- kgo.Fetches) error {
	for len(ends) > 0 {
		fetches := client.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			return fmt.Errorf("poll: %w", err)
		}
		trim(fetches, ends)
		select {
		case polled <- fetches:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// trim cuts off what lies at or past the ends, and forgets the ends that are reached.
func trim(fetches kgo.Fetches, ends map[int32]int64) {
	for i := range fetches {
		for j := range fetches[i].Topics {
			partitions := fetches[i].Topics[j].Partitions
			for k := range partitions {
				trimPartition(&partitions[k], ends)
			}
		}
	}
}

func trimPartition(p *kgo.FetchPartition, ends map[int32]int64) {
	n := len(p.Records)
	if n == 0 {
		return
	}
	end, waits := ends[p.Partition]
	if !waits {
		p.Records = nil
		return
	}
	if p.Records[n-1].Offset < end-1 {
		return
	}
	for n > 0 && p.Records[n-1].Offset >= end {
		n--
	}
	p.Records = p.Records[:n]
	delete(ends, p.Partition)
}
