package filesink

import (
	"bytes"
	"io"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
)

// memDisk is a file system with a page cache, for faults and crashes: it knows what would survive a loss of power.
type memDisk struct {
	mu      sync.Mutex
	names   map[string]*memFile
	durable map[string]*memFile // names as of the last directory sync
	journal []func(map[string]*memFile)
	random  *rand.Rand
	// fault is asked before every operation, by name: create, write, sync, truncate, rename, remove, sync directory.
	fault func(operation string) error
}

// memFile is cached data over synced data.
type memFile struct {
	disk *memDisk
	data []byte
	disc []byte
	// lost is the range of data whose write-back failed: later syncs report success and do not write it.
	lostFrom, lostTo int
}

func newMemDisk(seed uint64) *memDisk {
	return &memDisk{
		names: map[string]*memFile{}, durable: map[string]*memFile{},
		random: rand.New(rand.NewPCG(seed, 0)), fault: func(string) error { return nil },
	}
}

func (d *memDisk) change(operation string, apply func(map[string]*memFile)) error {
	if err := d.fault(operation); err != nil {
		return &fs.PathError{Op: operation, Path: "mem", Err: err}
	}
	apply(d.names)
	d.journal = append(d.journal, apply)
	return nil
}

func (d *memDisk) list(string) ([]string, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	var names []string
	for path := range d.names {
		names = append(names, filepath.Base(path))
	}
	return names, nil
}

func (d *memDisk) create(path string) (file, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	f := &memFile{disk: d}
	if d.names[path] != nil {
		return nil, os.ErrExist
	}
	return f, d.change("create", func(names map[string]*memFile) { names[path] = f })
}

func (d *memDisk) reopen(path string) (file, int64, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	f := d.names[path]
	if f == nil {
		return nil, 0, os.ErrNotExist
	}
	return f, int64(len(f.data)), nil
}

func (d *memDisk) rename(from, to string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.names[to] != nil {
		return os.ErrExist // the sink must never overwrite
	}
	return d.change("rename", func(names map[string]*memFile) {
		if f := names[from]; f != nil {
			names[to] = f
		}
		delete(names, from)
	})
}

func (d *memDisk) remove(path string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.change("remove", func(names map[string]*memFile) { delete(names, path) })
}

func (d *memDisk) syncDirectory(string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.fault("sync directory"); err != nil {
		return &fs.PathError{Op: "sync directory", Path: "mem", Err: err}
	}
	d.durable, d.journal = maps.Clone(d.names), nil
	return nil
}

// restart is what the next process finds after this one was killed: the page cache, less the pages whose write-back
// failed, which are read back as they are on the disk. (A kernel may keep those for a while and so show to the next
// process what it then loses. Only bytes that were never acknowledged are concerned, so the model leaves it out.)
func (d *memDisk) restart() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, f := range d.names {
		if f.lostFrom < f.lostTo {
			clear(f.data[f.lostFrom:f.lostTo])
		}
	}
}

// powerLoss returns the disk as the next process finds it: only a part of what was not synced is there.
func (d *memDisk) powerLoss() *memDisk {
	d.mu.Lock()
	defer d.mu.Unlock()
	next := newMemDisk(d.random.Uint64())
	names := maps.Clone(d.durable)
	for _, apply := range d.journal[:d.random.IntN(len(d.journal)+1)] {
		apply(names)
	}
	for _, path := range slices.Sorted(maps.Keys(names)) { // sorted: chance is drawn for each
		data := names[path].afterPowerLoss()
		survivor := &memFile{disk: next, data: slices.Clone(data), disc: slices.Clone(data)}
		next.names[path], next.durable[path] = survivor, survivor
	}
	return next
}

func (f *memFile) afterPowerLoss() []byte {
	if len(f.data) < len(f.disc) { // cut, and the cut may not have been written
		return [][]byte{f.data, f.disc}[f.disk.random.IntN(2)]
	}
	return f.data[:len(f.disc)+f.disk.random.IntN(len(f.data)-len(f.disc)+1)]
}

func (f *memFile) Write(p []byte) (int, error) {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	if err := f.disk.fault("write"); err != nil {
		n := f.disk.random.IntN(len(p) + 1)
		f.data = append(f.data, p[:n]...)
		return n, &fs.PathError{Op: "write", Path: "mem", Err: err}
	}
	f.data = append(f.data, p...)
	return len(p), nil
}

func (f *memFile) ReadAt(p []byte, offset int64) (int, error) {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	n := copy(p, f.data[offset:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

func (f *memFile) Truncate(size int64) error {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	if err := f.disk.fault("truncate"); err != nil {
		return &fs.PathError{Op: "truncate", Path: "mem", Err: err}
	}
	f.data = slices.Clone(f.data[:size])
	f.lostTo = min(f.lostTo, int(size))
	return nil
}

func (f *memFile) Sync() error {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	if err := f.disk.fault("sync"); err != nil {
		if n := len(f.data) - len(f.disc); n > 0 { // a part may have been written all the same
			f.disc = append(f.disc, f.data[len(f.disc):len(f.disc)+f.disk.random.IntN(n+1)]...)
		}
		if f.lostFrom >= f.lostTo {
			f.lostFrom = min(len(f.disc), len(f.data))
		}
		f.lostTo = len(f.data)
		return &fs.PathError{Op: "sync", Path: "mem", Err: err}
	}
	f.disc = slices.Clone(f.data)
	if f.lostFrom < f.lostTo {
		clear(f.disc[f.lostFrom:f.lostTo])
	}
	f.data = slices.Clone(f.disc) // dropped pages are read back as they are on the disk
	return nil
}

func (*memFile) Close() error { return nil }

// lines reads all files in the order of their names, and says which are torn.
func (d *memDisk) lines() (lines []string, torn []string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, path := range slices.Sorted(maps.Keys(d.names)) {
		data := d.names[path].data
		if len(data) > 0 && data[len(data)-1] != '\n' {
			torn = append(torn, path)
		}
		for line := range bytes.Lines(data) {
			lines = append(lines, string(bytes.TrimSuffix(line, []byte("\n"))))
		}
	}
	return lines, torn
}

func errNoSpace() error { return syscall.ENOSPC }
