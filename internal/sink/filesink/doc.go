// Package filesink is a sink that writes each record's value as one line of a file, in JSON lines as a rule, and
// acknowledges a batch once the file system has it for good.
//
// One file is open at a time, under a name that ends in .open. A reader never sees it under its final name: that is given
// by a rename when the file is rotated or closed. Names are prefix-instance-time-number.jsonl, and sort in the order of
// writing.
//
// Invariants, whatever dies or fails:
//   - an acknowledged line is in a file, and stays there;
//   - a file under its final name ends with a newline, and no line in it is torn;
//   - what follows the acknowledged length (openFile.durable) counts for nothing: it is cut off before the next batch.
//
// After a failed fsync the kernel may have dropped the very pages that it could not write and report success the next
// time, so nothing past the acknowledged length of that file is trusted, and the batch is written to a new file.
//
// Ownership: whoever holds the turn owns all state: the writer's goroutine for a Write or Close, or the rotation timer.
// Calls that may hang in the kernel run on a goroutine of their own, so that a dead disk cannot hold up the stop; such a
// call touches only its file and its bytes, never the batch.
package filesink
