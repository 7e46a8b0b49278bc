//go:build chaos && linux

package chaos_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"text/tabwriter"
	"time"

	"streamer/integration/ledger"
)

// check is one thing that must hold.
type check string

// The checks. A mutant has to be caught by the one that is named beside it.
const (
	loss        check = "loss"             // produced, never delivered
	duplicates  check = "duplicates"       // delivered twice though nothing but clean stops happened
	order       check = "order"            // first deliveries of a partition out of order
	commitAhead check = "commit ahead"     // committed at a sample, and not delivered by then
	commitBack  check = "commit went back" // committed less at a later sample
	foreign     check = "foreign"          // delivered, and never produced, aborted or damaged
	liveness    check = "liveness"         // the group did not catch up in time after the last fault
	exitCode    check = "exit code"        // a process ended otherwise than it was asked to
	memory      check = "memory"           // resident memory above the ceiling
	alive       check = "livez"            // red, though nothing inside was wrong
	reason      check = "reason"           // a stall was not reported, or not with its cause; or an idle service was not idle
	membership  check = "group membership" // the group's members are not the processes that run
	letters     check = "dead letters"     // a record that fails is not in the dead-letter topic
)

// result is what became of one scenario. Its methods may be called from any goroutine.
type result struct {
	name     string
	injected int
	kills    int
	report   ledger.Report

	mu       sync.Mutex
	problems map[check][]string
	worst    time.Duration // from the end of a fault until all that was written by then was committed
	peak     int64         // resident memory of one process, bytes
}

// faultf notes that something did not hold.
func (r *result) faultf(what check, format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.problems == nil {
		r.problems = map[check][]string{}
	}
	r.problems[what] = append(r.problems[what], fmt.Sprintf(format, args...))
}

func (r *result) failed(what check) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.problems[what]) > 0
}

func (r *result) recovered(took time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.worst = max(r.worst, took)
}

func (r *result) resident(size int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.peak = max(r.peak, size)
}

// judge adds what the ledger found.
func (r *result) judge(report *ledger.Report, clean bool) {
	r.report.Produced += report.Produced
	r.report.Delivered += report.Delivered
	r.report.Duplicates += report.Duplicates
	r.report.Lost = append(r.report.Lost, report.Lost...)
	r.report.Disorder = append(r.report.Disorder, report.Disorder...)
	note(r, loss, report.Lost)
	note(r, order, report.Disorder)
	note(r, commitAhead, report.CommitsAhead)
	note(r, commitBack, report.CommitsBack)
	note(r, foreign, report.Strangers)
	note(r, foreign, report.Damaged)
	if clean && report.Duplicates > 0 {
		r.faultf(duplicates, "%d duplicates", report.Duplicates)
	}
}

func note[T any](r *result, what check, found []T) {
	const shown = 5
	if len(found) > 0 {
		r.faultf(what, "%d, such as %v", len(found), found[:min(shown, len(found))])
	}
}

// String lists what did not hold; it is empty if all did.
func (r *result) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var lines []string
	for what, found := range r.problems {
		const shown = 3
		for _, problem := range found[:min(shown, len(found))] {
			lines = append(lines, fmt.Sprintf("%s: %s", what, problem))
		}
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// table renders the results, those of the same scenario added up.
func table(results []*result) string {
	var text strings.Builder
	w := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "fault\ttimes\tkills\trecords\tlost\tduplicated\treordered\tworst recovery\tpeak memory\tbroken")
	row := func(r *result) {
		broken := "-"
		if len(r.problems) > 0 {
			var names []string
			for what := range r.problems {
				names = append(names, string(what))
			}
			slices.Sort(names)
			broken = strings.Join(names, ", ")
		}
		fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%d\t%d\t%d\t%.1f s\t%d MiB\t%s\n", r.name, r.injected, r.kills, r.report.Produced,
			len(r.report.Lost), r.report.Duplicates, len(r.report.Disorder), r.worst.Seconds(), r.peak>>20, broken)
	}
	total := &result{name: "all"}
	for _, r := range merged(results) {
		row(r)
		total.add(r)
	}
	row(total)
	_ = w.Flush() // a builder takes everything
	return text.String()
}

func merged(results []*result) []*result {
	var all []*result
	for _, r := range results {
		at := slices.IndexFunc(all, func(other *result) bool { return other.name == r.name })
		if at < 0 {
			at = len(all)
			all = append(all, &result{name: r.name})
		}
		all[at].add(r)
	}
	return all
}

func (r *result) add(other *result) {
	r.injected += other.injected
	r.kills += other.kills
	r.report.Produced += other.report.Produced
	r.report.Duplicates += other.report.Duplicates
	r.report.Lost = append(r.report.Lost, other.report.Lost...)
	r.report.Disorder = append(r.report.Disorder, other.report.Disorder...)
	r.worst = max(r.worst, other.worst)
	r.peak = max(r.peak, other.peak)
	for what, problems := range other.problems {
		for _, problem := range problems {
			r.faultf(what, "%s", problem)
		}
	}
}
