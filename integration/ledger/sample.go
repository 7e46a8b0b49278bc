package ledger

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
)

// Sampler looks at a group's commits and at the ends of the output topic, again and again. One goroutine looks; Stop
// ends it and hands over what it saw.
type Sampler struct {
	Group, Input, Output string

	admin   *kadm.Client
	cancel  context.CancelFunc
	done    chan struct{}
	samples []Sample // written by the goroutine until done is closed
}

// between is the pause between two looks: short beside a batch, so that a commit that runs ahead is seen before the
// delivery catches up.
const between = 20 * time.Millisecond

// StartSampler starts looking. The output may be empty when commits alone are of interest.
func StartSampler(ctx context.Context, admin *kadm.Client, group, input, output string) *Sampler {
	ctx, cancel := context.WithCancel(ctx)
	s := &Sampler{
		Group: group, Input: input, Output: output,
		admin: admin, cancel: cancel, done: make(chan struct{}),
	}
	go s.look(ctx)
	return s
}

// Stop ends the looking and returns the samples. A second call returns them again.
func (s *Sampler) Stop() []Sample {
	s.cancel()
	<-s.done
	return s.samples
}

func (s *Sampler) look(ctx context.Context) {
	defer close(s.done)
	ticker := time.NewTicker(between)
	defer ticker.Stop()
	for {
		// A look that fails, as while the broker is away, is left out: half a sample would accuse without proof.
		if sample, err := s.take(ctx); err == nil {
			s.samples = append(s.samples, sample)
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
	}
}

func (s *Sampler) take(ctx context.Context) (Sample, error) {
	committed, err := Committed(ctx, s.admin, s.Group, s.Input)
	if err != nil {
		return Sample{}, err
	}
	sample := Sample{Committed: committed, Readable: map[string]int{}}
	if s.Output == "" {
		return sample, nil
	}
	ends, err := s.admin.ListEndOffsets(ctx, s.Output)
	if err == nil {
		err = ends.Error()
	}
	if err != nil {
		return Sample{}, fmt.Errorf("list ends of %s: %w", s.Output, err)
	}
	// An output topic of a test is written by producers without transactions and is never cut: offset = index.
	ends.Each(func(end kadm.ListedOffset) { sample.Readable[Lane(end.Partition)] = int(end.Offset) })
	return sample, nil
}

var errUnstable = errors.New("group's offsets are not stable")

// Committed returns the group's commits of one topic by partition.
func Committed(ctx context.Context, admin *kadm.Client, group, topic string) (map[int32]int64, error) {
	responses, err := admin.FetchOffsets(ctx, group)
	committed := make(map[int32]int64)
	if errors.Is(err, kerr.GroupIDNotFound) {
		return committed, nil // nobody has joined yet
	}
	if err != nil {
		return nil, fmt.Errorf("fetch offsets of %s: %w", group, err)
	}
	for partition, response := range responses[topic] {
		if response.Err != nil {
			return nil, fmt.Errorf("%w: %s/%d: %w", errUnstable, topic, partition, response.Err)
		}
		if response.At >= 0 {
			committed[partition] = response.At
		}
	}
	return committed, nil
}
