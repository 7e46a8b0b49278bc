package aggregate

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"hash/maphash"
	"slices"
)

// seed is one for the process: Merge uses the hashes that the other table has stored. It is random, so that nobody can
// choose keys that collide; no result depends on it.
var seed = maphash.MakeSeed() //nolint:gochecknoglobals // see above; never changed

const (
	firstSlots = 16
	// maxKept is how many bytes Reset keeps. Without a bound one block of very many keys would hold its memory, which no
	// budget counts any more, until the process ends.
	maxKept = 1 << 20
)

// Table holds the partial aggregates of groups: a cell for each group and column.
//
// It is an open-addressing hash table with linear probing, at most half full. A slot has the upper half of the key's hash
// and the group's number plus one, so a probe looks at a key only when 32 bits of its hash agree.
type Table struct {
	slots   []uint64
	groups  []group
	keys    []byte // the groups' keys, one behind the other
	columns []column
}

type group struct {
	hash uint64
	end  int // of the key in Table.keys; it begins where the group before ends
}

const groupSize = 16

// NewTable makes an empty table with a column for each function.
func NewTable(functions []Function) *Table {
	t := &Table{slots: make([]uint64, firstSlots), columns: make([]column, len(functions))}
	for i, function := range functions {
		t.columns[i].function = function
	}
	return t
}

// Group finds the group of the key, or adds it, and returns its number: groups are counted from 0 in the order in which
// they were added. The key is copied when it is new.
func (t *Table) Group(key []byte) int { return t.find(key, maphash.Bytes(seed, key)) }

func (t *Table) find(key []byte, hash uint64) int {
	mask := uint64(len(t.slots) - 1)
	for i := hash & mask; ; i = (i + 1) & mask {
		slot := t.slots[i]
		if slot == 0 {
			return t.add(key, hash, i)
		}
		if slot>>32 == hash>>32 {
			if g := int(uint32(slot)) - 1; string(t.Key(g)) == string(key) {
				return g
			}
		}
	}
}

// add appends a group whose slot is the free one at i.
func (t *Table) add(key []byte, hash, i uint64) int {
	t.keys = append(t.keys, key...)
	t.groups = append(t.groups, group{hash: hash, end: len(t.keys)})
	for c := range t.columns {
		t.columns[c].extend()
	}
	t.slots[i] = hash>>32<<32 | uint64(len(t.groups))
	if len(t.groups) > len(t.slots)/2 {
		t.grow()
	}
	return len(t.groups) - 1
}

func (t *Table) grow() {
	t.slots = make([]uint64, 2*len(t.slots))
	mask := uint64(len(t.slots) - 1)
	for g := range t.groups {
		hash := t.groups[g].hash
		i := hash & mask
		for t.slots[i] != 0 {
			i = (i + 1) & mask
		}
		t.slots[i] = hash>>32<<32 | uint64(g+1)
	}
}

// Len returns the number of groups.
func (t *Table) Len() int { return len(t.groups) }

// Key returns the group's key. It is valid until the next Reset and must not be changed.
func (t *Table) Key(group int) []byte {
	start := 0
	if group > 0 {
		start = t.groups[group-1].end
	}
	end := t.groups[group].end
	return t.keys[start:end:end]
}

// Bytes returns the memory that the table holds. It leaves out what the allocator adds to each piece: less than an eighth
// and 1 KiB. It costs a few additions per column.
func (t *Table) Bytes() int64 {
	total := 8*cap(t.slots) + groupSize*cap(t.groups) + cap(t.keys)
	for i := range t.columns {
		total += columnSize + t.columns[i].bytes()
	}
	return int64(total)
}

// Reset empties the table. It keeps its memory for the next use, up to 1 MiB.
func (t *Table) Reset() {
	if t.Bytes() > maxKept {
		functions := make([]Function, len(t.columns))
		for i := range t.columns {
			functions[i] = t.columns[i].function
		}
		*t = *NewTable(functions)
		return
	}
	clear(t.slots)
	t.groups, t.keys = t.groups[:0], t.keys[:0]
	for i := range t.columns {
		t.columns[i].reset()
	}
}

// Merge adds the other table's partials to this one's. Both must have the same functions in the same order. The other
// table is not changed, and shares no memory with this one.
func (t *Table) Merge(other *Table) {
	for g := range other.groups {
		into := t.find(other.Key(g), other.groups[g].hash)
		for c := range t.columns {
			t.columns[c].merge(into, &other.columns[c], g)
		}
	}
}

// Sorted returns the groups in the order of their keys' bytes, which is the same however the table came about.
func (t *Table) Sorted() []int {
	type item struct {
		prefix uint64 // of the key, padded with zeros: decides nearly always, without a look at the key
		group  int
	}
	items := make([]item, len(t.groups))
	for g := range items {
		var first [8]byte
		copy(first[:], t.Key(g))
		items[g] = item{binary.BigEndian.Uint64(first[:]), g}
	}
	slices.SortFunc(items, func(a, b item) int {
		if a.prefix != b.prefix {
			return cmp.Compare(a.prefix, b.prefix)
		}
		return bytes.Compare(t.Key(a.group), t.Key(b.group))
	})
	order := make([]int, len(items))
	for i := range items {
		order[i] = items[i].group
	}
	return order
}

// Count counts a record in a column of Count.
func (t *Table) Count(group, column int) { t.columns[column].counts[group]++ }

// Int adds an integer to a column of any function but Count.
func (t *Table) Int(group, column int, v int64) {
	c := &t.columns[column]
	switch c.function {
	case Avg:
		c.counts[group]++
		c.sums[group].addInt(v)
	case Sum:
		c.sums[group].addInt(v)
	case Min, Max:
		c.extreme(group, intValue(v))
	case Count:
	}
}

// Float adds a float to a column of any function but Count. A sum or average of a value that is infinite or not a number
// is null; to Min and Max a NaN is larger than every other number.
func (t *Table) Float(group, column int, v float64) {
	c := &t.columns[column]
	switch c.function {
	case Avg:
		c.counts[group]++
		c.addFloat(group, v)
	case Sum:
		c.addFloat(group, v)
	case Min, Max:
		c.extreme(group, floatValue(v))
	case Count:
	}
}

// Text adds a string to a column of Min or Max; the others ignore it. The bytes are copied if they are kept. They should be
// valid UTF-8: in the result each byte that is not becomes U+FFFD.
func (t *Table) Text(group, column int, v []byte) {
	if c := &t.columns[column]; c.function.TakesText() {
		c.text(group, v)
	}
}

// AppendResult appends the result of a group's column as JSON. It is null if no value was added, or if it is not finite: a
// sum beyond the range of a float64, or one that an infinite value was added to.
func (t *Table) AppendResult(dst []byte, group, column int) []byte {
	return t.columns[column].appendResult(dst, group)
}
