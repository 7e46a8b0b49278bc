package ledger

import (
	"errors"
	"fmt"
	"hash/crc32"
	"strconv"

	"github.com/valyala/fastjson"
)

// ID tells the records of a run apart.
type ID struct {
	Partition int32
	Seq       int64
}

// String renders the ID as "3:17": partition 3, sequence number 17.
func (id ID) String() string { return fmt.Sprintf("%d:%d", id.Partition, id.Seq) }

// Kind is the record's event_type. Records take them in turn: one in four is a view.
func (id ID) Kind() string {
	kinds := [...]string{"click", "scroll", "purchase", "view"}
	return kinds[id.Seq%int64(len(kinds))]
}

// keys is how many keys a partition's records have.
const keys = 64

// Key is the record's key.
func (id ID) Key() string {
	return "p" + strconv.Itoa(int(id.Partition)) + "k" + strconv.FormatInt(id.Seq%keys, 10)
}

// Value is the record's value: a JSON object. pad is appended as a field when it is not empty; it must need no quoting.
func (id ID) Value(run, pad string) []byte {
	v := make([]byte, 0, 128+len(pad))
	v = append(v, `{"run":"`...)
	v = append(v, run...)
	v = append(v, `","partition":`...)
	v = strconv.AppendInt(v, int64(id.Partition), 10)
	v = append(v, `,"seq":`...)
	v = strconv.AppendInt(v, id.Seq, 10)
	v = append(v, `,"key":"`...)
	v = append(v, id.Key()...)
	v = append(v, `","event_type":"`...)
	v = append(v, id.Kind()...)
	v = append(v, `","crc":`...)
	v = strconv.AppendUint(v, uint64(id.sum(run)), 10)
	if pad != "" {
		v = append(v, `,"pad":"`...)
		v = append(v, pad...)
		v = append(v, '"')
	}
	return append(v, '}')
}

func (id ID) sum(run string) uint32 {
	text := make([]byte, 0, 64)
	text = append(text, run...)
	text = append(text, '/')
	text = strconv.AppendInt(text, int64(id.Partition), 10)
	text = append(text, '/')
	text = strconv.AppendInt(text, id.Seq, 10)
	return crc32.ChecksumIEEE(append(text, id.Key()...))
}

// Fields are what a mapping has to carry over for [Reader.Read] to know the record again.
const Fields = "{run: run, partition: partition, seq: seq, key: key, crc: crc}"

// Errors of values that are not what was written.
var (
	ErrForeign = errors.New("value of another run")
	ErrTorn    = errors.New("value is damaged")
)

// Reader takes values apart. It is used by one goroutine.
type Reader struct {
	Run    string
	parser fastjson.Parser
}

// Read returns the ID that the value carries, ErrTorn if it is damaged and ErrForeign if it is whole but of another run.
func (r *Reader) Read(value []byte) (ID, error) {
	v, err := r.parser.ParseBytes(value)
	if err != nil {
		return ID{}, fmt.Errorf("%w: %.80q: %w", ErrTorn, value, err)
	}
	id := ID{Partition: int32(v.GetInt("partition")), Seq: v.GetInt64("seq")}
	run := string(v.GetStringBytes("run"))
	if v.GetUint("crc") != uint(id.sum(run)) || string(v.GetStringBytes("key")) != id.Key() {
		return id, fmt.Errorf("%w: %.80q: checksum or key is wrong", ErrTorn, value)
	}
	if run != r.Run {
		return id, fmt.Errorf("%w: %q", ErrForeign, run)
	}
	return id, nil
}
