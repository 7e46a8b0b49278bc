package partitionstream

import (
	"encoding/binary"
	"hash/crc32"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// controlRecord is a transaction's commit marker as kgo decodes it; its attributes cannot be set from outside kgo.
var controlRecord = decodeControlRecord()

func decodeControlRecord() *kgo.Record {
	marker := kmsg.Record{Key: []byte{0, 0, 0, 1}, Value: []byte{0, 0, 0, 0, 0, 0}}
	body := marker.AppendTo(nil)[1:] // without the length, which is filled in now
	marker.Length = int32(len(body))
	batch := kmsg.RecordBatch{
		Magic: 2, Attributes: 0x30, ProducerID: 1, NumRecords: 1, Records: marker.AppendTo(nil),
	}
	raw := batch.AppendTo(nil)
	binary.BigEndian.PutUint32(raw[8:], uint32(len(raw)-12))
	binary.BigEndian.PutUint32(raw[17:], crc32.Checksum(raw[21:], crc32.MakeTable(crc32.Castagnoli)))
	fetched, _ := kgo.ProcessFetchPartition(kgo.ProcessFetchPartitionOpts{KeepControlRecords: true},
		&kmsg.FetchResponseTopicPartition{RecordBatches: raw, HighWatermark: 1}, kgo.DefaultDecompressor(), nil)
	if fetched.Err != nil || len(fetched.Records) != 1 {
		panic("the hand-made transaction marker cannot be decoded")
	}
	return fetched.Records[0]
}
