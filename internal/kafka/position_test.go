package kafka

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestParsePositions(t *testing.T) {
	t.Parallel()
	const start, until, target = 1, 2, 4
	for text, want := range map[string]int{
		"earliest": start | target, "latest": start | until | target,
		"2026-01-31T15:04:05Z": start | until | target, "2026-01-31T15:04:05.5+02:00": start | until | target,
		"-15m": start | target, "-7d": start | target, "0": target, "1200": target,
		"": 0, "-0": 0, "-": 0, "-5": 0, "+5": 0, "15m": 0, "Latest": 0, "2026-01-31": 0, "now": 0, "1e3": 0, "--5m": 0,
	} {
		got := 0
		if _, err := ParseStart(text); err == nil {
			got |= start
		}
		if _, err := ParseUntil(text); err == nil {
			got |= until
		}
		if _, err := ParseTarget(text); err == nil {
			got |= target
		}
		if got != want {
			t.Errorf("%q is taken by %03b, want %03b", text, got, want)
		}
	}
}

func TestPositionMillis(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)
	for text, want := range map[string]int64{
		"-15m":                 now.Add(-15 * time.Minute).UnixMilli(),
		"2026-01-31T11:00:00Z": now.Add(-time.Hour).UnixMilli(),
		// A negative timestamp would be a command to Kafka: -1 is latest, -2 earliest.
		"1969-12-31T23:59:59.999Z": 0,
		"-99999d":                  0,
	} {
		position, err := ParseStart(text)
		if err != nil {
			t.Fatal(err)
		}
		if got, ok := position.millis(now); !ok || got != want {
			t.Errorf("%s = %d, %t; want %d", text, got, ok, want)
		}
	}
}

func TestParsePositionNeverPanics(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.OneOf(rapid.String(), rapid.StringMatching(`-?[0-9]{0,20}[a-zA-Z.:+-]{0,8}`)).Draw(t, "text")
		if position, err := ParseTarget(text); err == nil && position.String() != text {
			t.Fatalf("%q is shown as %q", text, position)
		}
	})
}
