//go:build chaos && linux

package chaos_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"sync"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"streamer/integration/kafkatest"
	"streamer/integration/service"
)

var (
	seed    = flag.Uint64("seed", 1, "what the schedules are drawn from; 0 draws a seed")
	lasting = flag.Duration("for", 0, "play all scenarios again and again, with one seed after the other, for so long")
)

// What all scenarios share; TestMain sets it before the first.
var (
	broker *kafkatest.Broker
	binary *service.Binary
)

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(run(m))
}

func run(m *testing.M) (code int) {
	dir, err := os.MkdirTemp("", "streamer-chaos-")
	if err == nil {
		err = prepare(dir)
	}
	if err == nil {
		code = m.Run()
	}
	if broker != nil {
		err = errors.Join(err, broker.Close())
	}
	if err = errors.Join(err, os.RemoveAll(dir)); err != nil {
		fmt.Fprintln(os.Stderr, "chaos:", err)
		return 1
	}
	return code
}

func prepare(dir string) error {
	// Three side by side keep two cores busy with waiting for sessions; more would share the proxies of one broker.
	if err := flag.Set("test.parallel", "3"); err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(context.Background())
	group.Go(func() (err error) {
		binary, err = service.Build(ctx, dir)
		return err
	})
	group.Go(func() (err error) {
		broker, err = kafkatest.Find(ctx, func(format string, args ...any) {
			fmt.Fprintf(os.Stderr, "chaos: "+format+"\n", args...)
		})
		if err == nil && !broker.Ours() {
			err = fmt.Errorf("the harness kills brokers, so it needs its own: STREAMER_TEST_BROKER=process or docker, not %s", broker.Kind)
		}
		return err
	})
	return group.Wait()
}

// TestChaos plays the scenarios and prints the table. With -for it goes on with the next seed until the time is over.
func TestChaos(t *testing.T) {
	first := *seed
	if first == 0 {
		first = rand.Uint64N(1_000_000)
	}
	began := time.Now()
	var mu sync.Mutex
	var results []*result
	for round := uint64(0); round == 0 || time.Since(began) < *lasting; round++ {
		t.Run(fmt.Sprintf("seed %d", first+round), func(t *testing.T) {
			for _, plan := range scenarios() {
				t.Run(plan.name, func(t *testing.T) {
					t.Parallel()
					r := play(t, plan, first+round, binary)
					mu.Lock()
					results = append(results, r)
					mu.Unlock()
					if text := r.String(); text != "" {
						t.Errorf("seed %d does not hold:\n%s", first+round, text)
					}
				})
			}
		})
	}
	fmt.Fprintf(os.Stdout, "\nchaos: seeds %d and on, %v\n%s", first, time.Since(began).Round(time.Second), table(results))
}
