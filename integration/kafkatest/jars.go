package kafkatest

import (
	"context"
	"crypto/sha256"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
)

//go:embed pom.xml
var pom []byte

// jars returns the folder with Kafka's jars, fetching them with Maven the first time. The folder is in the user's cache,
// named after what is in it, so that it is fetched once per machine and never half.
func jars(ctx context.Context) (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("find cache folder: %w", err)
	}
	base := filepath.Join(cache, "streamer-test")
	dir := filepath.Join(base, fmt.Sprintf("kafka-%s-%x", Version, sha256.Sum256(pom))[:len("kafka-")+len(Version)+9])
	if err := os.MkdirAll(base, 0o750); err != nil {
		return "", fmt.Errorf("make cache folder: %w", err)
	}
	unlock, err := lock(dir + ".lock")
	if err != nil {
		return "", err
	}
	if _, err := os.Stat(dir); err != nil {
		err = fetch(ctx, dir)
		return dir, errors.Join(err, unlock())
	}
	return dir, unlock()
}

// lock waits until no other process fetches. Two Mavens at once break each other's local repository.
func lock(path string) (unlock func() error, err error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open lock: %w", err)
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX); err != nil {
		return nil, errors.Join(fmt.Errorf("lock %s: %w", path, err), file.Close())
	}
	return file.Close, nil
}

func fetch(ctx context.Context, dir string) error {
	work, err := os.MkdirTemp(filepath.Dir(dir), "fetch-")
	if err != nil {
		return fmt.Errorf("make folder: %w", err)
	}
	defer os.RemoveAll(work) //nolint:errcheck // a leftover is harmless
	pomFile, libs := filepath.Join(work, "pom.xml"), filepath.Join(work, "libs")
	if err := os.WriteFile(pomFile, pom, 0o600); err != nil {
		return fmt.Errorf("write pom: %w", err)
	}
	//nolint:gosec // its arguments are folders of ours
	cmd := exec.CommandContext(ctx, "mvn", "-q", "-B", "-f", pomFile, "dependency:copy-dependencies",
		"-DincludeScope=runtime", "-DoutputDirectory="+libs)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("fetch Kafka's jars with Maven: %w\n%s", err, out)
	}
	if err := os.Rename(libs, dir); err != nil {
		return fmt.Errorf("put jars into the cache: %w", err)
	}
	return nil
}
