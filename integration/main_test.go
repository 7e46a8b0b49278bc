package integration_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"testing"

	"golang.org/x/sync/errgroup"

	"streamer/integration/kafkatest"
	"streamer/integration/service"
)

// What all tests share; TestMain sets it before the first.
var (
	broker *kafkatest.Broker
	binary *service.Binary
)

func TestMain(m *testing.M) {
	flag.Parse()
	if testing.Short() {
		fmt.Fprintln(os.Stderr, "integration: left out by -short")
		return
	}
	os.Exit(run(m))
}

func run(m *testing.M) (code int) {
	dir, err := os.MkdirTemp("", "streamer-test-")
	if err != nil {
		fmt.Fprintln(os.Stderr, "integration:", err)
		return 1
	}
	err = prepare(dir)
	if err == nil {
		code = m.Run()
	}
	if broker != nil {
		err = errors.Join(err, broker.Close())
	}
	if err = errors.Join(err, os.RemoveAll(dir)); err != nil {
		fmt.Fprintln(os.Stderr, "integration:", err)
		return 1
	}
	return code
}

// prepare builds the binary while the broker starts.
func prepare(dir string) error {
	if err := runSideBySide(); err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(context.Background())
	group.Go(func() (err error) {
		binary, err = service.Build(ctx, dir)
		return err
	})
	group.Go(func() (err error) {
		broker, err = kafkatest.Find(ctx, func(format string, args ...any) {
			fmt.Fprintf(os.Stderr, "integration: "+format+"\n", args...)
		})
		return err
	})
	return group.Wait()
}

// runSideBySide lets more tests run at once than there are processors, unless -parallel says how many: most of their
// time they wait for a session to end or a broker to come back.
func runSideBySide() error {
	said := false
	flag.Visit(func(f *flag.Flag) { said = said || f.Name == "test.parallel" })
	if said {
		return nil
	}
	return flag.Set("test.parallel", "6")
}

// needKafka skips the test when the broker is an imitation that does not do what.
func needKafka(t *testing.T, what string) {
	t.Helper()
	if !broker.Real() {
		kafkatest.Skip(t, kafkatest.NeedKafka, "the embedded broker is not enough for this test: "+what)
	}
}
