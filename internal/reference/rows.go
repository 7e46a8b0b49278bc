package reference

import (
	"hash/maphash"
	"math/bits"

	"streamer/internal/document"
)

// Rows is one state of a table. It never changes.
type Rows struct {
	pack  document.Pack
	node  document.Node   // of the key in every row, if nodes is nil
	nodes []document.Node // of the key in each row

	// slots is an open-addressing hash table with linear probing, two thirds full. A slot has the upper half of the key's
	// hash and the row's number plus one.
	slots []uint64
	seed  maphash.Seed // differs each time: nobody can choose keys that collide
}

// Len returns the number of rows.
func (r *Rows) Len() int { return r.pack.Len() }

// Bytes returns the memory that the rows take.
func (r *Rows) Bytes() int64 {
	return r.pack.Bytes() + 8*int64(len(r.slots)) + 4*int64(cap(r.nodes))
}

// Find returns the row with that key, an object, or nil if there is none. Nobody may change it; any number of goroutines
// may read it at the same time.
func (r *Rows) Find(key []byte) *document.Document {
	if len(r.slots) == 0 {
		return nil
	}
	hash := maphash.Bytes(r.seed, key)
	for i := r.slot(hash); ; i = r.after(i) {
		slot := r.slots[i]
		if slot == 0 {
			return nil
		}
		if uint32(slot>>32) == uint32(hash) {
			if row := int(uint32(slot)) - 1; string(r.key(row)) == string(key) {
				return r.pack.At(row)
			}
		}
	}
}

// slot maps a hash to where its search begins: D. Lemire, "Fast Random Integer Generation in an Interval" (2019). The slots
// need not be a power of two, which would double the memory just above one.
func (r *Rows) slot(hash uint64) int {
	high, _ := bits.Mul64(hash, uint64(len(r.slots)))
	return int(high)
}

func (r *Rows) after(i int) int {
	if i++; i < len(r.slots) {
		return i
	}
	return 0
}

// key returns the text of a row's key.
func (r *Rows) key(row int) []byte {
	d, node := r.pack.At(row), r.node
	if r.nodes != nil {
		node = r.nodes[row]
	}
	if d.Kind(node) == document.Integer {
		return d.Digits(node)
	}
	return d.Text(node)
}

// index makes the slots. It returns two rows with the same key, the earlier one first, if there are such.
func (r *Rows) index() (earlier, later int, unique bool) {
	r.seed = maphash.MakeSeed()
	r.slots = make([]uint64, r.Len()*3/2+1)
	for row := range r.Len() {
		key := r.key(row)
		hash := maphash.Bytes(r.seed, key)
		i := r.slot(hash)
		for ; r.slots[i] != 0; i = r.after(i) {
			if other := int(uint32(r.slots[i])) - 1; uint32(r.slots[i]>>32) == uint32(hash) && string(r.key(other)) == string(key) {
				return other, row, false
			}
		}
		r.slots[i] = uint64(uint32(hash))<<32 | uint64(row+1)
	}
	return 0, 0, true
}
