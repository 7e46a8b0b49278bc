package filesink

import (
	"bytes"
	"fmt"
	"time"
)

// openFile is the file that lines go to.
type openFile struct {
	file
	name   fileName
	opened time.Time
	// durable is the acknowledged length in bytes: synced, and ending with a newline.
	durable int64
	// dirty says that there may be bytes past durable.
	dirty bool
}

// cutToLine cuts a file that a crash left behind after its last newline and returns what is left, synced. Everything
// acknowledged ends with a newline and is therefore kept; so are whole lines that were not acknowledged yet, which are
// then delivered twice.
func cutToLine(f file, size int64) (int64, error) {
	end, err := lastLineEnd(f, size)
	if err != nil {
		return 0, err
	}
	if end < size {
		if err := f.Truncate(end); err != nil {
			return 0, fmt.Errorf("cut torn line: %w", err)
		}
	}
	// The crashed process may not have come to its sync, and the lines that are kept count as durable from here on.
	if err := f.Sync(); err != nil {
		return 0, fmt.Errorf("sync file: %w", err)
	}
	return end, nil
}

// lastLineEnd looks for the last newline from the end backwards and returns the offset behind it, 0 if there is none.
func lastLineEnd(f file, size int64) (int64, error) {
	const step = 64 << 10
	chunk := make([]byte, step)
	for end := size; end > 0; {
		begin := max(0, end-step)
		part := chunk[:end-begin]
		if _, err := f.ReadAt(part, begin); err != nil {
			return 0, fmt.Errorf("look for last line: %w", err)
		}
		if i := bytes.LastIndexByte(part, '\n'); i >= 0 {
			return begin + int64(i) + 1, nil
		}
		end = begin
	}
	return 0, nil
}
