package document

import "unsafe"

const (
	packDocuments = 256       // in a piece
	packEntries   = 16 << 10  // in a full-grown piece, 256 KiB; the first has a 64th of it
	packText      = 256 << 10 // bytes in a full-grown piece; the first has a 64th of it
	packNames     = 1024      // field names that are remembered for a piece of text

	documentSize = int64(unsafe.Sizeof(Document{}))
	entrySize    = int64(unsafe.Sizeof(entry{}))
)

// Pack keeps many documents in few large pieces of memory: 56 bytes for each, 16 for each value and name, and the text;
// names that repeat are kept once in every 256 KiB of text. The zero value is empty and ready for Add.
//
// What it keeps has no escapes and is not changed any more. So once nothing is added, any number of goroutines may read the
// same documents at the same time.
type Pack struct {
	documents [][]Document
	entries   []entry          // the piece in hand; it never moves, for documents refer to it
	text      []byte           // as entries
	names     map[string]entry // the names that stand in text
	count     int
	bytes     int64
}

// Len returns how many documents there are.
func (p *Pack) Len() int { return p.count }

// Bytes returns the memory that the pack holds.
func (p *Pack) Bytes() int64 { return p.bytes }

// At returns the document that was added as the i-th, counted from 0.
func (p *Pack) At(i int) *Document { return &p.documents[i/packDocuments][i%packDocuments] }

// Add copies the document. Half of a surrogate pair becomes U+FFFD; everything else reads as it did, digit by digit.
func (p *Pack) Add(d *Document) {
	p.reserve(d)
	start := len(p.entries)
	if len(d.entries) > 0 {
		p.copyValue(d, 0)
	}
	if p.count%packDocuments == 0 {
		p.documents = append(p.documents, make([]Document, packDocuments))
		p.bytes += packDocuments * documentSize
	}
	p.count++
	end := len(p.entries)
	*p.At(p.count - 1) = Document{src: p.text[:cap(p.text)], entries: p.entries[start:end:end]}
}

// reserve begins new pieces if the document does not fit those in hand.
func (p *Pack) reserve(d *Document) {
	if need := len(d.entries); need > cap(p.entries)-len(p.entries) {
		p.entries = make([]entry, 0, pieceSize(need, cap(p.entries), packEntries))
		p.bytes += int64(cap(p.entries)) * entrySize
	}
	need := 0
	for i := range d.entries {
		if e := &d.entries[i]; e.kind != Array && e.kind != Object {
			need += int(e.end - e.start) // more than it takes without escapes
		}
	}
	if need > cap(p.text)-len(p.text) || p.names == nil {
		p.text = make([]byte, 0, pieceSize(need, cap(p.text), packText))
		p.bytes += int64(cap(p.text))
		p.names = make(map[string]entry)
	}
}

// pieceSize doubles from piece to piece, so that a small table does not hold the memory of a large one.
func pieceSize(need, previous, full int) int {
	return max(need, min(full, max(2*previous, full/64)))
}

// copyValue copies the value at i with all of its children. Entries refer to each other by their place in the document,
// which stays the same.
func (p *Pack) copyValue(d *Document, i uint32) {
	e := d.entries[i]
	switch e.kind {
	case Array, Object:
		p.entries = append(p.entries, entry{next: e.next, kind: e.kind})
		for child := i + 1; child < e.next; child = d.entries[child].next {
			if e.kind == Object {
				p.copyName(d, child)
				child++
			}
			p.copyValue(d, child)
		}
	case Missing, Null, False, True, Integer, Float, String:
		p.entries = append(p.entries, p.scalar(d, i))
	}
}

func (p *Pack) copyName(d *Document, i uint32) {
	known, ok := p.names[string(d.Text(Node(i)))]
	if !ok {
		known = p.scalar(d, i)
		if len(p.names) < packNames {
			p.names[string(d.Text(Node(i)))] = known
		}
	}
	known.next = d.entries[i].next
	p.entries = append(p.entries, known)
}

// scalar copies the text of the scalar at i, of a string what it stands for.
func (p *Pack) scalar(d *Document, i uint32) entry {
	e := entry{start: uint32(len(p.text)), next: d.entries[i].next, kind: d.entries[i].kind}
	raw := d.raw(Node(i))
	if e.kind == String {
		raw, e.verbatim = d.Text(Node(i)), true
	}
	p.text = append(p.text, raw...)
	e.end = uint32(len(p.text))
	return e
}
