//go:build !unix

package filesink

import (
	"errors"
	"fmt"
	"os"
)

// lock fails: without a lock that dies with its process two instances could cut each other's lines.
func lock(path string) (*os.File, error) {
	return nil, fmt.Errorf("take lock %s: the file sink needs a Unix system: %w", path, errors.ErrUnsupported)
}
