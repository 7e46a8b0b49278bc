//go:build chaos && linux

package chaos_test

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"streamer/integration/ledger"
	"streamer/integration/service"
)

// onError decodes every record, so that one that is no JSON fails, and does what the policy says.
func onError(policy string) func(*rig) service.Config {
	return func(r *rig) service.Config {
		config := service.Config{
			"pipeline.decode": "json", "pipeline.on_error": policy, "pipeline.circuit_breaker.percent": 0,
			"pipeline.steps": []map[string]any{{"filter": "seq >= 0"}},
		}
		if policy == "dead_letter" {
			config = config.With(r.lettersTopic())
		}
		return config
	}
}

// poison writes some records that fail.
func (r *rig) poison(count int) {
	r.t.Helper()
	client := r.broker.Client(r.t, ledger.ProducerOpts()...)
	defer client.Close()
	for range count {
		value := fmt.Sprintf("%s poison %d", r.Run, r.poisons)
		record := &kgo.Record{Topic: r.Topic, Partition: r.rand.Int32N(partitions), Value: []byte(value)}
		if err := client.ProduceSync(r.t.Context(), record).FirstErr(); err != nil {
			r.t.Fatalf("write a record that fails: %v", err)
		}
		r.poisons++
	}
}

func poisoned(r *rig) {
	r.poison(1 + r.rand.IntN(5))
	if r.rand.IntN(2) == 0 {
		killed(r)
	}
}

func lettersUnavailable(r *rig) {
	r.deny(r.letters)
	r.poison(3)
	r.await(reason, "a replica to report that dead letters cannot be written", func(ctx context.Context) error {
		var last error
		for _, p := range r.replicas {
			status, err := p.Look(ctx)
			if err == nil && (status.State == "sink-blocked" || status.State == "retrying") {
				return nil
			}
			last = fmt.Errorf("%s says %+v, %w", p.name, status, err)
		}
		return last
	})
	r.hold(upTo(r, 3*time.Second))
	r.allow(r.letters)
}

// poisonsAreLetters checks that every record that failed is in the dead-letter topic.
func poisonsAreLetters(r *rig) {
	found := map[string]bool{}
	ctx, cancel := context.WithTimeout(r.t.Context(), patience)
	defer cancel()
	err := ledger.ReadTopic(ctx, r.broker.Addrs, r.letters, func(record *kgo.Record) { found[string(record.Value)] = true })
	if err != nil {
		r.t.Fatal(err)
	}
	for i := range r.poisons {
		if value := fmt.Sprintf("%s poison %d", r.Run, i); !found[value] {
			r.faultf(letters, "no dead letter of %q", value)
		}
		delete(found, fmt.Sprintf("%s poison %d", r.Run, i))
	}
	for value := range found {
		r.faultf(letters, "dead letter of a record that does not fail: %.80q", value)
	}
}

var skipCommand = regexp.MustCompile(`streamer (offsets skip (\S+) --group \S+[^;,"\\]*)`)

// poisonedAndSkipped is for the policy fail: the process stops at the record and says how to skip it.
func poisonedAndSkipped(r *rig) {
	r.poison(1)
	for range r.replicas { // one after the other gets the partition, and stops at the record
		r.fails(r.failing())
	}
	config := service.WriteConfig(r.t, r.config)
	command := skipCommand.FindStringSubmatch(r.lastLog)
	if command == nil {
		r.faultf(reason, "the log does not say how to go on:\n%s", r.lastLog)
		return
	}
	args := strings.Fields(command[1])
	if at := strings.Index(command[1], " -c "); at >= 0 {
		args = strings.Fields(command[1][:at] + " --execute")
	}
	args = append(args, "-c", config)
	r.await(liveness, "the record to be skipped", func(context.Context) error {
		if out := r.binary.Command(r.t, args...); out.Code != 0 {
			return fmt.Errorf("%v: exit code %d: %s", args, out.Code, out.Stderr)
		}
		return nil
	})
	for _, p := range r.replicas {
		r.start(p)
	}
}

// failing waits until one of the processes has ended by itself. It returns nil, and notes a fault, if none does.
func (r *rig) failing() *replica {
	r.t.Helper()
	var found *replica
	for _, p := range r.replicas {
		if p.Service != nil {
			r.watch.remove(p.Service) // any may be the next
		}
	}
	r.await(exitCode, "a process to end by itself", func(context.Context) error {
		for _, p := range r.replicas {
			if p.Service != nil && !p.Running() {
				found = p
				return nil
			}
		}
		return fmt.Errorf("all run")
	})
	return found
}
