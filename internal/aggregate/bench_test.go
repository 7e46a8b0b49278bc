package aggregate

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"testing"
)

// keys returns campaign ids, in random order.
func keys(n int) [][]byte {
	out := make([][]byte, n)
	for i := range out {
		out[i] = fmt.Appendf(nil, "campaign-%04d", i)
	}
	rand.Shuffle(n, func(i, j int) { out[i], out[j] = out[j], out[i] })
	return out
}

// filled returns a table of n groups, and their keys.
func filled(n int, functions ...Function) (*Table, [][]byte) {
	t, all := NewTable(functions), keys(n)
	for _, key := range all {
		t.Group(key)
	}
	return t, all
}

func BenchmarkGroup(b *testing.B) {
	for _, n := range []int{100, 1000, 100_000} {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			t, all := filled(n, Count)
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				t.Group(all[i])
				if i++; i == n {
					i = 0
				}
			}
		})
	}
}

func BenchmarkAdd(b *testing.B) {
	const groups = 1 << 10
	prices := make([]float64, 1<<12)
	for i := range prices {
		prices[i] = float64(rand.IntN(100_000)) / 100
	}
	run := func(name string, function Function, add func(t *Table, group, i int)) {
		b.Run(name, func(b *testing.B) {
			t, _ := filled(groups, function)
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				add(t, i%groups, i)
				i++
			}
		})
	}
	run("count", Count, func(t *Table, group, _ int) { t.Count(group, 0) })
	for _, function := range []Function{Sum, Avg, Max} {
		run(function.String()+"/int", function, func(t *Table, group, i int) { t.Int(group, 0, int64(i)) })
		run(function.String()+"/float", function, func(t *Table, group, i int) { t.Float(group, 0, prices[i%len(prices)]) })
	}
	wide := []float64{1e300, 1e-300, 1, -1e300}
	run("sum/wide", Sum, func(t *Table, group, i int) { t.Float(group, 0, wide[i>>10%4]) })
	text := [][]byte{[]byte("2026-11-24T10:00:00Z"), []byte("2026-11-24T11:00:00Z")}
	run("max/text", Max, func(t *Table, group, i int) { t.Text(group, 0, text[i>>10&1]) })
}

// BenchmarkRecord is what a record costs whose step is {views: count(), spent: sum(price)}.
func BenchmarkRecord(b *testing.B) {
	t, all := filled(1000, Count, Sum)
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		group := t.Group(all[i])
		t.Count(group, 0)
		t.Float(group, 1, float64(i)/100)
		if i++; i == len(all) {
			i = 0
		}
	}
}

func BenchmarkMerge(b *testing.B) {
	const groups = 1000
	block, all := filled(groups, Count, Sum)
	for _, key := range all {
		group := block.Group(key)
		block.Count(group, 0)
		block.Float(group, 1, 2.37)
	}
	total := NewTable([]Function{Count, Sum})
	b.ReportAllocs()
	for b.Loop() {
		total.Merge(block)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*groups), "ns/group")
}

func BenchmarkResult(b *testing.B) {
	const groups = 1000
	t, all := filled(groups, Sum, Avg)
	for i := range 20 * groups {
		group := t.Group(all[i%groups])
		t.Float(group, 0, float64(i)/100)
		t.Float(group, 1, float64(i)/100)
	}
	var dst []byte
	b.ReportAllocs()
	for b.Loop() {
		dst = dst[:0]
		for _, group := range t.Sorted() {
			dst = t.AppendResult(dst, group, 0)
			dst = t.AppendResult(dst, group, 1)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*groups), "ns/group")
}
