package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"

	"streamer/internal/kafka"
	"streamer/internal/setting"
)

// offsetsBroker has topic events with 10 records in its one partition, and group ad-views at 2.
func offsetsBroker(t *testing.T) kafka.Config {
	t.Helper()
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, "events"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	produceLines(t, cluster.ListenAddrs(), "events", 10)
	config := kafka.DefaultConfig()
	config.Brokers = cluster.ListenAddrs()
	client, err := kafka.NewClient(config, kafka.Use{Role: "test", Path: "kafka"})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	commits := kadm.Offsets{}
	commits.AddOffset("events", 0, 2, -1)
	if err := kadm.NewClient(client).CommitAllOffsets(t.Context(), "ad-views", commits); err != nil {
		t.Fatal(err)
	}
	return config
}

// configured is the group of the configuration that runOffsets gives to the command.
const configured = "ad-views"

func runOffsets(t *testing.T, config kafka.Config, args ...string) (string, error) {
	t.Helper()
	command := newOffsetsCommand(func() (kafka.Config, string, error) { return config, configured, nil })
	command.SilenceUsage, command.SilenceErrors = true, true
	out := &bytes.Buffer{}
	command.SetOut(out)
	command.SetErr(&bytes.Buffer{})
	command.SetArgs(args)
	err := command.ExecuteContext(t.Context())
	return out.String(), err
}

func TestOffsetsOutput(t *testing.T) {
	t.Parallel()
	config := offsetsBroker(t)
	for _, step := range []struct{ args, want string }{
		{
			"list --group ad-views",
			"group ad-views: Empty, 0 member(s)\n\nTOPIC   PARTITION  COMMITTED  END  LAG\nevents  0          2          10   8\n",
		},
		{
			"skip --group ad-views events/0@2",
			"TOPIC   PARTITION  FROM  TO  NOTE\nevents  0          2     3   skips offset 2\n\n" +
				"nothing changed; add --execute to commit this to group ad-views\n",
		},
		{
			"skip --group ad-views events/0@2 --execute",
			"TOPIC   PARTITION  FROM  TO  NOTE\nevents  0          2     3   skips offset 2\n\ncommitted to group ad-views\n",
		},
		{
			"set --group ad-views --to -1m --execute events",
			"TOPIC   PARTITION  FROM  TO  NOTE\nevents  0          3     0   \n\ncommitted to group ad-views\n",
		},
		{
			"list events/0",
			"group ad-views: Empty, 0 member(s)\n\nTOPIC   PARTITION  COMMITTED  END  LAG\nevents  0          0          10   10\n",
		},
		{
			"list --group other events",
			"group other does not exist: it was never used, or its commits have expired\n\nTOPIC   PARTITION  COMMITTED  END  LAG\nevents  0          -          10   10\n",
		},
	} {
		got, err := runOffsets(t, config, strings.Fields(step.args)...)
		if err != nil || got != step.want {
			t.Errorf("%s: %v\n%s\nwant\n%s", step.args, err, got, step.want)
		}
	}
}

func TestOffsetsAsJSON(t *testing.T) {
	t.Parallel()
	out, err := runOffsets(t, offsetsBroker(t), "list", "--group", "ad-views", "--output", "json")
	var got kafka.GroupOffsets
	if err != nil || json.Unmarshal([]byte(out), &got) != nil || len(got.Partitions) != 1 || got.Partitions[0].Lag != 8 ||
		!strings.Contains(out, `"members": []`) {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestOffsetsRefusesBadFlags(t *testing.T) {
	t.Parallel()
	config := offsetsBroker(t)
	for args, want := range map[string]string{
		"list --output xml":            `--output: "xml" is not known; write table or json`,
		"list a:b":                     `target: "a:b" is not TOPIC or TOPIC/PARTITION`,
		"list events/x":                `target: "events/x" is no partition; topic events has partitions 0 to 0`,
		"set --to tomorrow a":          `--to: "tomorrow" is not a position; write earliest, latest, an offset`,
		"set a":                        "--to: is missing; write earliest, latest, an offset such as 1200, a time",
		"set --to latest":              "TOPIC[/PARTITION]: is missing; write for example events, or events/3",
		"skip":                         "TOPIC/PARTITION@OFFSET: is missing; write for example events/3@1200",
		"skip --group ad-views events": `is not TOPIC/PARTITION@OFFSET`,
		"skip events/0@1 events/0@2":   "accepts at most 1 arg",
	} {
		_, err := runOffsets(t, config, strings.Fields(args)...)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", args, err, want)
		}
		if _, fault := errors.AsType[setting.Fault](err); !fault && !strings.Contains(want, "accepts") {
			t.Errorf("%s: %T is no fault of the user", args, err)
		}
	}
}
