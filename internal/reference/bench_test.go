package reference

import (
	"fmt"
	"runtime"
	"strconv"
	"strings"
	"testing"
)

// ads returns a table of ads with five columns.
func ads(n int) string {
	var text strings.Builder
	text.WriteString("ad_id,campaign_id,advertiser,price,country\n")
	for i := range n {
		fmt.Fprintf(&text, "ad-%07d,campaign-%04d,acme-%02d,%d.50,CH\n", i, i%10_000, i%100, i%50)
	}
	return text.String()
}

func BenchmarkFind(b *testing.B) {
	for _, n := range []int{1000, 100_000, 1_000_000} {
		rows, err := parse(strings.NewReader(ads(n)), formatCSV, "ad_id")
		if err != nil {
			b.Fatal(err)
		}
		keys := make([][]byte, min(n, 1<<16))
		for i := range keys {
			keys[i] = fmt.Appendf(nil, "ad-%07d", i*7919%n)
		}
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				if rows.Find(keys[i]) == nil {
					b.Fatal("no row")
				}
				if i++; i == len(keys) {
					i = 0
				}
			}
		})
	}
}

// BenchmarkLoad tells the memory of a row too.
func BenchmarkLoad(b *testing.B) {
	const n = 1_000_000
	text := ads(n)
	var rows *Rows
	before := heap()
	for b.Loop() {
		var err error
		if rows, err = parse(strings.NewReader(text), formatCSV, "ad_id"); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(heap()-before)/n, "heap-B/row")
	b.ReportMetric(float64(rows.Bytes())/n, "B/row")
	b.ReportMetric(float64(len(text))/n, "text-B/row")
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/row")
	runtime.KeepAlive(rows)
	runtime.KeepAlive(text)
}

func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}
