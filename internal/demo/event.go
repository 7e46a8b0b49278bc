package demo

import (
	"strconv"
	"time"
)

// partitions of both topics. Equal counts keep the input's order per partition.
const partitions = 8

// stamp is RFC 3339 with the milliseconds that Kafka's timestamps have.
const stamp = "2006-01-02T15:04:05.000Z"

// Event is one generated ad event. Everything but its time follows from (seed, partition, sequence number), so that the
// checker can compute it again instead of remembering it.
type Event struct {
	Type     string // view, click or purchase
	Ad       int
	User     int
	Campaign int
	IP       byte // the last octet of an address in the documentation range 203.0.113.0/24
}

// NewEvent makes the event with sequence number seq of a partition.
func NewEvent(seed uint64, partition int32, seq int64) Event {
	bits := scramble(seed ^ scramble(uint64(partition)<<48^uint64(seq)))
	pick := func(n uint64) int { // takes n's share of the bits, so that the fields are independent
		value := bits % n
		bits /= n
		return int(value)
	}
	event := Event{Type: "view"}
	switch kind := pick(20); {
	case kind < 2:
		event.Type = "purchase"
	case kind < 7:
		event.Type = "click"
	}
	event.Ad, event.User, event.Campaign = pick(400), pick(5000), pick(12)
	event.IP = byte(1 + pick(254))
	return event
}

// IsView says whether the pipeline must keep the event.
func (e Event) IsView() bool { return e.Type == "view" }

// Key is the record's key.
func (e Event) Key() []byte { return append([]byte("user-"), strconv.Itoa(e.User)...) }

// AppendJSON appends the event as it is produced. at is the record's timestamp.
func (e Event) AppendJSON(dst []byte, at time.Time) []byte {
	dst = append(dst, `{"event_type":"`...)
	dst = append(dst, e.Type...)
	dst = append(dst, `","ad_id":"ad-`...)
	dst = strconv.AppendInt(dst, int64(e.Ad), 10)
	dst = append(dst, `","user_id":"user-`...)
	dst = strconv.AppendInt(dst, int64(e.User), 10)
	dst = append(dst, `","campaign_id":"campaign-`...)
	dst = strconv.AppendInt(dst, int64(e.Campaign), 10)
	dst = append(dst, `","event_time":"`...)
	dst = at.UTC().AppendFormat(dst, stamp)
	dst = append(dst, `","ip":"203.0.113.`...)
	dst = strconv.AppendInt(dst, int64(e.IP), 10)
	return append(dst, `","user_agent":"demo/1.0"}`...)
}

// AppendView appends what the pipeline must make of the event; see [steps].
func (e Event) AppendView(dst []byte, at time.Time) []byte {
	dst = append(dst, `{"ad_id":"ad-`...)
	dst = strconv.AppendInt(dst, int64(e.Ad), 10)
	dst = append(dst, `","event_time":"`...)
	dst = at.UTC().AppendFormat(dst, stamp)
	dst = append(dst, `","campaign_id":"campaign-`...)
	dst = strconv.AppendInt(dst, int64(e.Campaign), 10)
	return append(dst, `"}`...)
}

// scramble is the finaliser of splitmix64: neighbouring inputs give unrelated outputs, the same on every machine.
func scramble(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
