package reference

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"streamer/internal/setting"
)

// errChanging says that what was read may be half of the old file and half of the new one.
var errChanging = errors.New("the file was written to while it was read; " +
	"write the new one beside it and rename it when it is complete")

// load reads the file once. It returns what the file was when it was read, if it could be opened. stopped is asked now and
// then; its error ends the reading.
func load(c Config, stopped func() error) (*Rows, fs.FileInfo, error) {
	info, err := os.Stat(c.File)
	if err == nil && !info.Mode().IsRegular() { // opening a pipe would wait for a writer
		err = wrong(0, "it is not a regular file; write the path of one")
	}
	if err != nil {
		return nil, nil, named(c, err)
	}
	file, err := os.Open(c.File)
	if err != nil {
		return nil, nil, named(c, err)
	}
	defer func() { _ = file.Close() }() // only read
	before, err := file.Stat()
	if err != nil {
		return nil, nil, named(c, err)
	}
	rows, err := parse(&bounded{source: file, left: int64(c.MaxBytes), limit: c.MaxBytes, stopped: stopped}, c.format(), c.Key)
	if after, statErr := file.Stat(); statErr != nil || !same(before, after) {
		rows, err = nil, errChanging // whatever else is wrong may come from that
	}
	if err != nil {
		return nil, before, named(c, err)
	}
	return rows, before, nil
}

// named says which file it is about; errors of the file system do so themselves.
func named(c Config, err error) error {
	if _, ok := errors.AsType[*fs.PathError](err); ok {
		return fmt.Errorf("load reference table: %w", err)
	}
	return fmt.Errorf("load reference table %s: %w", c.File, err)
}

// same tells whether nothing shows that a file was changed or replaced.
func same(a, b fs.FileInfo) bool {
	return a != nil && b != nil && os.SameFile(a, b) && a.Size() == b.Size() && a.ModTime().Equal(b.ModTime())
}

// bounded ends with an error where a file is too large: it may have grown since its size was looked at.
type bounded struct {
	source  io.Reader
	left    int64
	limit   setting.Bytes
	stopped func() error
}

// Read implements io.Reader.
func (b *bounded) Read(p []byte) (int, error) {
	if err := b.stopped(); err != nil {
		return 0, err
	}
	n, err := b.source.Read(p[:min(int64(len(p)), b.left+1)])
	if b.left -= int64(n); b.left < 0 {
		return 0, wrong(0, "the file is larger than %s; raise max_bytes, or make the file smaller", b.limit)
	}
	return n, err //nolint:wrapcheck // a reader must return io.EOF as it is
}
