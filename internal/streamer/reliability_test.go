package streamer

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	testFunction  = regexp.MustCompile(`(?m)^func (Test\w+)\(t \*testing\.T\)`)
	regressionRow = regexp.MustCompile(`(?m)^\| (\d+) \|[^|]*\|([^|]*)\|`)
	testName      = regexp.MustCompile("`(Test\\w+)`")
	numbered      = regexp.MustCompile(`^TestRegression(\d\d)[A-Z]`)
)

// The table of docs/reliability.md names tests that exist, and every test of a regression is in the row of its number: a
// proof that was renamed or deleted must not stay in the documentation.
func TestDocumentationHoldsEveryRegression(t *testing.T) {
	t.Parallel()
	exists := testsOf(t, "../..")
	text, err := os.ReadFile("../../docs/reliability.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range regressionRow.FindAllStringSubmatch(string(text), -1) {
		number, proven := row[1], false
		for _, name := range testName.FindAllStringSubmatch(row[2], -1) {
			if !exists[name[1]] {
				t.Errorf("row %s names %s, which does not exist", number, name[1])
			}
			if own := numbered.FindStringSubmatch(name[1]); own != nil {
				if strings.TrimPrefix(own[1], "0") != number {
					t.Errorf("row %s names %s", number, name[1])
				}
				proven = true
				delete(exists, name[1])
			}
		}
		if !proven {
			t.Errorf("row %s has no test with its number", number)
		}
	}
	for name := range exists {
		if numbered.MatchString(name) {
			t.Errorf("docs/reliability.md does not have %s", name)
		}
	}
}

// testsOf lists the tests in the Go files below a directory.
func testsOf(t *testing.T, root string) map[string]bool {
	t.Helper()
	tests := make(map[string]bool)
	err := filepath.WalkDir(root, func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		for _, found := range testFunction.FindAllStringSubmatch(string(text), -1) {
			tests[found[1]] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return tests
}
