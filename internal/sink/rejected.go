package sink

import (
	"fmt"

	"streamer/internal/record"
)

// Origin is the provenance of one record: where in the input it came from.
type Origin struct {
	Owner  record.Owner
	Offset int64
}

// String renders the origin as "topic/3@42", the form that `streamer offsets skip` takes.
func (o Origin) String() string { return fmt.Sprintf("%s@%d", o.Owner, o.Offset) }

// RejectedError names records that the sink will never take, in the order of the batch; everything else of the batch may
// still be delivered. The caller deals with them in one of two ways, and calls Write again with the same batch: it sets
// Refused on their outputs, or ends their blocks before them ([record.Block.End]).
type RejectedError struct{ Records []Rejection }

// Rejection is one record that was refused: the output at Index of Block. Reject makes one.
type Rejection struct {
	Block *record.Block
	Index int
	// TooLarge says that the record's size is what is wrong.
	TooLarge bool
	Err      error // why, without payload
	// Offset is the output's, kept apart because the block may have been cut or released when the error is read.
	Offset int64
}

// Reject makes the rejection of the output at index of the block.
func Reject(block *record.Block, index int, err error) Rejection {
	return Rejection{Block: block, Index: index, Err: err, Offset: block.Output(index).Offset}
}

// Origin is where the refused record came from.
func (r Rejection) Origin() Origin { return Origin{Owner: r.Block.Owner, Offset: r.Offset} }

func (r Rejection) Error() string { return fmt.Sprintf("record %s: %v", r.Origin(), r.Err) }

// Unwrap returns the cause.
func (r Rejection) Unwrap() error { return r.Err }

// RejectAll is the failure of a Write that cannot deliver these records; nil if there are none. The outcome of several
// input records has no origin that could be skipped or put aside: then the failure is permanent.
func RejectAll(records []Rejection) error {
	for _, r := range records {
		if r.Block.Owner.Topic == "" {
			return &PermanentError{Err: fmt.Errorf("record merged from several: %w", r.Err)}
		}
	}
	if len(records) == 0 {
		return nil
	}
	return &RejectedError{Records: records}
}

func (e *RejectedError) Error() string {
	if len(e.Records) == 1 {
		return e.Records[0].Error()
	}
	return fmt.Sprintf("%d records are refused, the first: %v", len(e.Records), e.Records[0])
}

// Unwrap returns the first record's failure.
func (e *RejectedError) Unwrap() error { return e.Records[0] }
