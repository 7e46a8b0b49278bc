package codec_test

import (
	"testing"

	"github.com/twmb/franz-go/pkg/sr"

	"streamer/internal/codec"
	"streamer/internal/document"
)

// BenchmarkFramedDecode is a value with a header whose schema is in the cache.
func BenchmarkFramedDecode(b *testing.B) {
	w := newWorld(b)
	w.SeedSchema("a", 1, 7, sr.Schema{Schema: `{"type":"record","name":"View","fields":[{"name":"ad","type":"string"},{"name":"cents","type":"long"}]}`})
	d := w.decoder(b, codec.Config{Format: "avro"})
	data, ctx := []byte("\x00\x00\x00\x00\x07\x04am\xac\x02"), b.Context()
	var doc document.Document
	b.ReportAllocs()
	for b.Loop() {
		if err := d.Decode(ctx, &doc, data); err != nil {
			b.Fatal(err)
		}
	}
}
