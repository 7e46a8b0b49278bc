package main

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strconv"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"streamer/internal/kafka"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"streamer": main})
}

// TestScripts runs testdata/script/*.txtar against the command as a process. The scripts find an embedded broker with
// topics events (8 partitions, 100 records line-0 to line-99) and views (4, empty) at $BROKERS, and admin listeners at $READY and $NOTREADY.
func TestScripts(t *testing.T) {
	t.Parallel()
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(8, "events"), kfake.SeedTopics(4, "views"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	produceLines(t, cluster.ListenAddrs(), "events", 100)
	ready := adminListener(t, http.StatusOK, `{"status":"ready"}`)
	notReady := adminListener(t, http.StatusServiceUnavailable, `{"reason":"broker-lost"}`)
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(env *testscript.Env) error {
			env.Setenv("BROKERS", cluster.ListenAddrs()[0])
			env.Setenv("READY", ready)
			env.Setenv("NOTREADY", notReady)
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"exits": exits},
	})
}

func produceLines(t *testing.T, brokers []string, topic string, count int) {
	t.Helper()
	client, err := kafka.NewClient(kafka.Config{Brokers: brokers}, kafka.Use{Role: "test", Path: "kafka"})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	records := make([]*kgo.Record, count)
	for i := range records {
		records[i] = &kgo.Record{Topic: topic, Value: fmt.Appendf(nil, "line-%d", i)}
	}
	if err = client.ProduceSync(t.Context(), records...).FirstErr(); err != nil {
		t.Fatal(err)
	}
}

// exits CODE COMMAND… holds the command to its exact exit code; `! exec` takes any but 0.
func exits(script *testscript.TestScript, negated bool, args []string) {
	if negated || len(args) < 2 {
		script.Fatalf("usage: exits CODE COMMAND [ARGUMENT...]")
	}
	want, err := strconv.Atoi(args[0])
	script.Check(err)
	err = script.Exec(args[1], args[2:]...)
	got := 0
	if failed, ok := errors.AsType[*exec.ExitError](err); ok {
		got = failed.ExitCode()
	} else if err != nil {
		script.Fatalf("run %s: %v", args[1], err)
	}
	if got != want {
		script.Fatalf("exit code %d; want %d", got, want)
	}
}

func adminListener(t *testing.T, status int, body string) (address string) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/readyz" {
			status = http.StatusNotFound
		}
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}))
	t.Cleanup(server.Close)
	return server.Listener.Addr().String()
}
