// Package event makes the records that the benchmarks read: advertisement events as JSON, always the same for a seed, and
// the table of advertisements that belongs to them.
package event

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
)

// The shape of the data. A third of the events are views; FirstTime is below every event's time, so that a filter on time
// costs its comparison and drops nothing.
const (
	Ads       = 1000
	Campaigns = 100
	FirstTime = 1_790_000_000_000 // milliseconds since 1970
)

// Size chooses how long events are.
type Size int

// The sizes, with keys some 10 bytes more.
const (
	Small Size = iota // about 100 B
	Large             // about 250 B
)

// Generator makes events. It belongs to one goroutine.
type Generator struct {
	random *rand.Rand
	size   Size
	count  int64
}

// NewGenerator makes a generator whose events depend on the seed and the size alone.
func NewGenerator(seed uint64, size Size) *Generator {
	return &Generator{random: rand.New(rand.NewPCG(seed, 1)), size: size} //nolint:gosec // data for a benchmark, no secret
}

// Next appends the next event's key and value to dst, and returns dst with where the value begins. The event's time is
// time, in any unit that the reader of the results wants.
func (g *Generator) Next(dst []byte, time int64) (all []byte, value int) {
	g.count++
	bits := g.random.Uint64()
	user := strconv.AppendUint(nil, bits%100_000, 10)
	dst = append(append(dst, "user-"...), user...)
	value = len(dst)
	kind := [...]string{"view", "click", "purchase"}[bits>>20%3]
	dst = append(append(dst, `{"event_type":"`...), kind...)
	dst = strconv.AppendUint(append(dst, `","ad_id":"ad-`...), bits>>32%Ads, 10)
	dst = strconv.AppendInt(append(dst, `","event_time":`...), time, 10)
	dst = appendPrice(append(dst, `,"price":`...), bits>>44%1000)
	if g.size == Large {
		dst = fmt.Appendf(dst, `,"event_id":"%016x-%08x","page_id":"page-%d","ad_type":"banner","session":"%016x"`,
			g.random.Uint64(), g.count, bits>>50%500, g.random.Uint64())
		dst = append(dst, `,"ip_address":"10.20.30.40","agent":"Mozilla/5.0"`...)
	}
	dst = append(append(dst, `,"user":"u-`...), user...)
	return append(dst, `"}`...), value
}

// appendPrice writes hundredths as a number with two digits behind the point.
func appendPrice(dst []byte, hundredths uint64) []byte {
	dst = append(strconv.AppendUint(dst, hundredths/100, 10), '.')
	return append(dst, byte('0'+hundredths/10%10), byte('0'+hundredths%10))
}

// Table is the CSV of all advertisements and their campaigns, with a header.
func Table() string {
	var text strings.Builder
	text.WriteString("ad_id,campaign_id\n")
	for ad := range Ads {
		fmt.Fprintf(&text, "ad-%d,campaign-%d\n", ad, ad%Campaigns)
	}
	return text.String()
}
