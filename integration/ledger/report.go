package ledger

import (
	"errors"
	"fmt"
)

// Report is what a check found. Everything but Duplicates is a broken promise at any time; duplicates are one after a
// clean stop.
type Report struct {
	Produced   int
	Delivered  int
	Duplicates int

	Lost         []ID     // produced, never delivered
	Strangers    []ID     // delivered, though it was never produced or its transaction was aborted
	Disorder     []string // first deliveries of a partition out of order
	CommitsAhead []string // committed before it was delivered
	CommitsBack  []string // a commit that decreased
	Damaged      []error  // delivered values that cannot be read
}

// String is the report in one line.
func (r *Report) String() string {
	return fmt.Sprintf("%d produced, %d delivered, %d lost, %d duplicates, %d strangers, %d out of order, "+
		"%d commits ahead, %d commits back, %d damaged", r.Produced, r.Delivered, len(r.Lost), r.Duplicates,
		len(r.Strangers), len(r.Disorder), len(r.CommitsAhead), len(r.CommitsBack), len(r.Damaged))
}

// AtLeastOnce is nil when nothing was lost, damaged or out of order and no commit ran ahead or back.
func (r *Report) AtLeastOnce() error {
	return errors.Join(
		broken("lost", r.Lost),
		broken("strangers", r.Strangers),
		broken("out of order", r.Disorder),
		broken("commits ahead of delivery", r.CommitsAhead),
		broken("commits that went back", r.CommitsBack),
		broken("damaged values", r.Damaged),
	)
}

// ExactlyOnce is AtLeastOnce and no duplicate, as after clean stops.
func (r *Report) ExactlyOnce() error {
	err := r.AtLeastOnce()
	if r.Duplicates > 0 {
		err = errors.Join(err, fmt.Errorf("%w: %d duplicates", ErrBroken, r.Duplicates))
	}
	return err
}

// ErrBroken is what every broken promise wraps.
var ErrBroken = errors.New("promise broken")

// broken names the first few of the found.
func broken[T any](what string, found []T) error {
	const shown = 5
	if len(found) == 0 {
		return nil
	}
	return fmt.Errorf("%w: %d %s, such as %v", ErrBroken, len(found), what, found[:min(shown, len(found))])
}
