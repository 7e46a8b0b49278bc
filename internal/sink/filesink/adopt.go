package filesink

import (
	"fmt"
	"log/slog"
	"time"
)

// adopt finds what earlier processes of this instance left open. The instance's newest file goes on as the open one;
// others, given up after a failure, get their final names. It also finds the number of the next file.
func (s *Sink) adopt() error {
	names, err := s.disk.list(s.naming.directory)
	if err != nil {
		return fmt.Errorf("list files: %w", err)
	}
	var left []fileName
	for _, name := range names {
		f, own := s.naming.parse(name)
		if !own {
			continue
		}
		s.next = max(s.next, f.number+1)
		if f.open {
			left = append(left, f)
		}
	}
	for _, name := range left {
		if err := s.adoptFile(name); err != nil {
			return fmt.Errorf("adopt %s: %w", s.naming.openPath(name), err)
		}
	}
	if s.current == nil {
		return nil
	}
	// The crashed process may have died between creating the file and making its name durable.
	if err := s.disk.syncDirectory(s.naming.directory); err != nil {
		return fmt.Errorf("adopt %s: %w", s.naming.openPath(s.current.name), err)
	}
	return nil
}

func (s *Sink) adoptFile(name fileName) error {
	f, size, err := s.disk.reopen(s.naming.openPath(name))
	if err != nil {
		return err
	}
	durable, err := cutToLine(f, size)
	if err != nil {
		_ = f.Close()
		return err
	}
	s.logger.Info("adopted file of an earlier run", slog.String("file", s.naming.openPath(name)),
		slog.Int64("bytes", durable), slog.Int64("torn_bytes", size-durable))
	found := &openFile{file: f, name: name, durable: durable, opened: time.Now()}
	if name.number+1 < s.next {
		// A newer file exists: lines appended here would stand before older ones in the order of names.
		return s.finish(found)
	}
	s.current = found
	return nil
}
