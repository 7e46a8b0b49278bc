package avro_test

import (
	"testing"

	"streamer/internal/codec/avro"
	"streamer/internal/document"
)

// An event of 10 fields: 250 bytes as JSON.
const (
	eventSchema = `{"type":"record","name":"Event","namespace":"shop","fields":[
		{"name":"event_id","type":"string"},{"name":"event_type","type":{"type":"enum","name":"Type","symbols":["view","click"]}},
		{"name":"event_time","type":{"type":"long","logicalType":"timestamp-millis"}},{"name":"user_id","type":"long"},
		{"name":"ad_id","type":["null","string"]},{"name":"campaign","type":"string"},{"name":"price","type":"double"},
		{"name":"mobile","type":"boolean"},{"name":"ip","type":"string"},{"name":"agent","type":"string"}]}`
	event = `{"event_id":"7f3a9c52-0b1d-4e6f-8a2b-3c4d5e6f7a8b","event_type":"view","event_time":1772000000424,"user_id":8842231907,` +
		`"ad_id":"ad-20931","campaign":"spring-sale-2026","price":12.75,"mobile":true,"ip":"203.0.113.77","agent":"Mozilla/5.0 (X11)"}`
)

func BenchmarkDecode(b *testing.B) {
	s := schema(b, eventSchema)
	data, err := encode(b, s, event)
	if err != nil {
		b.Fatal(err)
	}
	p, err := avro.NewDecoder(s, nil)
	if err != nil {
		b.Fatal(err)
	}
	var state avro.State
	var d document.Document
	b.ReportAllocs()
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		if err := p.Decode(&state, &d, data); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkEncode(b *testing.B) {
	p, err := avro.NewEncoder(schema(b, eventSchema))
	if err != nil {
		b.Fatal(err)
	}
	var d document.Document
	if err := d.Parse([]byte(event)); err != nil {
		b.Fatal(err)
	}
	var e avro.Encoder
	var dst []byte
	b.ReportAllocs()
	for b.Loop() {
		if dst, err = p.Append(&e, dst[:0], &d, document.Root); err != nil {
			b.Fatal(err)
		}
	}
}
