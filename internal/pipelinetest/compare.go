package pipelinetest

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"go.yaml.in/yaml/v3"

	"streamer/internal/codec"
	"streamer/internal/record"
)

func sortedNames[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

func (t *Tester) compareOutputs(ctx context.Context, c *Case, batch *record.Batch) ([]string, error) {
	var lines []string
	i := 0
	for _, out := range batch.Outputs {
		at := fmt.Sprintf("output %d", i+1)
		if i >= len(c.Output) {
			lines = append(lines, fmt.Sprintf("%s: is not expected, got %s", at, shown(out.Value)))
		} else {
			found, err := t.compareOutput(ctx, at, out, &c.Output[i])
			if err != nil {
				return nil, err
			}
			lines = append(lines, found...)
		}
		i++
	}
	for ; i < len(c.Output); i++ {
		want, err := appendJSON(nil, &c.Output[i].Value)
		if err != nil {
			want = nil
		}
		lines = append(lines, fmt.Sprintf("output %d: is missing, want %s", i+1, shown(want)))
	}
	return lines, nil
}

func (t *Tester) compareOutput(ctx context.Context, at string, out *record.Output, want *Record) ([]string, error) {
	lines, err := compareBytes(ctx, at+": value", out.Value, &want.Value, t.cfg.Encode.Value, false)
	if err != nil {
		return nil, err
	}
	if want.Key.Kind != 0 {
		found, err := compareBytes(ctx, at+": key", out.Key, &want.Key, t.cfg.Encode.Key, true)
		if err != nil {
			return nil, err
		}
		lines = append(lines, found...)
	}
	topic, partition := "", int32(-1)
	if out.To != nil {
		topic, partition = out.To.Topic, out.To.Partition
	}
	if want.Topic != "" && topic != want.Topic {
		lines = append(lines, fmt.Sprintf("%s: topic: got %q, want %q", at, topic, want.Topic))
	}
	if want.Partition != nil && partition != *want.Partition {
		lines = append(lines, fmt.Sprintf("%s: partition: got %d, want %d", at, partition, *want.Partition))
	}
	if want.Timestamp != nil && out.Timestamp.UnixMilli() != *want.Timestamp {
		lines = append(lines, fmt.Sprintf("%s: timestamp: got %d, want %d", at, out.Timestamp.UnixMilli(), *want.Timestamp))
	}
	return append(lines, compareHeaders(at, out, want)...), nil
}

func compareHeaders(at string, out *record.Output, want *Record) []string {
	var lines []string
	for _, name := range sortedNames(want.Headers) {
		got, found := "", false
		for _, h := range out.Headers {
			if h.Key == name {
				got, found = string(h.Value), true
			}
		}
		switch {
		case !found:
			lines = append(lines, fmt.Sprintf("%s: header %s: is missing, want %q", at, name, want.Headers[name]))
		case got != want.Headers[name]:
			lines = append(lines, fmt.Sprintf("%s: header %s: got %q, want %q", at, name, got, want.Headers[name]))
		}
	}
	return lines
}

// compareBytes compares a key or a value: null with nil, text byte for byte, and a document with what the bytes say in the
// output's format.
func compareBytes(
	ctx context.Context, at string, got []byte, want *yaml.Node, c codec.Config, key bool,
) ([]string, error) {
	switch {
	case isNull(want) && got == nil:
		return nil, nil
	case isNull(want) || got == nil:
		return []string{fmt.Sprintf("%s: got %s, want %s", at, shown(got), shownNode(want))}, nil
	case isText(want):
		if string(got) == want.Value {
			return nil, nil
		}
		return []string{fmt.Sprintf("%s: got %q, want %q", at, got, want.Value)}, nil
	}
	expected, err := appendJSON(nil, want)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", at, err)
	}
	if hasSchema(c) {
		if got, err = decode(ctx, got, c, key); err != nil {
			return []string{fmt.Sprintf("%s: cannot be read again: %v", at, err)}, nil
		}
	}
	return diff(at, got, expected), nil
}

func shown(value []byte) string {
	if value == nil {
		return "a tombstone"
	}
	return string(value)
}

func shownNode(n *yaml.Node) string {
	if isNull(n) {
		return "null"
	}
	out, err := appendJSON(nil, n)
	if err != nil {
		return n.Value
	}
	return string(out)
}

// compareFailures holds records that failed, and the count of those that were filtered, against the case.
func compareFailures(c *Case, blocks []*record.Block) []string {
	var dead, skipped, stopped []record.Failure
	filtered := 0
	for _, b := range blocks {
		for i := range b.Dead {
			dead = append(dead, b.Dead[i].Failure)
		}
		skipped = append(skipped, b.Skipped...)
		if b.Stopped != nil {
			stopped = append(stopped, *b.Stopped)
		}
		filtered += b.Filtered
	}
	lines := compareList("dead letter", dead, c.DeadLetters)
	lines = append(lines, compareList("skipped record", skipped, c.Skipped)...)
	var stop []Failure
	if c.Stopped != nil {
		stop = append(stop, *c.Stopped)
	}
	lines = append(lines, compareList("stop", stopped, stop)...)
	if c.Filtered != nil && filtered != *c.Filtered {
		lines = append(lines, fmt.Sprintf("filtered: got %d, want %d", filtered, *c.Filtered))
	}
	return lines
}

func compareList(what string, got []record.Failure, want []Failure) []string {
	var lines []string
	for i := range max(len(got), len(want)) {
		at := fmt.Sprintf("%s %d", what, i+1)
		switch {
		case i >= len(want):
			lines = append(lines, fmt.Sprintf("%s: is not expected, got %v", at, got[i]))
		case i >= len(got):
			lines = append(lines, fmt.Sprintf("%s: is missing, want offset %d", at, want[i].Offset))
		default:
			lines = append(lines, compareFailure(at, &got[i], &want[i])...)
		}
	}
	return lines
}

func compareFailure(at string, got *record.Failure, want *Failure) []string {
	var lines []string
	if got.Offset != want.Offset {
		lines = append(lines, fmt.Sprintf("%s: offset: got %d, want %d", at, got.Offset, want.Offset))
	}
	for _, part := range []struct{ name, got, want string }{
		{"class", got.Class, want.Class}, {"step", got.Step, want.Step}, {"reason", got.Err.Error(), want.Reason},
	} {
		if part.want != "" && part.got != part.want {
			lines = append(lines, fmt.Sprintf("%s: %s: got %q, want %q", at, part.name, part.got, part.want))
		}
	}
	return lines
}
