package setting_test

import (
	"testing"

	"pgregory.net/rapid"

	"streamer/internal/setting"
)

func TestParseBytes(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]setting.Bytes{
		"0": 0, "0B": 0, "512B": 512, "64KiB": 64 << 10, "1MiB": 1 << 20, "2GiB": 2 << 30, "3TiB": 3 << 40,
		"10KB": 10_000, "10MB": 10_000_000, "1.5GiB": 3 << 29, "9007199254740993B": 1<<53 + 1,
	} {
		if got, err := setting.ParseBytes(text); err != nil || got != want {
			t.Errorf("ParseBytes(%q) = %d, %v; want %d", text, got, err, want)
		}
	}
}

func TestParseBytesFaults(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"200":        `"200" has no unit; write 200B, 200KiB or 200MiB`,
		"":           `is not a size; write a number with a unit, such as 16MiB`,
		"MiB":        `"MiB" is not a size; write a number with a unit, such as 16MiB`,
		"1e3B":       `"1e3B" is not a size; write a number with a unit, such as 16MiB`,
		"1 MiB":      `"1 MiB" is not a size; write a number with a unit, such as 16MiB`,
		"-1MiB":      `"-1MiB" is negative; write a size such as 16MiB`,
		"0.3B":       `"0.3B" is not a whole number of bytes; write a smaller unit`,
		"9000000TiB": `"9000000TiB" is too large; write a size below 8388608TiB`,
		"64kb":       `"64kb" has the unknown unit "kb"; write 64KiB (powers of 1024) or 64KB (powers of 1000)`,
		"64bits":     `"64bits" has the unknown unit "bits"; write B, KiB, MiB, GiB, TiB, KB, MB, GB or TB`,
	} {
		if got, err := setting.ParseBytes(text); err == nil || err.Error() != want {
			t.Errorf("ParseBytes(%q) = %d, %v; want %s", text, got, err, want)
		}
	}
}

func TestBytesString(t *testing.T) {
	t.Parallel()
	for size, want := range map[setting.Bytes]string{
		0: "0", 1: "1B", 1023: "1023B", 1024: "1KiB", 1000: "1KB", 10_000_000: "10MB", 3 << 29: "1536MiB",
	} {
		if got := size.String(); got != want {
			t.Errorf("Bytes(%d).String() = %q; want %q", int64(size), got, want)
		}
	}
}

func TestBytesReadsBackWhatItWrites(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		size := setting.Bytes(rapid.Int64Min(0).Draw(t, "size"))
		var back setting.Bytes
		if err := back.UnmarshalText([]byte(size.String())); err != nil || back != size {
			t.Fatalf("%d was written as %q and read as %d, %v", int64(size), size, int64(back), err)
		}
	})
}

func FuzzParseBytes(f *testing.F) {
	f.Add("1.5GiB")
	f.Add("64kb")
	f.Fuzz(func(t *testing.T, text string) {
		size, err := setting.ParseBytes(text)
		if err != nil {
			return
		}
		if again, err := setting.ParseBytes(size.String()); size < 0 || err != nil || again != size {
			t.Errorf("%q is %d, which is %d, %v", text, size, again, err)
		}
	})
}
