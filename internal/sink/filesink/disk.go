package filesink

import (
	"fmt"
	"io"
	"os"
)

// disk is what the sink asks of the file system. Tests put faults and crashes here.
type disk interface {
	list(directory string) ([]string, error)
	create(path string) (file, error)
	reopen(path string) (file, int64, error) // with its size in bytes
	rename(from, to string) error
	remove(path string) error
	// syncDirectory makes creations, renames and removals in the directory survive a crash.
	syncDirectory(path string) error
}

// file is one open file; Write appends.
type file interface {
	io.Writer
	io.ReaderAt
	io.Closer
	Truncate(size int64) error
	Sync() error
}

// Modes for a service account and its group: payload is nobody else's.
const (
	directoryMode = 0o750
	fileMode      = 0o640
)

// osDisk is the real file system.
type osDisk struct{}

func (osDisk) list(directory string) ([]string, error) {
	entries, err := os.ReadDir(directory)
	if err != nil {
		return nil, fmt.Errorf("list files: %w", err)
	}
	names := make([]string, len(entries))
	for i, entry := range entries {
		names[i] = entry.Name()
	}
	return names, nil
}

func (osDisk) create(path string) (file, error) {
	// O_EXCL: a file that is there already is somebody's data.
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR|os.O_APPEND, fileMode)
	if err != nil {
		return nil, fmt.Errorf("create file: %w", err)
	}
	return f, nil
}

func (osDisk) reopen(path string) (file, int64, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_APPEND, 0)
	if err != nil {
		return nil, 0, fmt.Errorf("open file: %w", err)
	}
	info, err := f.Stat()
	if err != nil {
		_ = f.Close()
		return nil, 0, fmt.Errorf("open file: %w", err)
	}
	return f, info.Size(), nil
}

func (osDisk) rename(from, to string) error {
	if err := os.Rename(from, to); err != nil {
		return fmt.Errorf("give file its final name: %w", err)
	}
	return nil
}

func (osDisk) remove(path string) error {
	if err := os.Remove(path); err != nil {
		return fmt.Errorf("remove empty file: %w", err)
	}
	return nil
}

func (osDisk) syncDirectory(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("sync directory: %w", err)
	}
	defer func() { _ = d.Close() }() // opened for reading only: nothing to lose
	if err := d.Sync(); err != nil {
		return fmt.Errorf("sync directory: %w", err)
	}
	return nil
}
