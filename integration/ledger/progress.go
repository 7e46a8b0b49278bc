package ledger

import (
	"context"
	"fmt"

	"github.com/twmb/franz-go/pkg/kadm"
)

// Ends are the offsets that the topic's partitions end at for a reader of committed records.
func Ends(ctx context.Context, admin *kadm.Client, topic string) (map[int32]int64, error) {
	listed, err := admin.ListCommittedOffsets(ctx, topic)
	if err == nil {
		err = listed.Error()
	}
	if err != nil {
		return nil, fmt.Errorf("list ends of %s: %w", topic, err)
	}
	ends := make(map[int32]int64)
	listed.Each(func(o kadm.ListedOffset) { ends[o.Partition] = o.Offset })
	return ends, nil
}

// Progressed is a condition that holds when the group has committed at least n records more than at its first look.
func Progressed(admin *kadm.Client, group, topic string, n int64) func(context.Context) error {
	var from int64 = -1
	return func(ctx context.Context) error {
		committed, err := Committed(ctx, admin, group, topic)
		if err != nil {
			return err
		}
		var sum int64
		for _, at := range committed {
			sum += at
		}
		if from < 0 {
			from = sum
		}
		if sum-from < n {
			return fmt.Errorf("%d committed so far", sum-from)
		}
		return nil
	}
}
