package pipeline

import (
	"fmt"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// events makes ad events of 230 to 240 B, a third of them views.
func events(n int) []*kgo.Record {
	records := make([]*kgo.Record, n)
	for i := range records {
		kind := []string{"view", "click", "purchase"}[i%3]
		records[i] = &kgo.Record{
			Topic: "events", Offset: int64(i), Timestamp: time.UnixMilli(int64(i)), Key: fmt.Appendf(nil, "user-%d", i%1000),
			Value: fmt.Appendf(nil, `{"event_id":"0f9a3c6e-7c31-4a8e-9f0a-%012d","user_id":"user-%d","page_id":"page-42","ad_id":"ad-%d",`+
				`"ad_type":"banner","event_type":"%s","event_time":%d,"ip_address":"10.20.30.40"}`, i, i%1000, i%100, kind, 1790000000000+i),
		}
	}
	return records
}

// BenchmarkProcess reports time and objects per record. A record of the filter+map pipelines is parsed once, two fields
// are read and, of one record in three, two are copied.
func BenchmarkProcess(b *testing.B) {
	for name, config := range map[string]string{
		"pass-through": `{}`,
		"filter":       `{decode: json, steps: [{filter: event_type == "view"}]}`,
		"filter+map":   `{decode: json, encode: json, steps: [{filter: event_type == "view" && event_time > 5}, {map: {ad_id: ad_id, event_time: event_time}}]}`,
		"map":          `{decode: json, encode: json, steps: [{map: {ad_id: ad_id, event_time: event_time}}]}`,
		"map computed": `{decode: json, encode: json, steps: [{map: {ad: 'upper(ad_id)', hour: 'event_time / 3600000'}}]}`,
		"validate":     `{decode: json, encode: json}`,
	} {
		b.Run(name, func(b *testing.B) {
			w := worker(b, config)
			records := events(4096)
			b.ReportAllocs()
			for b.Loop() {
				blk, _ := block(records)
				w.Process(blk)
				if blk.Stopped != nil {
					b.Fatal(blk.Stopped)
				}
			}
			perRecord := float64(b.N) * float64(len(records))
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/perRecord, "ns/record")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// TestFilterAndMapDoNotAllocatePerRecord: a block costs a handful of objects, however many records it has.
func TestFilterAndMapDoNotAllocatePerRecord(t *testing.T) {
	w := worker(t, `{decode: json, encode: json, steps: [{filter: event_type == "view" && event_time > 5}, `+
		`{map: {ad_id: ad_id, event_time: event_time}}]}`)
	records := events(3000)
	count := testing.AllocsPerRun(10, func() {
		b, _ := block(records)
		w.Process(b)
	})
	const perBlock = 12 // the block, its account and budget, Out, the arena, the headers
	if count > perBlock {
		t.Errorf("a block of %d records allocates %v objects", len(records), count)
	}
}
