//go:build chaos && linux

package chaos_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"streamer/integration/service"
)

// mutantPatience is how long a mutant may take for what it may never do.
const mutantPatience = 15 * time.Second

// mutant is a service that breaks the promise in one place. It is built from changed sources, so that the product has no
// place for faults to be switched on in.
type mutant struct {
	name  string
	edits []edit
	// scenario is what it is exposed to, caught the check that has to find it.
	scenario string
	caught   check
}

// edit replaces old, which has to be in the file exactly once.
type edit struct{ file, old, new string }

const (
	commits  = "internal/partitionstream/commit.go"
	drains   = "internal/partitionstream/drain.go"
	owners   = "internal/partitionstream/ownership.go"
	delivery = "internal/streamer/delivery.go"
	batches  = "internal/batcher/batcher.go"
)

func mutants() []mutant {
	return []mutant{
		{
			name: "commit before the sink's acknowledgement", scenario: "sink slow", caught: commitAhead,
			edits: []edit{
				{delivery, "	began := time.Now()\n", "	began := time.Now()\n	d.acknowledged(b)\n"},
				{delivery, "	d.acknowledged(b)\n	return refused, nil\n", "	return refused, nil\n"},
			},
		},
		{
			name: "commit after revoke", scenario: "all members kicked", caught: commitBack,
			edits: []edit{{commits, "		return a.live.keepOwned(req, owners)\n", "		return nil\n"}},
		},
		{
			name: "drop a block", scenario: "kill -9", caught: loss,
			edits: []edit{{
				batches, "	a.open.Blocks = append(a.open.Blocks, b)\n",
				"	if a.nextID%10 != 0 {\n		a.open.Blocks = append(a.open.Blocks, b)\n	}\n",
			}},
		},
		{
			name: "swallow a commit error", scenario: "commits refused", caught: exitCode,
			edits: []edit{{
				commits, "				a.commitFailed(now, p, err)\n				continue\n", "				_ = now\n",
			}},
		},
		{
			name: "forget the last commit at a clean stop", scenario: "SIGTERM", caught: duplicates,
			edits: []edit{
				{commits, "	if a.deps.Direct || a.commits.inFlight {\n", "	if a.deps.Direct || a.commits.inFlight || a.stopping {\n"},
				{drains, " || s.committed != s.acked {\n", " {\n"},
			},
		},
		{
			name: "release the revoke callback before workers are joined", scenario: "hand-over with a slow sink", caught: duplicates,
			edits: []edit{{
				owners, "		a.drain(streams, time.Now().Add(a.deps.DrainTimeout), done)\n",
				"		a.drain(streams, time.Now().Add(a.deps.DrainTimeout), func() {})\n		done()\n",
			}},
		},
	}
}

// build builds the mutant. An edit that does not fit any more is an error: the mutant would be the product.
func (m mutant) build(t *testing.T) *service.Binary {
	t.Helper()
	files := map[string][]byte{}
	for _, e := range m.edits {
		text, edited := files[e.file]
		if !edited {
			var err error
			if text, err = os.ReadFile(filepath.Join(binary.Root, e.file)); err != nil {
				t.Fatal(err)
			}
		}
		if count := strings.Count(string(text), e.old); count != 1 {
			t.Fatalf("%s has %d times, and not once:\n%s", e.file, count, e.old)
		}
		files[e.file] = []byte(strings.Replace(string(text), e.old, e.new, 1))
	}
	changed, err := service.BuildChanged(t.Context(), t.TempDir(), files)
	if err != nil {
		t.Fatal(err)
	}
	return changed
}

// TestMutants proves the harness: each mutant must be caught, by the check that is named beside it.
func TestMutants(t *testing.T) {
	t.Parallel()
	for _, m := range mutants() {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			all := scenarios()
			at := slices.IndexFunc(all, func(plan scenario) bool { return plan.name == m.scenario })
			if at < 0 {
				t.Fatalf("no scenario %q", m.scenario)
			}
			plan := all[at]
			plan.patience = mutantPatience
			r := play(t, plan, *seed, m.build(t))
			if !r.failed(m.caught) {
				t.Errorf("the mutant survived: %q did not find it in %q; found was:\n%s", m.caught, m.scenario, r)
				return
			}
			_, _ = fmt.Fprintf(os.Stdout, "mutant %q is caught by %q in %q\n", m.name, m.caught, m.scenario)
		})
	}
}
