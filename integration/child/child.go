//go:build unix

package child

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"syscall"
)

// Process is a running child. Its methods may be called from any goroutine.
type Process struct {
	// Stderr and Stdout keep the end of what the child wrote.
	Stderr *Tail
	Stdout *Tail

	pid  int
	done chan struct{}
	// exit and signal are written before done is closed and read after.
	exit   int
	signal syscall.Signal
}

// Start runs the command. It takes over the command's output and process attributes.
func Start(cmd *exec.Cmd) (*Process, error) {
	p := &Process{Stderr: NewTail(), Stdout: NewTail(), done: make(chan struct{})}
	cmd.Stderr, cmd.Stdout = p.Stderr, p.Stdout
	cmd.SysProcAttr = attributes()
	started := make(chan error)
	go p.own(cmd, started)
	if err := <-started; err != nil {
		return nil, fmt.Errorf("start %s: %w", cmd.Path, err)
	}
	return p, nil
}

// own starts the child and waits for it on one thread: the kernel's death signal goes by the thread that started the
// child, and a goroutine that moved on would let Go end that thread and kill a healthy child.
func (p *Process) own(cmd *exec.Cmd, started chan<- error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := cmd.Start(); err != nil {
		started <- err
		return
	}
	p.pid = cmd.Process.Pid
	started <- nil
	defer close(p.done)
	defer p.Stderr.Close()
	defer p.Stdout.Close()
	err := cmd.Wait()
	p.exit = cmd.ProcessState.ExitCode()
	if status, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		p.signal = status.Signal()
	}
	if _, ok := errors.AsType[*exec.ExitError](err); err != nil && !ok {
		_, _ = fmt.Fprintf(p.Stderr, "child: wait: %v\n", err) // a tail takes everything
	}
}

// PID of the child, which is also its process group.
func (p *Process) PID() int { return p.pid }

// Done is closed when the child has ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// Running reports whether the child has not ended.
func (p *Process) Running() bool {
	select {
	case <-p.done:
		return false
	default:
		return true
	}
}

// Signal sends the signal to the child's whole process group. A child that has ended is not an error: whoever kills a
// program that is stopping by itself cannot know.
func (p *Process) Signal(signal syscall.Signal) error {
	if !p.Running() {
		return nil
	}
	if err := syscall.Kill(-p.pid, signal); err != nil && !errors.Is(err, syscall.ESRCH) {
		return fmt.Errorf("send %v to process group %d: %w", signal, p.pid, err)
	}
	return nil
}

// Kill ends the child at once and waits until it is gone.
func (p *Process) Kill() error {
	if err := p.Signal(syscall.SIGKILL); err != nil {
		return err
	}
	<-p.done
	return nil
}

// Wait returns the exit code when the child has ended by itself, and an error when a signal ended it or ctx ended
// first.
func (p *Process) Wait(ctx context.Context) (int, error) {
	select {
	case <-p.done:
	case <-ctx.Done():
		return -1, fmt.Errorf("wait for process %d: %w", p.pid, context.Cause(ctx))
	}
	if p.signal != 0 {
		return -1, fmt.Errorf("process %d: ended by signal %v", p.pid, p.signal)
	}
	return p.exit, nil
}

// RSS is the child's resident memory in bytes, from /proc (Linux only).
func (p *Process) RSS() (int64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", p.pid))
	if err != nil {
		return 0, fmt.Errorf("read resident memory: %w", err)
	}
	fields := strings.Fields(string(text))
	if len(fields) < 2 {
		return 0, fmt.Errorf("read resident memory: %q has no second field", text)
	}
	pages, err := strconv.ParseInt(fields[1], 10, 64)
	if err != nil {
		return 0, fmt.Errorf("read resident memory: %w", err)
	}
	return pages * int64(os.Getpagesize()), nil
}
