package partitionstream

import (
	"context"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"net"
	"slices"
	"sync"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// tamper stands between clients and the broker and rewrites what fetches answer.
type tamper struct {
	network func(ctx context.Context, network, address string) (net.Conn, error)

	mu      sync.Mutex
	answers int // to fetches
	// rewrite changes the answer for partition 0; nil lets it pass.
	rewrite func(*kmsg.FetchResponseTopicPartition)
	// spoil changes the bytes of an answer as a whole.
	spoil func([]byte) []byte
}

func (t *tamper) set(rewrite func(*kmsg.FetchResponseTopicPartition)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.rewrite, t.spoil = rewrite, nil
}

func (t *tamper) setSpoil(spoil func([]byte) []byte) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.rewrite, t.spoil = nil, spoil
}

func (t *tamper) count() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.answers
}

func (t *tamper) dial(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := t.network(ctx, network, address)
	if err != nil {
		return nil, err
	}
	return &tampered{Conn: conn, tamper: t, versions: make(map[uint32]int16)}, nil
}

// tampered is one connection; kgo has one goroutine that writes and one that reads.
type tampered struct {
	net.Conn

	tamper *tamper
	asked  []byte // written, and not yet a whole request
	answer []byte // to be read

	mu       sync.Mutex
	versions map[uint32]int16 // of fetches under way, by correlation id
}

func (c *tampered) Write(p []byte) (int, error) {
	c.asked = append(c.asked, p...)
	for len(c.asked) >= 4 {
		size := 4 + int(binary.BigEndian.Uint32(c.asked))
		if len(c.asked) < size {
			break
		}
		if kmsg.Key(binary.BigEndian.Uint16(c.asked[4:])) == kmsg.Fetch {
			c.mu.Lock()
			c.versions[binary.BigEndian.Uint32(c.asked[8:])] = int16(binary.BigEndian.Uint16(c.asked[6:]))
			c.mu.Unlock()
		}
		c.asked = c.asked[size:]
	}
	return c.Conn.Write(p)
}

func (c *tampered) Read(p []byte) (int, error) {
	if len(c.answer) == 0 {
		head := make([]byte, 4)
		if _, err := io.ReadFull(c.Conn, head); err != nil {
			return 0, err
		}
		body := make([]byte, binary.BigEndian.Uint32(head))
		if _, err := io.ReadFull(c.Conn, body); err != nil {
			return 0, err
		}
		body = c.change(body)
		c.answer = append(binary.BigEndian.AppendUint32(nil, uint32(len(body))), body...)
	}
	n := copy(p, c.answer)
	c.answer = c.answer[n:]
	return n, nil
}

func (c *tampered) change(body []byte) []byte {
	id := binary.BigEndian.Uint32(body)
	c.mu.Lock()
	version, isFetch := c.versions[id]
	delete(c.versions, id)
	c.mu.Unlock()
	if !isFetch {
		return body
	}
	c.tamper.mu.Lock()
	defer c.tamper.mu.Unlock()
	c.tamper.answers++
	response := kmsg.NewPtrFetchResponse()
	response.SetVersion(version)
	header := 4
	if response.IsFlexible() {
		header = 5 // with an empty list of tags
	}
	switch {
	case c.tamper.spoil != nil:
		return append(slices.Clone(body[:header]), c.tamper.spoil(body[header:])...)
	case c.tamper.rewrite == nil:
		return body
	}
	if err := response.ReadFrom(body[header:]); err != nil {
		panic(fmt.Sprintf("read fetch answer: %v", err))
	}
	for i := range response.Topics {
		for j := range response.Topics[i].Partitions {
			if p := &response.Topics[i].Partitions[j]; p.Partition == 0 {
				c.tamper.rewrite(p)
			}
		}
	}
	return response.AppendTo(slices.Clone(body[:header]))
}

// The places of a batch of format 2.
const (
	batchLength  = 8
	batchMagic   = 16
	batchCRC     = 17
	batchFlags   = 21
	batchDelta   = 23
	batchCount   = 57
	batchRecords = 61
)

// split returns the whole batches of an answer.
func split(answer []byte) [][]byte {
	var batches [][]byte
	for len(answer) > batchRecords {
		size := 12 + int(binary.BigEndian.Uint32(answer[batchLength:]))
		if size > len(answer) {
			break
		}
		batches = append(batches, answer[:size:size])
		answer = answer[size:]
	}
	return batches
}

// second is where the second batch of the log begins.
const second = 5

// spoilBatch rewrites the second batch of the log.
func spoilBatch(spoil func(batch []byte) []byte) func(*kmsg.FetchResponseTopicPartition) {
	return func(p *kmsg.FetchResponseTopicPartition) {
		var answer []byte
		for _, batch := range split(p.RecordBatches) {
			if binary.BigEndian.Uint64(batch) == second {
				batch = spoil(slices.Clone(batch))
			}
			answer = append(answer, batch...)
		}
		p.RecordBatches = answer
	}
}

// summed puts the checksum right.
func summed(spoil func([]byte)) func([]byte) []byte {
	return func(batch []byte) []byte {
		spoil(batch)
		sum := crc32.Checksum(batch[batchFlags:], crc32.MakeTable(crc32.Castagnoli))
		binary.BigEndian.PutUint32(batch[batchCRC:], sum)
		return batch
	}
}

func plain(spoil func([]byte)) func([]byte) []byte {
	return func(batch []byte) []byte {
		spoil(batch)
		return batch
	}
}
