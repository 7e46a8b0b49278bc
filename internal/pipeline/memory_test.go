package pipeline

import (
	"bytes"
	"strings"
	"testing"
	"unsafe"

	"github.com/twmb/franz-go/pkg/kgo"

	"streamer/internal/record"
)

// fetch makes records whose keys, values and header values lie in one buffer, as kgo's do in a decompressed batch.
func fetch(records []*kgo.Record) (buffer []byte) {
	var size int
	for _, r := range records {
		size += int(record.Size(r))
	}
	buffer = make([]byte, 0, size)
	move := func(b []byte) []byte {
		if b == nil {
			return nil
		}
		start := len(buffer)
		buffer = append(buffer, b...)
		return buffer[start:len(buffer):len(buffer)]
	}
	for _, r := range records {
		r.Key, r.Value = move(r.Key), move(r.Value)
		for i := range r.Headers {
			r.Headers[i].Value = move(r.Headers[i].Value)
		}
	}
	return buffer
}

// pins reports whether any output lies in the buffer.
func pins(b *record.Block, buffer []byte) bool {
	first := uintptr(unsafe.Pointer(unsafe.SliceData(buffer)))
	inside := func(b []byte) bool {
		at := uintptr(unsafe.Pointer(unsafe.SliceData(b)))
		return len(b) > 0 && at >= first && at < first+uintptr(cap(buffer))
	}
	for i := range b.Len() {
		out := b.Output(i)
		if inside(out.Key) || inside(out.Value) {
			return true
		}
		for _, h := range out.Headers {
			if inside(h.Value) {
				return true
			}
		}
	}
	return false
}

// TestCharge gives exact numbers. Each input record is charged 200 + a key of 10 + a value of 90 + a header of 2+8, 310
// in all, 110 of it payload.
func TestCharge(t *testing.T) {
	const n = 100
	for _, test := range []struct {
		name, config string
		want         int64 // beside the block's own 512
		pins         bool
	}{
		{"all kept in place: the input's size", `{}`, n * 310, true},
		{"all kept by a filter: the input's size", `{steps: [{filter: 'true'}]}`, n * 310, true},
		{"26 of 100 kept in place: they pin the whole input", `{steps: [{filter: meta.offset < 36}]}`, n * 310, true},
		{"25 of 100 kept are copied: only their own size", `{steps: [{filter: meta.offset < 35}]}`, 25 * 310, false},
		{"1 of 100 kept is copied", `{steps: [{filter: meta.offset == 50}]}`, 310, false},
		{"none kept", `{steps: [{filter: 'false'}]}`, 0, false},
		{"mapped: key and header are copied, the value is new: 200+10+10+len(`{\"o\":1234567}`)", `{encode: json, steps: [{map: {o: '1234567'}}]}`, n * (220 + 13), false},
		{"mapped to more than came in", `{encode: json, steps: [{map: {o: 'repeat("x", 1000)'}}]}`, n * (220 + 1008), false},
		{"written as JSON strings: two quotes more", `{decode: string, encode: json}`, n * 312, false},
		{"all skipped: their failures", `{decode: json, encode: json, on_error: skip}`, n * 200, false},
		{"stopped at the first", `{decode: json, encode: json}`, 0, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			records := make([]*kgo.Record, n)
			for i := range records {
				records[i] = &kgo.Record{
					Offset: int64(10 + i), Key: bytes.Repeat([]byte("k"), 10), Value: bytes.Repeat([]byte("v"), 90),
					Headers: []kgo.RecordHeader{{Key: "hh", Value: bytes.Repeat([]byte("h"), 8)}},
				}
			}
			buffer := fetch(records)
			b, account := block(records)
			worker(t, test.config).Process(b)
			if want := record.BlockOverhead + test.want; b.Bytes() != want || account.Used() != want {
				t.Errorf("block is charged %d, its account %d, want %d", b.Bytes(), account.Used(), want)
			}
			if got := pins(b, buffer); got != test.pins {
				t.Errorf("pins the input: %v", got)
			}
			if b.In != nil {
				t.Error("still holds the input records")
			}
			checkOutputs(t, b)
			if b.Release(); account.Used() != 0 {
				t.Errorf("%d bytes are left after release", account.Used())
			}
		})
	}
}

func checkOutputs(t *testing.T, b *record.Block) {
	t.Helper()
	for i := range b.Len() {
		out := b.Output(i)
		if string(out.Key) != strings.Repeat("k", 10) || len(out.Headers) != 1 || string(out.Headers[0].Value) != strings.Repeat("h", 8) {
			t.Fatalf("output %d is damaged: %+v", i, out)
		}
		if cap(out.Key) != len(out.Key) || cap(out.Value) != len(out.Value) {
			t.Fatalf("output %d has room behind it: an append would write into its neighbour", i)
		}
	}
}

// A copied output keeps nil and empty apart: nil is a tombstone.
func TestCopiesTellNilFromEmpty(t *testing.T) {
	records := input("nil", "", strings.Repeat("x", 1000))
	records[0].Key, records[1].Key = nil, []byte{}
	records[0].Headers = []kgo.RecordHeader{{Key: "a"}, {Key: "b", Value: []byte{}}}
	records[1].Headers = []kgo.RecordHeader{}
	want := []record.Output{record.Same(records[0]), record.Same(records[1])}
	b := process(worker(t, `{steps: [{filter: meta.offset < 12}]}`), records)
	if b.Len() != 2 || !sameOutput(b.Output(0), want[0]) || !sameOutput(b.Output(1), want[1]) {
		t.Errorf("got %+v, want %+v", b.Out, want)
	}
}

func TestWorkerKeepsNoHugeScratchAndNoInput(t *testing.T) {
	w := worker(t, `{decode: json, encode: json, steps: [{filter: a}, {map: {a: a, b: b}}, {map: {b: b}}]}`)
	b := process(w, input(`{"a":true,"b":"`+strings.Repeat("x", 5<<20)+`"}`))
	if b.Len() != 1 || len(b.Output(0).Value) != 5<<20+len(`{"b":""}`) {
		t.Fatalf("got %d outputs, stopped %v", b.Len(), b.Stopped)
	}
	if cap(w.arena) > maxScratch || cap(w.objects[0]) > maxScratch || cap(w.objects[1]) > maxScratch {
		t.Errorf("keeps %d, %d and %d bytes", cap(w.arena), cap(w.objects[0]), cap(w.objects[1]))
	}
	if w.hand.value != nil || w.input.Source != nil || len(w.emitted) != 0 || w.emitted[:1][0].source != nil {
		t.Error("still refers to the input")
	}
}
