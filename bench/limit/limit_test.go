package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"streamer/bench/event"
)

func TestTrim(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		offsets []int64
		ends    map[int32]int64
		want    int
		left    int
	}{
		{"before the end", []int64{0, 1}, map[int32]int64{0: 3}, 2, 1},
		{"at the end", []int64{1, 2}, map[int32]int64{0: 3}, 2, 0},
		{"past the end", []int64{2, 3, 4}, map[int32]int64{0: 3}, 1, 0},
		{"a gap before the end", []int64{1, 5}, map[int32]int64{0: 3}, 1, 0},
		{"only past the end", []int64{5}, map[int32]int64{0: 3}, 0, 0},
		{"reached before", []int64{3}, map[int32]int64{1: 3}, 0, 1},
		{"nothing came", nil, map[int32]int64{0: 3}, 0, 1},
	} {
		p := kgo.FetchPartition{Partition: 0}
		for _, at := range c.offsets {
			p.Records = append(p.Records, &kgo.Record{Offset: at})
		}
		trimPartition(&p, c.ends)
		if len(p.Records) != c.want || len(c.ends) != c.left {
			t.Errorf("%s: %d records, %d ends left; want %d and %d", c.name, len(p.Records), len(c.ends), c.want, c.left)
		}
	}
}

func TestConvert(t *testing.T) {
	t.Parallel()
	f := &filterMap{after: 10}
	for _, c := range []struct{ in, want string }{
		{`{"event_type":"view","event_time":11,"ad_id":"ad-1"}`, `{"ad_id":"ad-1","event_time":11}`},
		{`{"event_type":"view","event_time":10,"ad_id":"ad-1"}`, ``},
		{`{"event_type":"click","event_time":11,"ad_id":"ad-1"}`, ``},
	} {
		got, keep, err := f.convert([]byte("x"), []byte(c.in))
		if err != nil || keep != (c.want != "") || string(got) != "x"+c.want {
			t.Errorf("%s: %s, %v, %v; want %s", c.in, got, keep, err, c.want)
		}
	}
	if _, _, err := f.convert(nil, []byte("{")); err == nil {
		t.Error("no error of what is no JSON")
	}
}

// broker makes a topic with events and one for the output.
func broker(t *testing.T, partitions int32, count int64) (addr string, client *kgo.Client) {
	t.Helper()
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(partitions, "in", "out"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	addr = cluster.ListenAddrs()[0]
	client, err = kgo.NewClient(kgo.SeedBrokers(addr), kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.ConsumeTopics("out"), kgo.FetchMaxWait(50*time.Millisecond))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	events := event.NewGenerator(1, event.Small)
	var promise kgo.FirstErrPromise
	for i := range count {
		all, value := events.Next(nil, event.FirstTime+i)
		r := &kgo.Record{Topic: "in", Partition: int32(i) % (partitions - 1), Key: all[:value], Value: all[value:]}
		client.Produce(t.Context(), r, promise.Promise())
	}
	if err := client.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := promise.Err(); err != nil {
		t.Fatal(err)
	}
	return addr, client
}

// TestModes runs each mode on an embedded broker to the end, with a partition that stays empty.
func TestModes(t *testing.T) {
	ads := filepath.Join(t.TempDir(), "ads.csv")
	if err := os.WriteFile(ads, []byte(event.Table()), 0o600); err != nil {
		t.Fatal(err)
	}
	const count = 3000
	for mode, outputs := range map[string]func(views int) int{
		"count":      func(int) int { return 0 },
		"filter-map": func(views int) int { return views },
		"join-count": func(int) int { return event.Campaigns },
	} {
		t.Run(mode, func(t *testing.T) {
			addr, client := broker(t, 3, count)
			var stdout bytes.Buffer
			err := run(t.Context(), []string{
				"-brokers", addr, "-topic", "in", "-group", "g", "-mode", mode, "-to", "out", "-ads", ads,
			}, &stdout)
			if err != nil {
				t.Fatal(err)
			}
			var got report
			if err := json.Unmarshal(stdout.Bytes(), &got); err != nil {
				t.Fatalf("%s: %v", stdout.Bytes(), err)
			}
			if got.Records != count || got.Seconds <= 0 || got.CPUSeconds <= 0 {
				t.Errorf("report %+v", got)
			}
			committed, err := kadm.NewClient(client).FetchOffsetsForTopics(t.Context(), "g", "in")
			if err != nil {
				t.Fatal(err)
			}
			var sum int64
			committed.Each(func(o kadm.OffsetResponse) { sum += max(0, o.At) })
			if sum != count {
				t.Errorf("%d committed, want %d", sum, count)
			}
			checkOutputs(t, client, outputs(views(count)))
		})
	}
}

// views counts the views among the first events.
func views(count int64) (n int) {
	events := event.NewGenerator(1, event.Small)
	for i := range count {
		if all, value := events.Next(nil, i); bytes.Contains(all[value:], []byte(`"view"`)) {
			n++
		}
	}
	return n
}

func checkOutputs(t *testing.T, client *kgo.Client, want int) {
	t.Helper()
	ends, err := kadm.NewClient(client).ListEndOffsets(t.Context(), "out")
	if err != nil {
		t.Fatal(err)
	}
	var outputs int
	ends.Each(func(o kadm.ListedOffset) { outputs += int(o.Offset) })
	if outputs != want {
		t.Fatalf("%d outputs, want %d", outputs, want)
	}
}

func TestJoinCount(t *testing.T) {
	t.Parallel()
	one, two := &campaign{id: "one"}, &campaign{id: "two"}
	j := &joinCount{campaigns: &campaigns{
		byAd: map[string]*campaign{"a": one, "b": one, "c": two}, all: []*campaign{one, two},
	}}
	for _, e := range []struct {
		kind, ad string
		price    float64
	}{{"view", "a", 1.25}, {"view", "b", 2}, {"click", "c", 9}} {
		if err := j.add(fmt.Appendf(nil, `{"event_type":%q,"ad_id":%q,"price":%v}`, e.kind, e.ad, e.price)); err != nil {
			t.Fatal(err)
		}
	}
	got := j.flush()
	if len(got) != 1 || string(got[0].Value) != `{"campaign_id":"one","views":2,"spent":3.25}` {
		t.Errorf("flushed %v", got)
	}
	if again := j.flush(); len(again) != 0 {
		t.Errorf("flushed twice: %v", again)
	}
	if err := j.add([]byte(`{"event_type":"view","ad_id":"x"}`)); err == nil {
		t.Error("no error of an advertisement that nobody knows")
	}
}

func TestBadFlags(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{
		{},
		{"-topic", "in"},
		{"-topic", "in", "-group", "g", "-mode", "sort"},
		{"-topic", "in", "-group", "g", "-mode", "join-count", "-ads", "/does/not/exist"},
	} {
		if err := run(context.WithoutCancel(t.Context()), args, &bytes.Buffer{}); err == nil {
			t.Errorf("no error of %v", args)
		}
	}
}
