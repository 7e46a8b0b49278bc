package filesink

import (
	"fmt"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"
)

const (
	finalSuffix = ".jsonl"
	openSuffix  = ".open"
)

// naming makes and recognises the file names of one instance.
type naming struct {
	directory string
	stem      string // prefix-instance-
}

// fileName is one file of the instance; its path depends on whether it is still open.
type fileName struct {
	base   string // without openSuffix
	number uint64
	open   bool
}

var rest = regexp.MustCompile(`^[0-9]{8}T[0-9]{6}Z-([0-9]{6,18})\.jsonl(\.open)?$`)

func (n naming) lockPath() string {
	return filepath.Join(n.directory, "."+strings.TrimSuffix(n.stem, "-")+".lock")
}

func (n naming) make(now time.Time, number uint64) fileName {
	stamp := now.UTC().Format("20060102T150405Z")
	return fileName{base: fmt.Sprintf("%s%s-%06d%s", n.stem, stamp, number, finalSuffix), number: number, open: true}
}

// parse recognises the instance's own files; all others are somebody else's and are left alone.
func (n naming) parse(name string) (fileName, bool) {
	tail, found := strings.CutPrefix(name, n.stem)
	match := rest.FindStringSubmatch(tail)
	if !found || match == nil {
		return fileName{}, false
	}
	number, err := strconv.ParseUint(match[1], 10, 64)
	if err != nil {
		return fileName{}, false
	}
	return fileName{base: strings.TrimSuffix(name, openSuffix), number: number, open: match[2] != ""}, true
}

func (n naming) finalPath(f fileName) string { return filepath.Join(n.directory, f.base) }

func (n naming) openPath(f fileName) string { return n.finalPath(f) + openSuffix }
