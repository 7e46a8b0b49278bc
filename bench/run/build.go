package main

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
)

// build builds the programs to measure: the streamer of this tree or those that are named, that of the base reference,
// and the limit program.
func (h *harness) build(ctx context.Context) error {
	root, err := moduleRoot(ctx)
	if err != nil {
		return err
	}
	h.limit = filepath.Join(h.dir, "limit")
	if err := compile(ctx, root, h.limit, "./bench/limit"); err != nil {
		return err
	}
	for _, path := range h.given {
		h.binaries = append(h.binaries, binary{name: filepath.Base(path), path: path})
	}
	if len(h.binaries) == 0 {
		path := filepath.Join(h.dir, "streamer")
		if err := compile(ctx, root, path, "./cmd/streamer"); err != nil {
			return err
		}
		h.binaries = []binary{{name: "streamer", path: path}}
	}
	if h.base != "" {
		path := filepath.Join(h.dir, "base")
		if err := compileReference(ctx, root, h.base, filepath.Join(h.dir, "tree"), path); err != nil {
			return err
		}
		h.binaries = append(h.binaries, binary{name: "base", path: path})
	}
	return nil
}

func moduleRoot(ctx context.Context) (string, error) {
	out, err := command(ctx, "go", "env", "GOMOD").Output()
	if err != nil {
		return "", fmt.Errorf("find the module: %w", err)
	}
	return filepath.Dir(strings.TrimSpace(string(out))), nil
}

// compile builds a program as `make build` does.
func compile(ctx context.Context, root, to, what string) error {
	cmd := command(ctx, "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", to, what)
	cmd.Dir = root
	cmd.Env = append(cmd.Environ(), "CGO_ENABLED=0")
	return quietly(cmd)
}

// compileReference builds the streamer of a git reference, in a work tree that is gone afterwards.
func compileReference(ctx context.Context, root, reference, tree, to string) (err error) {
	// `--` ends the options, so that a reference cannot be one.
	add := command(ctx, "git", "worktree", "add", "--detach", "--force", "--", tree, reference)
	add.Dir = root
	if err := quietly(add); err != nil {
		return err
	}
	defer func() {
		// Also after an interrupt, or the repository would remember a work tree that is not there.
		remove := command(context.WithoutCancel(ctx), "git", "worktree", "remove", "--force", "--", tree)
		remove.Dir = root
		err = errors.Join(err, quietly(remove))
	}()
	return compile(ctx, tree, to, "./cmd/streamer")
}

// quietly runs a command and shows what it printed only in the error.
func quietly(cmd *exec.Cmd) error {
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", strings.Join(cmd.Args, " "), err, out)
	}
	return nil
}
