package kafka

import (
	"strconv"
	"strings"
	"time"

	"streamer/internal/setting"
)

// Position is a rule for where in each partition to stand: its beginning, its end, a time, a time back from now, or one
// offset. Offsets of a partition come from [Admin.Resolve].
type Position struct {
	kind   positionKind
	at     time.Time
	back   time.Duration
	offset int64
	text   string
}

type positionKind uint8

const (
	positionEarliest positionKind = iota
	positionLatest
	positionTime
	positionBack
	positionOffset
)

const exampleTime = "2026-01-31T15:04:05Z"

// ParseStart reads `earliest`, `latest`, an RFC 3339 time or a negative duration. The error is a [setting.Fault] without
// a field.
func ParseStart(text string) (Position, error) {
	if position, ok := parsePosition(text); ok && position.kind != positionOffset {
		return position, nil
	}
	return Position{}, notPosition(text, "a start",
		"earliest, latest, a time such as "+exampleTime+", or a duration back such as -15m")
}

// ParseUntil reads `latest` or an RFC 3339 time. The error is a [setting.Fault] without a field.
func ParseUntil(text string) (Position, error) {
	position, ok := parsePosition(text)
	if ok && (position.kind == positionLatest || position.kind == positionTime) {
		return position, nil
	}
	return Position{}, notPosition(text, "an end", "latest, or a time such as "+exampleTime)
}

// ParseTarget reads what [ParseStart] reads, or one offset for every partition. The error is a [setting.Fault] without a
// field.
func ParseTarget(text string) (Position, error) {
	if position, ok := parsePosition(text); ok {
		return position, nil
	}
	return Position{}, notPosition(text, "a position",
		"earliest, latest, an offset such as 1200, a time such as "+exampleTime+", or a duration back such as -15m")
}

func notPosition(text, wanted, choice string) setting.Fault {
	if text == "" {
		return setting.Fault{Remedy: "is missing; write " + choice}
	}
	return setting.Fault{Value: text, Remedy: "is not " + wanted + "; write " + choice}
}

func parsePosition(text string) (Position, bool) {
	switch text {
	case "earliest":
		return Position{kind: positionEarliest, text: text}, true
	case "latest":
		return Position{kind: positionLatest, text: text}, true
	}
	if span, found := strings.CutPrefix(text, "-"); found {
		back, err := setting.ParseDuration(span)
		return Position{kind: positionBack, back: time.Duration(back), text: text}, err == nil && back > 0
	}
	if offset, err := strconv.ParseInt(text, 10, 64); err == nil {
		return Position{kind: positionOffset, offset: offset, text: text}, !strings.HasPrefix(text, "+")
	}
	at, err := time.Parse(time.RFC3339, text)
	return Position{kind: positionTime, at: at, text: text}, err == nil
}

// String is the position as it was written.
func (p Position) String() string { return p.text }

// millis is the position as milliseconds since 1970; ok is false if it is no point in time. Records of before 1970 do not
// exist for Kafka, whose negative timestamps are commands.
func (p Position) millis(now time.Time) (ms int64, ok bool) {
	switch p.kind {
	case positionTime:
		return max(0, p.at.UnixMilli()), true
	case positionBack:
		return max(0, now.Add(-p.back).UnixMilli()), true
	default:
		return 0, false
	}
}
