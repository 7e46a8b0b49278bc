package aggregate

import (
	"math"
	"math/big"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"streamer/internal/document"
)

func allFunctions() []Function { return []Function{Count, Sum, Min, Max, Avg} }

// input is one value for one group.
type input struct {
	key   string
	value any // int64, float64, string, or nil for a record whose value is null
}

func (in input) addTo(t *Table) {
	group := t.Group([]byte(in.key))
	for column, function := range allFunctions() {
		if function == Count {
			t.Count(group, column)
			continue
		}
		switch v := in.value.(type) {
		case int64:
			t.Int(group, column, v)
		case float64:
			t.Float(group, column, v)
		case string:
			t.Text(group, column, []byte(v))
		}
	}
}

func tableOf(inputs []input) *Table {
	t := NewTable(allFunctions())
	for _, in := range inputs {
		in.addTo(t)
	}
	return t
}

// written is every group with its results, in order.
func written(t *Table) string {
	var out []byte
	for _, group := range t.Sorted() {
		out = strconv.AppendQuote(out, string(t.Key(group)))
		for column := range t.columns {
			out = t.AppendResult(append(out, '|'), group, column)
		}
		out = append(out, '\n')
	}
	return string(out)
}

// model is the same with big numbers and maps.
func model(inputs []input) string {
	groups := map[string][]any{}
	for _, in := range inputs {
		groups[in.key] = append(groups[in.key], in.value)
	}
	t := NewTable(nil) // sorts the keys
	for key := range groups {
		t.Group([]byte(key))
	}
	var out strings.Builder
	for _, group := range t.Sorted() {
		key := string(t.Key(group))
		values := groups[key]
		total, average := modelSum(values)
		least, most := modelExtremes(values)
		out.WriteString(strings.Join([]string{
			strconv.Quote(key), strconv.Itoa(len(values)), total, least, most, average,
		}, "|") + "\n")
	}
	return out.String()
}

func modelSum(values []any) (total, average string) {
	exact, count, ints := new(big.Rat), int64(0), true
	for _, value := range values {
		switch v := value.(type) {
		case int64:
			exact.Add(exact, new(big.Rat).SetInt64(v))
			count++
		case float64:
			ints = false
			if math.IsInf(v, 0) || math.IsNaN(v) {
				return null, null
			}
			exact.Add(exact, new(big.Rat).SetFloat64(v))
			count++
		}
	}
	if count == 0 {
		return null, null
	}
	nearest, _ := exact.Float64()
	total = number(nearest)
	if ints && exact.Num().IsInt64() {
		total = exact.Num().String()
	}
	nearest, _ = exact.Quo(exact, new(big.Rat).SetInt64(count)).Float64()
	return total, number(nearest)
}

func number(f float64) string {
	text, err := document.AppendFloat(nil, f+0)
	if err != nil {
		return null
	}
	return string(text)
}

func modelExtremes(values []any) (least, most string) {
	var low, high any
	for _, value := range values {
		if value == nil {
			continue
		}
		if low == nil || modelLess(value, low) {
			low = value
		}
		if high == nil || modelLess(high, value) {
			high = value
		}
	}
	text := func(value any) string {
		out, err := document.AppendGo(nil, asGo(value))
		if err != nil {
			return null
		}
		return string(out)
	}
	return text(low), text(high)
}

// modelLess ranks by type (numbers, NaN, strings) and then by exact value, type of number and sign.
func modelLess(a, b any) bool {
	if x, y := rank(a), rank(b); x != y {
		return x < y
	}
	if s, ok := a.(string); ok {
		return s < b.(string)
	}
	if rank(a) == 1 {
		return false
	}
	x, y := exactly(a), exactly(b)
	if c := x.Cmp(y); c != 0 {
		return c < 0
	}
	return tie(a) < tie(b)
}

func rank(value any) int {
	switch v := value.(type) {
	case string:
		return 2
	case float64:
		if math.IsNaN(v) {
			return 1
		}
	}
	return 0
}

func exactly(value any) *big.Float {
	if i, ok := value.(int64); ok {
		return new(big.Float).SetInt64(i)
	}
	return new(big.Float).SetFloat64(value.(float64))
}

func tie(value any) int {
	f, ok := value.(float64)
	switch {
	case !ok:
		return 0
	case math.Signbit(f):
		return 1
	}
	return 2
}

// asGo gives what document.AppendGo can write.
func asGo(value any) any {
	if i, ok := value.(int64); ok {
		return int(i)
	}
	return value
}

// anyFloat draws what is hard to sum: extremes, subnormals, numbers of very different size, and ordinary prices.
func anyFloat() *rapid.Generator[float64] {
	return rapid.OneOf(
		rapid.Float64(),
		rapid.SampledFrom([]float64{
			math.MaxFloat64, -math.MaxFloat64, math.SmallestNonzeroFloat64, -math.SmallestNonzeroFloat64, math.Copysign(0, -1), 0,
			1 << 53, 1<<53 + 2, 1 << 63, -1 << 63, 1e308, -1e308, 0x1p-1022, 0x1.8p970, -0x1p970, 0.1, 0.2, 1e16, -1e16, 1e-30,
		}),
		rapid.Custom(func(t *rapid.T) float64 { return float64(rapid.IntRange(-100_000, 100_000).Draw(t, "cents")) / 100 }),
		rapid.Custom(func(t *rapid.T) float64 {
			return math.Ldexp(rapid.Float64Range(-1, 1).Draw(t, "m"), rapid.IntRange(-1080, 1024).Draw(t, "e"))
		}),
	)
}

func anyValue() *rapid.Generator[any] {
	return rapid.OneOf(
		rapid.Map(anyFloat(), func(f float64) any { return f }),
		rapid.Map(rapid.Int64(), func(i int64) any { return i }),
		rapid.Map(rapid.SampledFrom([]int64{math.MaxInt64, math.MinInt64, 1<<53 + 1, -1<<53 - 1, 0, 1}), func(i int64) any { return i }),
		rapid.Map(rapid.String(), func(s string) any { return s }),
		rapid.Just[any](nil),
		rapid.SampledFrom([]any{math.Inf(1), math.Inf(-1), math.NaN()}),
	)
}

func numbersOnly(value any) bool {
	switch v := value.(type) {
	case int64:
		return true
	case float64:
		return !math.IsInf(v, 0) && !math.IsNaN(v)
	}
	return false
}

func anyInputs() *rapid.Generator[[]input] {
	return rapid.Custom(func(t *rapid.T) []input {
		values := anyValue()
		if rapid.Bool().Draw(t, "finite") { // else an infinite one soon makes every sum null
			values = values.Filter(numbersOnly)
		}
		key := rapid.SampledFrom([]string{"", "a", "b", "\x00", "a longer key", "a longer kez"})
		return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) input {
			return input{key.Draw(t, "key"), values.Draw(t, "value")}
		}), 0, 40).Draw(t, "inputs")
	})
}

// The results are those of big numbers.
func TestResultsEqualModel(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		inputs := anyInputs().Draw(t, "inputs")
		if got, want := written(tableOf(inputs)), model(inputs); got != want {
			t.Fatalf("got\n%s\nwant\n%s", got, want)
		}
	})
}

// Any split into tables, any order within them and any order of merging gives the same bytes.
func TestResultsDoNotDependOnOrder(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		inputs := anyInputs().Draw(t, "inputs")
		want := written(tableOf(inputs))
		parts := make([][]input, rapid.IntRange(1, 6).Draw(t, "parts"))
		for _, in := range rapid.Permutation(inputs).Draw(t, "order") {
			i := rapid.IntRange(0, len(parts)-1).Draw(t, "part")
			parts[i] = append(parts[i], in)
		}
		var tables []*Table
		for _, part := range parts {
			tables = append(tables, tableOf(part))
		}
		for len(tables) > 1 {
			into := rapid.IntRange(0, len(tables)-1).Draw(t, "into")
			from := rapid.IntRange(0, len(tables)-1).Filter(func(i int) bool { return i != into }).Draw(t, "from")
			before := written(tables[from])
			tables[into].Merge(tables[from])
			if after := written(tables[from]); after != before {
				t.Fatalf("Merge changed the other table from\n%s\nto\n%s", before, after)
			}
			tables[from] = tables[len(tables)-1]
			tables = tables[:len(tables)-1]
		}
		if got := written(tables[0]); got != want {
			t.Fatalf("got\n%s\nwant\n%s", got, want)
		}
	})
}
