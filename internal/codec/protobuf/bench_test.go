package protobuf_test

import (
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/dynamicpb"

	"streamer/internal/codec/protobuf"
	"streamer/internal/document"
)

// An event of 10 fields: 250 bytes as JSON.
const (
	eventSchema = `syntax = "proto3"; package shop; enum Type { UNKNOWN = 0; view = 1; click = 2; }
		message Event { string event_id = 1; Type event_type = 2; int64 event_time = 3; int64 user_id = 4; optional string ad_id = 5;
		string campaign = 6; double price = 7; bool mobile = 8; string ip = 9; string agent = 10; }`
	event = `{"event_id":"7f3a9c52-0b1d-4e6f-8a2b-3c4d5e6f7a8b","event_type":"view","event_time":1772000000424,"user_id":8842231907,` +
		`"ad_id":"ad-20931","campaign":"spring-sale-2026","price":12.75,"mobile":true,"ip":"203.0.113.77","agent":"Mozilla/5.0 (X11)"}`
)

func eventMessage(b *testing.B) protobuf.Message {
	b.Helper()
	file, err := protobuf.Parse(eventSchema, nil)
	if err != nil {
		b.Fatal(err)
	}
	m, err := file.Message("")
	if err != nil {
		b.Fatal(err)
	}
	return m
}

func BenchmarkDecode(b *testing.B) {
	m := eventMessage(b)
	data, err := encode(b, m, event)
	if err != nil {
		b.Fatal(err)
	}
	p := protobuf.NewDecoder(m)
	var s protobuf.State
	var d document.Document
	b.ReportAllocs()
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		if err := p.Decode(&s, &d, data); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkDynamic is the official library alone, without a document, for comparison.
func BenchmarkDynamic(b *testing.B) {
	m := eventMessage(b)
	data, err := encode(b, m, event)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if err := proto.Unmarshal(data, dynamicpb.NewMessage(protobuf.Descriptor(m))); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkEncode(b *testing.B) {
	p := protobuf.NewEncoder(eventMessage(b))
	var d document.Document
	if err := d.Parse([]byte(event)); err != nil {
		b.Fatal(err)
	}
	var e protobuf.Encoder
	var dst []byte
	var err error
	b.ReportAllocs()
	for b.Loop() {
		if dst, err = p.Append(&e, dst[:0], &d, document.Root); err != nil {
			b.Fatal(err)
		}
	}
}
