package setting

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Bytes is a size; written with a unit: 64KiB, 1MiB, 2GiB, 10MB, 512B. 0 needs no unit.
type Bytes int64

type byteUnit struct {
	name string
	size int64
}

// byteUnits in the order in which String tries them: the largest binary unit that divides the size wins, then the
// largest decimal one, so that 10MB stays 10MB and is not shown as 10000000B.
func byteUnits() []byteUnit {
	return []byteUnit{
		{"TiB", 1 << 40},
		{"GiB", 1 << 30},
		{"MiB", 1 << 20},
		{"KiB", 1 << 10},
		{"TB", 1e12},
		{"GB", 1e9},
		{"MB", 1e6},
		{"KB", 1e3},
		{"B", 1},
	}
}

// ParseBytes reads a size such as 64KiB, 1.5GiB or 0. The error is a [Fault] without a field.
func ParseBytes(text string) (Bytes, error) {
	fault := func(format string, args ...any) (Bytes, error) {
		return 0, Fault{Value: text, Remedy: fmt.Sprintf(format, args...)}
	}
	digits := strings.TrimRight(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
	unit := text[len(digits):]
	if strings.HasPrefix(digits, "-") {
		return fault("is negative; write a size such as 16MiB")
	}
	if !isNumber(digits) {
		return fault("is not a size; write a number with a unit, such as 16MiB")
	}
	number, err := strconv.ParseFloat(digits, 64)
	if err != nil {
		return fault("is not a size; write a number with a unit, such as 16MiB")
	}
	switch {
	case unit == "" && number == 0:
		return 0, nil
	case unit == "":
		return fault("has no unit; write %sB, %sKiB or %sMiB", digits, digits, digits)
	}
	for _, known := range byteUnits() {
		if known.name == unit {
			return scaleBytes(text, digits, number, known)
		}
	}
	switch letter := strings.ToUpper(unit[:1]); letter {
	case "K", "M", "G", "T":
		return fault("has the unknown unit %q; write %s%siB (powers of 1024) or %s%sB (powers of 1000)",
			unit, digits, letter, digits, letter)
	}
	return fault("has the unknown unit %q; write B, KiB, MiB, GiB, TiB, KB, MB, GB or TB", unit)
}

// scaleBytes multiplies in integers where it can: a float loses the last bytes of sizes above 2^53.
func scaleBytes(text, digits string, number float64, unit byteUnit) (Bytes, error) {
	if whole, err := strconv.ParseInt(digits, 10, 64); err == nil && whole <= math.MaxInt64/unit.size {
		return Bytes(whole * unit.size), nil
	}
	product := number * float64(unit.size)
	if product >= math.MaxInt64 {
		return 0, Fault{Value: text, Remedy: "is too large; write a size below 8388608TiB"}
	}
	if product != math.Trunc(product) {
		return 0, Fault{Value: text, Remedy: "is not a whole number of bytes; write a smaller unit"}
	}
	return Bytes(product), nil
}

// isNumber accepts digits with at most one point between them; strconv alone would take 1e3, 0x10, inf and 1_000 too.
func isNumber(text string) bool {
	whole, fraction, found := strings.Cut(text, ".")
	return isDigits(whole) && (!found || isDigits(fraction))
}

func isDigits(text string) bool {
	return text != "" && strings.Trim(text, "0123456789") == ""
}

// String writes the size with the largest unit that loses nothing.
func (b Bytes) String() string {
	if b == 0 {
		return "0"
	}
	for _, unit := range byteUnits() {
		if int64(b)%unit.size == 0 {
			return strconv.FormatInt(int64(b)/unit.size, 10) + unit.name
		}
	}
	return strconv.FormatInt(int64(b), 10) + "B"
}

// MarshalText writes the size as String does.
func (b Bytes) MarshalText() ([]byte, error) { return []byte(b.String()), nil }

// UnmarshalText reads the size as [ParseBytes] does.
func (b *Bytes) UnmarshalText(text []byte) error {
	parsed, err := ParseBytes(string(text))
	if err != nil {
		return err
	}
	*b = parsed
	return nil
}
