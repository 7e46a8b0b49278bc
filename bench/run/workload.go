package main

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strconv"
	"strings"

	"streamer/bench/event"
	"streamer/integration/kafkatest"
)

// versus is a workload that streamer and limit do on the same topic.
type versus struct {
	name    string
	what    string
	size    event.Size
	count   int64
	outputs bool    // there is a topic for the output
	bar     float64 // the least ratio of records per CPU-second
	steps   string  // section pipeline, in YAML's flow style; {ADS} is the table's path
}

const partitions = 8

// workloads of which a ratio is taken. The counts are such that a run takes a few seconds: starting and joining a group
// costs some tenths of a second of wall time, and some hundredths of processor time.
func workloads() []versus {
	return []versus{
		{
			name: "count", what: "pass-through, nothing written, 100 B", size: event.Small, count: 8_000_000,
			bar: 0.85, steps: `{}`,
		},
		{
			name: "filter-map", what: "JSON filter and map, topic to topic, 250 B", size: event.Large, count: 3_000_000,
			outputs: true, bar: 0.75, steps: filterMapSteps,
		},
		{
			name: "join-count", what: "filter, join, count and sum per campaign and second, 250 B", size: event.Large,
			count: 3_000_000, outputs: true, bar: 0.75,
			steps: `{decode: json, encode: json, steps: [{filter: 'event_type == "view"'}, ` +
				`{join: {file: '{ADS}', key: ad_id, on: ad_id, as: ad}}, {key_by: ad.campaign_id}, ` +
				`{reduce_by_key: {views: count(), spent: sum(price)}}]}`,
		},
	}
}

// after is what filter-map compares event_time with: it is below every event's, so only the type filters.
const after = event.FirstTime - 1

const filterMapSteps = `{decode: json, encode: json, steps: [{filter: 'event_type == "view" && event_time > 1789999999999'}, ` +
	`{map: {ad_id: ad_id, event_time: event_time}}]}`

// configuration is a bounded run that commits about once a second.
func (h *harness) configuration(topic, to, steps string) string {
	sink := "{drop: {}}"
	if to != "" {
		sink = "{kafka: {topic: " + to + "}}"
	}
	return fmt.Sprintf(`kafka: {brokers: [%s]}
source: {kafka: {topics: [%s], group: bench, until: latest}}
batch: {interval: 1s}
pipeline: %s
sink: %s
admin: {listen: "127.0.0.1:0"}
log: {level: warn}
`, strings.Join(h.broker.Addrs, ", "), topic, steps, sink)
}

func (h *harness) workload(ctx context.Context, name string) error {
	switch name {
	case "partitions":
		return h.partitions(ctx)
	case "latency":
		return h.latency(ctx)
	}
	for _, w := range workloads() {
		if w.name == name {
			return h.versus(ctx, w)
		}
	}
	return fmt.Errorf("%q is not a workload", name)
}

// versus fills a topic and runs the programs over it in turns.
func (h *harness) versus(ctx context.Context, w versus) error {
	w.count = max(1, int64(float64(w.count)*h.scale))
	topics, err := h.prepare(ctx, w)
	if err != nil {
		return err
	}
	in, out := topics[0], ""
	if w.outputs {
		out = topics[1]
	}
	ads, err := h.file("ads.csv", event.Table())
	if err != nil {
		return err
	}
	config, err := h.file(w.name+".yaml", h.configuration(in, out, strings.ReplaceAll(w.steps, "{ADS}", ads)))
	if err != nil {
		return err
	}
	programs := []program{{name: "limit", command: func() *exec.Cmd {
		return command(ctx, h.limit, "-brokers", strings.Join(h.broker.Addrs, ","), "-topic", in, "-to", out,
			"-group", kafkatest.Unique("limit"), "-mode", w.name, "-ads", ads, "-after", strconv.Itoa(after))
	}}}
	programs = append(programs, h.streamers(ctx, config)...)
	h.printf("## %s: %s, %d records, %d partitions, lz4\n", w.name, w.what, w.count, partitions)
	if err := rounds(h.runs, programs, w.count); err != nil {
		return err
	}
	h.printf("%s", table(comparison(programs, w.bar)))
	return h.remove(ctx, topics...)
}

// prepare makes the input, and the topic for the output if there is one.
func (h *harness) prepare(ctx context.Context, w versus) (topics []string, err error) {
	in, err := h.topic(ctx, w.name, partitions)
	if err != nil {
		return nil, err
	}
	if topics = append(topics, in); w.outputs {
		out, err := h.topic(ctx, w.name+"-out", partitions)
		if err != nil {
			return nil, err
		}
		topics = append(topics, out)
	}
	return topics, h.fill(ctx, in, partitions, w.size, w.count)
}

// program is something to measure, and what was measured.
type program struct {
	name    string
	command func() *exec.Cmd
	refused bool // it does not take the configuration
	samples []sample
}

// streamers are the binaries as programs.
func (h *harness) streamers(ctx context.Context, config string) (programs []program) {
	for _, b := range h.binaries {
		p := program{name: b.name, command: func() *exec.Cmd { return h.streamerCommand(ctx, b, config) }}
		if err := h.supports(ctx, b, config); err != nil {
			p.refused = true
			h.sayf("%s does not take the configuration: %v", b.name, err)
		}
		programs = append(programs, p)
	}
	return programs
}

// rounds runs every program once a round, every second round in the opposite order, so that none always comes first.
func rounds(count int, programs []program, records int64) error {
	for round := range count {
		for i := range programs {
			p := &programs[i]
			if round%2 == 1 {
				p = &programs[len(programs)-1-i]
			}
			if p.refused {
				continue
			}
			s, err := measure(p.command(), records)
			if err != nil {
				return errors.Join(fmt.Errorf("run %s", p.name), err)
			}
			p.samples = append(p.samples, s)
		}
	}
	return nil
}

// comparison is the table of programs, the first of which is the limit.
func comparison(programs []program, bar float64) [][]string {
	rows := [][]string{{
		"program", "records per CPU-second (min / median / max)", "records per second", "peak memory", "of the limit", "bar",
	}}
	for i, p := range programs {
		if p.refused {
			rows = append(rows, []string{p.name, "not supported by this binary", "", "", "", ""})
			continue
		}
		peak := spreadBy(p.samples, func(s sample) float64 { return float64(s.Peak) })
		row := []string{
			p.name, spreadBy(p.samples, sample.perCPU).millions(), spreadBy(p.samples, sample.perWall).millions(),
			fmt.Sprintf("%.0f MiB", peak.max/(1<<20)), "", "",
		}
		if i > 0 {
			ratio := ratios(p.samples, programs[0].samples, sample.perCPU)
			row[4] = ratio.String()
			row[5] = fmt.Sprintf("%.2f: %s", bar, verdict(ratio.median >= bar))
		}
		rows = append(rows, row)
	}
	return rows
}

func verdict(met bool) string {
	if met {
		return "met"
	}
	return "missed"
}
