package avro

import (
	"errors"
	"math/big"
	"slices"
	"strconv"

	hamba "github.com/hamba/avro/v2"

	"streamer/internal/codec/scalar"
	"streamer/internal/document"
)

var (
	errDigits     = errors.New("decimal has more digits than its precision")
	errScale      = errors.New("decimal has more places than its scale")
	errNotDecimal = errors.New("text is not a decimal number")
	errFixedSize  = errors.New("decimal does not fit the fixed type")
)

// decimalBytes is how many bytes the two's complement of a number with so many digits takes at most.
func decimalBytes(precision int) int { return precision*10/24 + 2 } // log₂10 / 8 is below 10/24

// appendDecimal writes a decimal, which Avro has as the two's complement of its digits, as text: 12.50.
func appendDecimal(dst, bytes []byte, scale, precision int) ([]byte, error) {
	if len(bytes) == 0 {
		bytes = []byte{0} // Java writes 0 as one byte; no byte at all can only be 0
	}
	negative := bytes[0] >= 0x80
	for len(bytes) > 1 && (negative && bytes[0] == 0xff && bytes[1] >= 0x80 || bytes[0] == 0 && bytes[1] < 0x80) {
		bytes = bytes[1:] // a sign that says nothing, as in a fixed type
	}
	if len(bytes) > decimalBytes(precision) {
		return dst, errDigits
	}
	start := len(dst)
	if len(bytes) <= 8 {
		value := int64(0)
		if negative {
			value = -1
		}
		for _, b := range bytes {
			value = value<<8 | int64(b)
		}
		dst = strconv.AppendInt(dst, value, 10)
	} else {
		value := new(big.Int).SetBytes(bytes)
		if negative {
			value.Sub(value, new(big.Int).Lsh(big.NewInt(1), uint(len(bytes))*8))
		}
		dst = value.Append(dst, 10)
	}
	if negative {
		start++ // behind the sign
	}
	if len(dst)-start > precision {
		return dst, errDigits // it could not be written back
	}
	return point(dst, start, scale), nil
}

// point puts the decimal point into the digits that begin at start.
func point(dst []byte, start, scale int) []byte {
	if scale == 0 {
		return dst
	}
	for len(dst)-start <= scale {
		dst = slices.Insert(dst, start, '0')
	}
	return slices.Insert(dst, len(dst)-scale, '.')
}

// encodeDecimal writes text or a number as the two's complement of its digits: of fixed size if size is not negative, else
// with its length in front. Nothing is rounded.
func encodeDecimal(logical *hamba.DecimalLogicalSchema, size int) encodeFunc {
	scale, precision := logical.Scale(), logical.Precision()
	return func(e *Encoder, dst []byte, n document.Node) ([]byte, error) {
		var text []byte
		switch kind := e.d.Kind(n); kind {
		case document.String:
			text = e.d.Text(n)
		case document.Integer, document.Float:
			e.scratch = e.d.Append(e.scratch[:0], n)
			text = e.scratch
		default:
			return dst, scalar.Wants("decimal", kind)
		}
		unscaled, err := parseDecimal(text, scale, precision)
		if err != nil {
			return dst, err
		}
		bytes := twosComplement(unscaled)
		switch {
		case size < 0:
			return append(appendLong(dst, int64(len(bytes))), bytes...), nil
		case len(bytes) > size:
			return dst, errFixedSize
		}
		sign := byte(0)
		if unscaled.Sign() < 0 {
			sign = 0xff
		}
		for range size - len(bytes) {
			dst = append(dst, sign)
		}
		return append(dst, bytes...), nil
	}
}

// parseDecimal reads digits with a point, a sign and an exponent, as far as they are there, and returns the number times
// 10^scale.
func parseDecimal(text []byte, scale, precision int) (*big.Int, error) {
	negative, digits, exponent, ok := splitDecimal(text)
	if !ok {
		return nil, errNotDecimal
	}
	for len(digits) > 0 && digits[0] == '0' {
		digits = digits[1:]
	}
	if len(digits) == 0 {
		return new(big.Int), nil
	}
	shift := exponent + scale
	for ; shift < 0; shift++ { // 1.50 has one place too many for a scale of 1, but loses nothing
		last := len(digits) - 1
		if last < 0 || digits[last] != '0' {
			return nil, errScale
		}
		digits = digits[:last]
	}
	if len(digits)+shift > precision {
		return nil, errDigits
	}
	for range shift {
		digits = append(digits, '0')
	}
	value, ok := new(big.Int).SetString(string(digits), 10)
	if !ok {
		return nil, errNotDecimal
	}
	if negative {
		value.Neg(value)
	}
	return value, nil
}

// splitDecimal returns the digits without point, and the power of ten that they are to be multiplied by.
func splitDecimal(text []byte) (negative bool, digits []byte, exponent int, ok bool) {
	if len(text) > 0 && (text[0] == '-' || text[0] == '+') {
		negative, text = text[0] == '-', text[1:]
	}
	digits = make([]byte, 0, len(text)+16)
	pointed := false
	for i, b := range text {
		switch {
		case b >= '0' && b <= '9':
			digits = append(digits, b)
			if pointed {
				exponent--
			}
		case b == '.' && !pointed:
			pointed = true
		case b == 'e' || b == 'E':
			power, err := strconv.ParseInt(string(text[i+1:]), 10, 16) // far beyond any precision
			return negative, digits, exponent + int(power), err == nil && len(digits) > 0
		default:
			return false, nil, 0, false
		}
	}
	return negative, digits, exponent, len(digits) > 0
}

// twosComplement returns the shortest big-endian form.
func twosComplement(value *big.Int) []byte {
	if value.Sign() >= 0 {
		bytes := value.Bytes()
		if len(bytes) == 0 || bytes[0] >= 0x80 {
			bytes = append([]byte{0}, bytes...)
		}
		return bytes
	}
	size := new(big.Int).Not(value).BitLen()/8 + 1
	return new(big.Int).Add(value, new(big.Int).Lsh(big.NewInt(1), uint(size)*8)).Bytes()
}
