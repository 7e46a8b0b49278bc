package protobuf

import (
	"bytes"
	"errors"
	"strconv"
	"time"

	"google.golang.org/protobuf/encoding/protowire"

	"streamer/internal/codec/scalar"
	"streamer/internal/document"
)

// The bounds of Timestamp (years 1 to 9999) and Duration (some 10,000 years), in seconds.
const (
	firstSecond = -62135596800
	lastSecond  = 253402300799
	longest     = 315576000000
	nanos       = 1_000_000_000
)

var (
	errTimestamp = errors.New("timestamp is out of range")
	errDuration  = errors.New("duration is out of range")
	errNoTime    = errors.New("text is not a time; write 2026-02-25T06:13:20Z")
	errNoSpan    = errors.New("text is not a duration; write 1.5s")
)

// time adds a Timestamp or Duration, whose fields are seconds and nanos.
func (s *State) time(m *message, slots int) error {
	var parts [2]int64
	for i := range parts {
		if place := s.slots[slots+i].first; place != 0 {
			parts[i] = signed(m.fields[i].kind, s.occurrences[place-1].value)
		}
	}
	seconds, fraction := parts[0], parts[1]
	if m.form == timestamp {
		if seconds < firstSecond || seconds > lastSecond || fraction < 0 || fraction >= nanos {
			return errTimestamp
		}
		s.scratch = time.Unix(seconds, fraction).UTC().AppendFormat(s.scratch[:0], time.RFC3339Nano)
		s.b.Text(s.scratch)
		return nil
	}
	if !validDuration(seconds, fraction) {
		return errDuration
	}
	s.scratch = appendDuration(s.scratch[:0], seconds, fraction)
	s.b.Text(s.scratch)
	return nil
}

func validDuration(seconds, fraction int64) bool {
	return seconds >= -longest && seconds <= longest && fraction > -nanos && fraction < nanos &&
		(seconds >= 0 || fraction <= 0) && (seconds <= 0 || fraction >= 0)
}

func appendDuration(dst []byte, seconds, fraction int64) []byte {
	if seconds < 0 || fraction < 0 {
		dst = append(dst, '-')
		seconds, fraction = -seconds, -fraction
	}
	dst = strconv.AppendInt(dst, seconds, 10)
	if fraction != 0 {
		start := len(dst)
		dst = strconv.AppendInt(dst, nanos+fraction, 10) // nine digits behind a 1
		dst[start] = '.'
		dst = bytes.TrimRight(dst, "0")
	}
	return append(dst, 's')
}

// parseDuration reads a sign, digits, up to nine behind a point, and s.
func parseDuration(text []byte) (seconds, fraction int64, err error) {
	text, ok := bytes.CutSuffix(text, []byte("s"))
	text, negative := bytes.CutPrefix(text, []byte("-"))
	whole, rest, pointed := bytes.Cut(text, []byte("."))
	if !ok || !digits(whole) || pointed && (!digits(rest) || len(rest) > 9) {
		return 0, 0, errNoSpan
	}
	if seconds, err = strconv.ParseInt(string(whole), 10, 64); err != nil {
		return 0, 0, errDuration
	}
	scale := int64(nanos)
	for _, digit := range rest {
		scale /= 10
		fraction += int64(digit-'0') * scale
	}
	if negative {
		seconds, fraction = -seconds, -fraction
	}
	if !validDuration(seconds, fraction) {
		return 0, 0, errDuration
	}
	return seconds, fraction, nil
}

func digits(text []byte) bool {
	for _, c := range text {
		if c < '0' || c > '9' {
			return false
		}
	}
	return len(text) > 0
}

// time appends the fields of a Timestamp or Duration.
func (e *Encoder) time(m *message, dst []byte, n document.Node) ([]byte, error) {
	if kind := e.d.Kind(n); kind != document.String {
		return dst, scalar.Wants("time or duration (text)", kind)
	}
	var seconds, fraction int64
	if m.form == timestamp {
		at, err := time.Parse(time.RFC3339Nano, string(e.d.Text(n)))
		if err != nil { // the error quotes the text
			return dst, errNoTime
		}
		seconds, fraction = at.Unix(), int64(at.Nanosecond())
		if seconds < firstSecond || seconds > lastSecond {
			return dst, errTimestamp
		}
	} else {
		var err error
		if seconds, fraction, err = parseDuration(e.d.Text(n)); err != nil {
			return dst, err
		}
	}
	for i, value := range []int64{seconds, fraction} {
		if value != 0 {
			dst = protowire.AppendTag(dst, m.fields[i].number, protowire.VarintType)
			dst = protowire.AppendVarint(dst, uint64(value))
		}
	}
	return dst, nil
}
