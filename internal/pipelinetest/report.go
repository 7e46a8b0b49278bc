package pipelinetest

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"
)

// Result is how one case ended.
type Result struct {
	File        string
	Line        int
	Name        string
	Differences []string // nothing if it passed
	Err         error    // the case itself is wrong
}

// Passed reports whether the case gave what it expects.
func (r *Result) Passed() bool { return r.Err == nil && len(r.Differences) == 0 }

// At is the place of the case.
func (c *Case) At() int { return c.line }

// problem is why the case failed, one line for each difference.
func (r *Result) problem() string {
	if r.Err != nil {
		return r.Err.Error()
	}
	return strings.Join(r.Differences, "\n")
}

// WriteText writes what a person reads: a line for each file, and the differences of each case that failed.
func WriteText(w io.Writer, results []Result) error {
	var out strings.Builder
	failed := 0
	for i := range results {
		r := &results[i]
		if r.Passed() {
			fmt.Fprintf(&out, "ok    %s: %s\n", r.File, r.Name)
			continue
		}
		failed++
		fmt.Fprintf(&out, "FAIL  %s:%d: %s\n", r.File, r.Line, r.Name)
		for line := range strings.SplitSeq(r.problem(), "\n") {
			fmt.Fprintf(&out, "      %s\n", line)
		}
	}
	fmt.Fprintf(&out, "%d passed, %d failed\n", len(results)-failed, failed)
	_, err := io.WriteString(w, out.String())
	if err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	return nil
}

type suites struct {
	XMLName xml.Name `xml:"testsuites"`
	Suites  []suite  `xml:"testsuite"`
}

type suite struct {
	Name     string     `xml:"name,attr"`
	Tests    int        `xml:"tests,attr"`
	Failures int        `xml:"failures,attr"`
	Cases    []testCase `xml:"testcase"`
}

type testCase struct {
	Class   string   `xml:"classname,attr"`
	Name    string   `xml:"name,attr"`
	Failure *problem `xml:"failure"`
}

type problem struct {
	Message string `xml:"message,attr"`
	Text    string `xml:",chardata"`
}

// WriteJUnit writes the results as JUnit XML, a suite for each file.
func WriteJUnit(w io.Writer, results []Result) error {
	var all suites
	for i := range results {
		r := &results[i]
		if n := len(all.Suites); n == 0 || all.Suites[n-1].Name != r.File {
			all.Suites = append(all.Suites, suite{Name: r.File})
		}
		s := &all.Suites[len(all.Suites)-1]
		c := testCase{Class: r.File, Name: r.Name}
		if !r.Passed() {
			s.Failures++
			first, _, _ := strings.Cut(r.problem(), "\n")
			c.Failure = &problem{Message: first, Text: r.problem()}
		}
		s.Tests++
		s.Cases = append(s.Cases, c)
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	encoder := xml.NewEncoder(w)
	encoder.Indent("", "  ")
	if err := encoder.Encode(all); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	return nil
}
