package setting_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"streamer/internal/setting"
)

func TestParseDuration(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]time.Duration{
		"0": 0, "0s": 0, "200ms": 200 * time.Millisecond, "2s": 2 * time.Second, "1h30m": 90 * time.Minute,
		"1.5h": 90 * time.Minute, "7d": 7 * 24 * time.Hour, "1d12h": 36 * time.Hour, "0d": 0,
	} {
		if got, err := setting.ParseDuration(text); err != nil || got != setting.Duration(want) {
			t.Errorf("ParseDuration(%q) = %v, %v; want %v", text, got, err, want)
		}
	}
}

func TestParseDurationFaults(t *testing.T) {
	t.Parallel()
	const notDuration = ` is not a duration; write a number with a unit (ns, us, ms, s, m, h, d), such as 200ms or 1h30m`
	const tooLong = ` is too long; write a duration below 106751d`
	for text, want := range map[string]string{
		"200":          `"200" has no unit; write 200ms, or 200s for seconds`,
		"1.5":          `"1.5" has no unit; write 1.5ms, or 1.5s for seconds`,
		"-2s":          `"-2s" is negative; write a duration such as 2s`,
		"":             notDuration[1:],
		"2 s":          `"2 s"` + notDuration,
		"2S":           `"2S"` + notDuration,
		"d":            `"d"` + notDuration,
		"1.5d":         `"1.5d"` + notDuration,
		"+2s":          `"+2s"` + notDuration,
		"1d-2s":        `"1d-2s"` + notDuration,
		"1h2d":         `"1h2d"` + notDuration,
		"106752d":      `"106752d"` + tooLong,
		"106751d9999h": `"106751d9999h"` + tooLong,
	} {
		if got, err := setting.ParseDuration(text); err == nil || err.Error() != want {
			t.Errorf("ParseDuration(%q) = %v, %v; want %s", text, got, err, want)
		}
	}
}

func TestDurationString(t *testing.T) {
	t.Parallel()
	for span, want := range map[time.Duration]string{
		0: "0", time.Millisecond: "1ms", 20 * time.Second: "20s", time.Minute: "1m", 10 * time.Minute: "10m",
		time.Hour: "1h", 90 * time.Minute: "1h30m", time.Hour + time.Second: "1h0m1s", 36 * time.Hour: "36h",
		7 * 24 * time.Hour: "7d", 10 * time.Hour: "10h",
	} {
		if got := setting.Duration(span).String(); got != want {
			t.Errorf("Duration(%d).String() = %q; want %q", span, got, want)
		}
	}
}

func TestDurationReadsBackWhatItWrites(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		span := setting.Duration(rapid.Int64Min(0).Draw(t, "span"))
		if rapid.Bool().Draw(t, "whole seconds") {
			span -= span % setting.Duration(time.Second)
		}
		var back setting.Duration
		if err := back.UnmarshalText([]byte(span.String())); err != nil || back != span {
			t.Fatalf("%d was written as %q and read as %d, %v", int64(span), span, int64(back), err)
		}
	})
}

func FuzzParseDuration(f *testing.F) {
	f.Add("1d12h")
	f.Add("-15m")
	f.Fuzz(func(t *testing.T, text string) {
		span, err := setting.ParseDuration(text)
		if err != nil {
			return
		}
		if again, err := setting.ParseDuration(span.String()); span < 0 || err != nil || again != span {
			t.Errorf("%q is %v, which is %v, %v", text, span, again, err)
		}
	})
}
