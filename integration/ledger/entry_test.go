package ledger_test

import (
	"bytes"
	"errors"
	"testing"

	"pgregory.net/rapid"

	"streamer/integration/ledger"
)

func TestEntryRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		id := ledger.ID{
			Partition: rapid.Int32Range(0, 999).Draw(t, "partition"),
			Seq:       rapid.Int64Range(0, 1<<40).Draw(t, "seq"),
		}
		value := id.Value("run", rapid.StringMatching("[a-z]{0,20}").Draw(t, "pad"))
		reader := ledger.Reader{Run: "run"}
		if got, err := reader.Read(value); err != nil || got != id {
			t.Fatalf("read %v, %v; want %v", got, err, id)
		}
		other := ledger.Reader{Run: "other"}
		if _, err := other.Read(value); !errors.Is(err, ledger.ErrForeign) {
			t.Fatalf("another run's value: %v", err)
		}
		cut := rapid.IntRange(0, len(value)-1).Draw(t, "cut")
		if _, err := reader.Read(value[:cut]); !errors.Is(err, ledger.ErrTorn) {
			t.Fatalf("a torn value: %v", err)
		}
	})
}

// TestSwappedNumberIsDamage would catch a checksum that does not cover what it is for.
func TestSwappedNumberIsDamage(t *testing.T) {
	t.Parallel()
	value := ledger.ID{Partition: 3, Seq: 17}.Value("run", "")
	reader := ledger.Reader{Run: "run"}
	for _, change := range [][2]string{{`"seq":17`, `"seq":81`}, {`"partition":3`, `"partition":4`}, {`"run":"r`, `"run":"s`}} {
		wrong := bytes.Replace(value, []byte(change[0]), []byte(change[1]), 1)
		if _, err := reader.Read(wrong); !errors.Is(err, ledger.ErrTorn) {
			t.Errorf("%s: %v", wrong, err)
		}
	}
}
