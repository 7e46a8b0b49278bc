package setting

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// Duration is a time span; written with a unit: 200ms, 2s, 5m, 1h30m, 7d. 0 needs no unit.
type Duration time.Duration

const day = 24 * time.Hour

// ParseDuration reads what [time.ParseDuration] reads, and whole days in front (7d, 1d12h). The error is a [Fault]
// without a field.
func ParseDuration(text string) (Duration, error) {
	fault := func(format string, args ...any) (Duration, error) {
		return 0, Fault{Value: text, Remedy: fmt.Sprintf(format, args...)}
	}
	switch {
	case text == "0":
		return 0, nil
	case strings.HasPrefix(text, "-"):
		return fault("is negative; write a duration such as 2s")
	case isNumber(text):
		return fault("has no unit; write %sms, or %ss for seconds", text, text)
	}
	span, err := parseDays(text)
	if err != nil {
		return fault("%s", err)
	}
	return Duration(span), nil
}

var (
	errNotDuration = errors.New("is not a duration; write a number with a unit (ns, us, ms, s, m, h, d), such as 200ms or 1h30m")
	errTooLong     = errors.New("is too long; write a duration below 106751d")
)

func parseDays(text string) (time.Duration, error) {
	head, rest, found := strings.Cut(text, "d")
	if !found {
		head, rest = "0", text
	}
	if text == "" || !isDigits(head) || strings.HasPrefix(rest, "+") || strings.HasPrefix(rest, "-") {
		return 0, errNotDuration
	}
	days, err := strconv.ParseInt(head, 10, 64)
	if err != nil || days > math.MaxInt64/int64(day) {
		return 0, errTooLong
	}
	if rest == "" {
		return time.Duration(days) * day, nil
	}
	span, err := time.ParseDuration(rest)
	if err != nil {
		return 0, errNotDuration
	}
	if total := time.Duration(days)*day + span; total >= span {
		return total, nil
	}
	return 0, errTooLong
}

// String writes the duration without empty parts: 1m, not 1m0s; whole days as 7d.
func (d Duration) String() string {
	span := time.Duration(d)
	switch {
	case span == 0:
		return "0"
	case span >= day && span%day == 0:
		return strconv.FormatInt(int64(span/day), 10) + "d"
	}
	text := span.String()
	if cut, found := strings.CutSuffix(text, "m0s"); found {
		text = cut + "m"
	}
	if cut, found := strings.CutSuffix(text, "h0m"); found {
		text = cut + "h"
	}
	return text
}

// MarshalText writes the duration as String does.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads the duration as [ParseDuration] does.
func (d *Duration) UnmarshalText(text []byte) error {
	parsed, err := ParseDuration(string(text))
	if err != nil {
		return err
	}
	*d = parsed
	return nil
}
