package aggregate

import (
	"encoding/binary"
	"math"
	"math/big"
	"math/rand/v2"
	"testing"
)

// results adds the values to one group and writes its sum and average.
func results(values ...any) string { return resultsOf(summed(values...)) }

func resultsOf(t *Table) string {
	return string(t.AppendResult(append(t.AppendResult(nil, 0, 0), '|'), 0, 1))
}

func summed(values ...any) *Table {
	t := NewTable([]Function{Sum, Avg})
	group := t.Group(nil)
	for _, value := range values {
		for column := range 2 {
			switch v := value.(type) {
			case int:
				t.Int(group, column, int64(v))
			case float64:
				t.Float(group, column, v)
			}
		}
	}
	return t
}

func TestSums(t *testing.T) {
	t.Parallel()
	const most, least = math.MaxFloat64, math.SmallestNonzeroFloat64
	negativeZero := math.Copysign(0, -1)
	for name, test := range map[string]struct {
		values []any
		want   string
	}{
		"nothing":                    {nil, "null|null"},
		"integers":                   {[]any{1, 2, 4}, "7|2.3333333333333335"},
		"zero is not nothing":        {[]any{0}, "0|0"},
		"negative":                   {[]any{-1, -2}, "-3|-1.5"},
		"a float makes a float":      {[]any{1, 2.5}, "3.5|1.75"},
		"ten tenths":                 {[]any{.1, .1, .1, .1, .1, .1, .1, .1, .1, .1}, "1|0.1"},
		"cancellation":               {[]any{1e100, 1.0, -1e100}, "1|0.3333333333333333"},
		"three terms":                {[]any{1e200, 1e100, 1.0, -1e200, -1e100}, "1|0.2"},
		"four terms":                 {[]any{1e300, 1e200, 1e100, 1.0, -1e300, -1e200, -1e100, 1.0}, "2|0.25"},
		"over the range and back":    {[]any{most, most, -most, -most, 1.5}, "1.5|0.3"},
		"beyond the range":           {[]any{most, most}, "null|1.7976931348623157e+308"},
		"below the range":            {[]any{-most, -most, -most}, "null|-1.7976931348623157e+308"},
		"half an ulp over the range": {[]any{most, 0x1p970}, "null|8.98846567431158e+307"},
		"less is rounded down":       {[]any{most, 0x1p970, -least}, "1.7976931348623157e+308|5.992310449541053e+307"},
		"subnormals":                 {[]any{least, least, -least}, "5e-324|0"},
		"half of the least is even":  {[]any{least, 0.0}, "5e-324|0"},
		"no minus zero":              {[]any{negativeZero, negativeZero}, "0|0"},
		"no minus zero by rounding":  {[]any{-least, 0.0, 0.0}, "-5e-324|0"},
		"largest integers":           {[]any{math.MaxInt64, math.MinInt64, math.MaxInt64}, "9223372036854775806|3074457345618258400"},
		"beyond 64 bits":             {[]any{math.MaxInt64, math.MaxInt64}, "18446744073709552000|9223372036854776000"},
		"back from beyond 64 bits":   {[]any{math.MaxInt64, math.MaxInt64, -math.MaxInt64}, "9223372036854775807|3074457345618258400"},
		"integers round once":        {[]any{1<<53 + 1, 0.0}, "9007199254740992|4503599627370496"},
		"integers and floats once":   {[]any{1<<53 + 1, 1e-300}, "9007199254740994|4503599627370497"},
		"a hair above a tie":         {[]any{1<<54 + 2, 1<<53 + 1, 1<<53 + 1, least}, "36028797018963976|9007199254740994"},
		"infinite":                   {[]any{1.0, math.Inf(1)}, "null|null"},
		"infinities do not cancel":   {[]any{math.Inf(1), math.Inf(-1), 1}, "null|null"},
		"not a number":               {[]any{math.NaN(), 2}, "null|null"},
	} {
		if got := results(test.values...); got != test.want {
			t.Errorf("%s: got %s, want %s", name, got, test.want)
		}
		for cut := range test.values {
			merged := summed(test.values[cut:]...)
			merged.Merge(summed(test.values[:cut]...))
			if got := resultsOf(merged); got != test.want {
				t.Errorf("%s, merged at %d: got %s, want %s", name, cut, got, test.want)
			}
		}
	}
}

// Doubling a sum by merging reaches the ends of its 128 bits.
func TestIntegersBeyond64Bits(t *testing.T) {
	t.Parallel()
	for _, first := range []int64{math.MaxInt64, math.MinInt64, -1, 1} {
		total := NewTable([]Function{Sum})
		total.Int(total.Group(nil), 0, first)
		exact := big.NewInt(first)
		for range 63 {
			half := NewTable([]Function{Sum})
			half.Merge(total)
			total.Merge(half)
			exact.Lsh(exact, 1)
			want, _ := new(big.Float).SetInt(exact).Float64()
			if got := string(total.AppendResult(nil, 0, 0)); got != number(want) && got != exact.String() {
				t.Fatalf("got %s, want %s", got, exact)
			}
		}
		total.Int(0, 0, -1)
		exact.Sub(exact, big.NewInt(1))
		s := total.columns[0].sums[0]
		got := new(big.Int).Lsh(big.NewInt(s.high), 64)
		if got.Add(got, new(big.Int).SetUint64(s.low)).Cmp(exact) != 0 {
			t.Errorf("got %v, want %v", got, exact)
		}
	}
}

// A million prices stay within the two terms: an accumulator for each key would cost more memory than the records.
func TestPricesNeedNoAccumulator(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	table := NewTable([]Function{Sum})
	group := table.Group(nil)
	exact := new(big.Float).SetPrec(2200)
	for range 1_000_000 {
		price := float64(random.IntN(1_000_000)) / 100
		table.Float(group, 0, price)
		exact.Add(exact, big.NewFloat(price))
	}
	want, _ := exact.Float64()
	if got := string(table.AppendResult(nil, group, 0)); got != number(want) {
		t.Errorf("got %s, want %s", got, number(want))
	}
	if n := len(table.columns[0].accumulators); n != 0 {
		t.Errorf("%d accumulators were made", n)
	}
}

// More additions and merges than the accumulator's chunks take without a carry.
func TestAccumulatorCarries(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(3, 4))
	for _, sign := range []float64{1, -1} {
		var total, part accumulator
		exact := new(big.Float).SetPrec(2400)
		for i := range 20 * room {
			f := sign * math.Ldexp(1+random.Float64(), random.IntN(2040)-1030)
			if i%3 == 0 {
				f = sign * math.MaxFloat64
			}
			part.add(f)
			exact.Add(exact, big.NewFloat(f))
			if i%(2*room) == room {
				total.merge(&part)
				part = accumulator{}
			}
		}
		total.merge(&part)
		got := new(big.Float).SetInt(total.scaled())
		if got.SetMantExp(got, lowestExponent).Cmp(exact) != 0 {
			t.Errorf("got %g, want %g", got, exact)
		}
	}
}

// FuzzSum sums any floats, divided over two tables, against big.Rat.
func FuzzSum(f *testing.F) {
	add := func(cut uint8, values ...float64) {
		var data []byte
		for _, v := range values {
			data = binary.LittleEndian.AppendUint64(data, math.Float64bits(v))
		}
		f.Add(data, cut)
	}
	add(1, 0.1, 0.2, 0.3)
	add(2, math.MaxFloat64, math.MaxFloat64, -math.MaxFloat64, 1e-320)
	f.Fuzz(func(t *testing.T, data []byte, cut uint8) {
		if len(data) > 8<<10 {
			return // big.Rat is slow
		}
		var inputs []input
		for ; len(data) >= 8; data = data[8:] {
			word := binary.LittleEndian.Uint64(data)
			var value any = math.Float64frombits(word)
			if word&3 == 3 {
				value = int64(word) >> (word >> 2 & 63)
			}
			inputs = append(inputs, input{value: value})
		}
		at := min(int(cut), len(inputs))
		table := tableOf(inputs[at:])
		table.Merge(tableOf(inputs[:at]))
		if got, want := written(table), model(inputs); got != want {
			t.Fatalf("got\n%s\nwant\n%s", got, want)
		}
	})
}
