package aggregate

import (
	"bytes"
	"fmt"
	"maps"
	"math"
	"runtime"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestFunctions(t *testing.T) {
	t.Parallel()
	for i, name := range Names() {
		function, ok := ParseFunction(name)
		if !ok || int(function) != i || function.String() != name {
			t.Errorf("%s is %v, %t", name, function, ok)
		}
		if function.TakesArgument() == (name == "count") {
			t.Errorf("%s takes an argument: %t", name, function.TakesArgument())
		}
	}
	for _, name := range []string{"", "Count", "median", "count()"} {
		if function, ok := ParseFunction(name); ok {
			t.Errorf("%q is %v", name, function)
		}
	}
	if got := Function(9).String(); got != "unknown" {
		t.Error(got)
	}
}

// Groups are those of a map, through growing and Reset.
func TestGroupEqualsMap(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		table := NewTable([]Function{Count})
		key := rapid.OneOf(
			rapid.SliceOfN(rapid.Byte(), 0, 2),
			rapid.Custom(func(t *rapid.T) []byte { return fmt.Appendf(nil, "key-%d", rapid.IntRange(0, 200).Draw(t, "n")) }),
		)
		for range rapid.IntRange(1, 3).Draw(t, "rounds") {
			counts, places := map[string]int{}, map[string]int{}
			for _, k := range rapid.SliceOfN(key, 0, 300).Draw(t, "keys") {
				group := table.Group(k)
				if place, known := places[string(k)]; known && place != group || !known && group != len(places) {
					t.Fatalf("group of %q is %d", k, group)
				}
				places[string(k)] = group
				counts[string(k)]++
				table.Count(group, 0)
			}
			checkGroups(t, table, counts)
			table.Reset()
		}
	})
}

func checkGroups(t *rapid.T, table *Table, counts map[string]int) {
	if table.Len() != len(counts) {
		t.Fatalf("%d groups, want %d", table.Len(), len(counts))
	}
	var names []string
	for _, group := range table.Sorted() {
		name := string(table.Key(group))
		names = append(names, name)
		if got := string(table.AppendResult(nil, group, 0)); got != fmt.Sprint(counts[name]) {
			t.Fatalf("%q has %s, want %d", name, got, counts[name])
		}
	}
	if !slices.Equal(names, slices.Sorted(maps.Keys(counts))) {
		t.Fatalf("order is %q", names)
	}
}

// Keys whose slots and even whole hashes agree are told apart.
func TestCollidingHashes(t *testing.T) {
	t.Parallel()
	table := NewTable([]Function{Count})
	for _, hash := range []uint64{0, 1 << 40, math.MaxUint64} {
		for i := range 100 {
			key := fmt.Appendf(nil, "%x-%d", hash, i)
			first := table.find(key, hash)
			if again := table.find(key, hash); again != first || string(table.Key(first)) != string(key) {
				t.Fatalf("%s is %d, then %d", key, first, again)
			}
		}
	}
	if table.Len() != 300 {
		t.Errorf("%d groups", table.Len())
	}
}

// A key belongs to the caller: the next record overwrites it.
func TestKeysAndTextsAreCopied(t *testing.T) {
	t.Parallel()
	table := NewTable([]Function{Max})
	buffer := []byte("abc")
	table.Text(table.Group(buffer), 0, buffer)
	copy(buffer, "xyz")
	if got := string(table.AppendResult(table.Key(0), 0, 0)); got != `abc"abc"` {
		t.Error(got)
	}
	table.Group([]byte("second"))
	_ = append(table.Key(0), "overwrites"...)
	if got := string(table.Key(1)); got != "second" {
		t.Error(got)
	}
}

func TestExtremes(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		values []any
		want   string // min and max
	}{
		"nothing":             {[]any{nil}, "null|null"},
		"integers":            {[]any{3, -5, 4}, "-5|4"},
		"floats":              {[]any{2.5, -0.5}, "-0.5|2.5"},
		"mixed":               {[]any{2, 2.5, 1.5}, "1.5|2.5"},
		"beyond 2^53":         {[]any{1<<53 + 1, float64(1 << 53)}, "9007199254740992|9007199254740993"},
		"beyond 2^63":         {[]any{math.MaxInt64, float64(1 << 63)}, "9223372036854775807|9223372036854776000"},
		"minus zero":          {[]any{0.0, math.Copysign(0, -1)}, "-0|0"},
		"strings":             {[]any{"b", "a", "é"}, `"a"|"é"`},
		"numbers and strings": {[]any{"1", 7, "0"}, `7|"1"`},
		"a string, a number":  {[]any{"1", 2.5}, `2.5|"1"`},
		"escapes":             {[]any{"a\"b\n"}, `"a\"b\n"|"a\"b\n"`},
		"not UTF-8":           {[]any{"a\xff\xfeb"}, `"a�b"|"a�b"`},
		"infinite":            {[]any{math.Inf(1), 1}, "1|null"},
		"not a number":        {[]any{math.NaN(), math.Inf(1), "x"}, `null|"x"`},
		"empty string":        {[]any{""}, `""|""`},
	} {
		inputs := make([]input, len(test.values))
		for i, value := range test.values {
			if v, ok := value.(int); ok {
				value = int64(v)
			}
			inputs[i] = input{value: value}
		}
		for range 2 {
			table := tableOf(inputs)
			if got := string(table.AppendResult(append(table.AppendResult(nil, 0, 2), '|'), 0, 3)); got != test.want {
				t.Errorf("%s: got %s, want %s", name, got, test.want)
			}
			slices.Reverse(inputs)
		}
	}
}

// Only a total order gives the same extreme for any order of merging.
func TestNumbersHaveATotalOrder(t *testing.T) {
	t.Parallel()
	one := rapid.OneOf(
		rapid.Map(rapid.Int64(), intValue),
		rapid.Map(anyFloat(), floatValue),
		rapid.Map(rapid.Int64(), func(i int64) value { return floatValue(float64(i)) }),
		rapid.SampledFrom([]value{
			intValue(0), floatValue(0), floatValue(math.Copysign(0, -1)), floatValue(math.NaN()), floatValue(math.Inf(1)),
			floatValue(math.Inf(-1)), intValue(1 << 53), intValue(1<<53 + 1), floatValue(1 << 53), intValue(math.MaxInt64),
			intValue(math.MinInt64), floatValue(1 << 63), floatValue(-1 << 63),
		}),
	)
	rapid.Check(t, func(t *rapid.T) {
		a, b, c := one.Draw(t, "a"), one.Draw(t, "b"), one.Draw(t, "c")
		if a.compare(a) != 0 || a.compare(b) != -b.compare(a) {
			t.Fatalf("%v and %v", a, b)
		}
		if a.compare(b) <= 0 && b.compare(c) <= 0 && a.compare(c) > 0 {
			t.Fatalf("not transitive: %v %v %v", a, b, c)
		}
		if a.compare(b) == 0 && (a.kind != b.kind || a.bits != b.bits) && !math.IsNaN(a.float()) {
			t.Fatalf("%v and %v are equal and not the same", a, b)
		}
	})
}

// A wrong column for a function is ignored, not a panic in the middle of a block.
func TestFunctionsIgnoreWhatTheyCannotTake(t *testing.T) {
	t.Parallel()
	table := NewTable([]Function{Count, Sum, Avg})
	group := table.Group(nil)
	table.Int(group, 0, 5)
	table.Float(group, 0, 5)
	for column := range 3 {
		table.Text(group, column, []byte("x"))
	}
	if got := written(table); got != "\"\"|0|null|null\n" {
		t.Error(got)
	}
}

// What the plain cells cost is what decides how many groups the memory holds.
func TestCellSizes(t *testing.T) {
	t.Parallel()
	if sumSize > 40 || valueSize > 16 {
		t.Errorf("a sum takes %d bytes and an extreme %d", sumSize, valueSize)
	}
}

func TestNoAllocationOnceGroupsAreKnown(t *testing.T) {
	table := NewTable([]Function{Count, Sum, Min, Max, Avg})
	key, text := []byte("campaign-1"), []byte("2026-11-24")
	if n := testing.AllocsPerRun(100, func() {
		group := table.Group(key)
		table.Count(group, 0)
		for column := 1; column < 5; column++ {
			table.Int(group, column, 7)
			table.Float(group, column, 2.37)
			table.Text(group, column, text)
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
	if n := testing.AllocsPerRun(10, func() {
		table.Reset()
		table.Count(table.Group(key), 0)
	}); n != 0 {
		t.Errorf("%v allocations after Reset", n)
	}
}

func TestResetKeepsLittle(t *testing.T) {
	t.Parallel()
	table := NewTable(allFunctions())
	for i := range 100_000 {
		table.Group(fmt.Appendf(nil, "%d", i))
	}
	if table.Bytes() < maxKept {
		t.Fatalf("only %d bytes", table.Bytes())
	}
	table.Reset()
	if table.Bytes() > 4096 || table.Len() != 0 {
		t.Errorf("keeps %d bytes and %d groups", table.Bytes(), table.Len())
	}
	for i := range 20 {
		for _, value := range []any{int64(3), 1e300, 1.0, 1e-300, strings.Repeat("text", 100)} {
			input{fmt.Sprint(i), value}.addTo(table)
		}
	}
	if table.Bytes() < 20*(2*int64(accumulatorSize)+400) {
		t.Errorf("only %d bytes", table.Bytes())
	}
	table.Reset()
	if table.Bytes() > 8192 {
		t.Errorf("keeps %d bytes", table.Bytes())
	}
	input{"a", 5.5}.addTo(table)
	if got := written(table); got != "\"a\"|1|5.5|5.5|5.5|5.5\n" {
		t.Errorf("after Reset: %s", got)
	}
}

// The byte budget must not be told less than the table holds.
func TestBytesIsWhatTheHeapHolds(t *testing.T) {
	for name, fill := range map[string]func(t *Table, i int){
		"counts":       func(t *Table, i int) { t.Count(t.Group(fmt.Appendf(nil, "key %d", i)), 0) },
		"long keys":    func(t *Table, i int) { t.Group(fmt.Appendf(nil, "%0200d", i)) },
		"accumulators": func(t *Table, i int) { input{fmt.Sprint(i / 3), math.Ldexp(1, 900*(i%3-1))}.addTo(t) },
		"texts":        func(t *Table, i int) { input{fmt.Sprint(i % 1000), strings.Repeat("x", i%97)}.addTo(t) },
	} {
		for _, n := range []int{0, 1, 3000} {
			tables := make([]*Table, 6000/(n+20)) // many, for what the runtime itself allocates meanwhile must not matter
			before := heap()
			var told int64
			for k := range tables {
				tables[k] = NewTable(allFunctions())
				for i := range n {
					fill(tables[k], i)
				}
				told += tables[k].Bytes()
			}
			held := int64(heap()-before) / int64(len(tables))
			told /= int64(len(tables))
			if told+told/8+1024 < held {
				t.Errorf("%s: %d inputs hold %d bytes, Bytes tells %d", name, n, held, told)
			}
			runtime.KeepAlive(tables)
		}
	}
}

func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}

// The prefix that decides most comparisons pads with zeros, which keys may have too.
func TestSortedIsByBytes(t *testing.T) {
	t.Parallel()
	table := NewTable(nil)
	for _, key := range []string{"b", "a\x00\x00", "a", "a\x00", "", "12345678b", "12345678", "12345678a", "\xff"} {
		table.Group([]byte(key))
	}
	var got [][]byte
	for _, group := range table.Sorted() {
		got = append(got, table.Key(group))
	}
	if !slices.IsSortedFunc(got, bytes.Compare) || len(got) != 9 {
		t.Errorf("%q", got)
	}
}
