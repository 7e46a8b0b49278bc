// Package loopback finds addresses for programs that a test starts.
package loopback

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
	"sync"
)

// The ports lie below the range from which the kernel takes ports for outgoing connections: one of those could be in use
// by a client when the program starts, or starts again.
const firstPort, ports = 20000, 10000

// What was given is the process's, as its ports are.
var (
	mu    sync.Mutex       //nolint:gochecknoglobals // see above; guards given
	given = map[int]bool{} //nolint:gochecknoglobals // see above
)

// FreeAddr finds a port of 127.0.0.1 that nobody listens on, and that it has not given before in this process: between the
// look and the program's start the port is free for all.
func FreeAddr(ctx context.Context) (string, error) {
	const tries = 100
	var last error
	for range tries {
		port := firstPort + rand.IntN(ports) //nolint:gosec // a port is no secret
		if !take(port) {
			continue
		}
		addr := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
		listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", addr)
		if err != nil {
			last = err
			continue
		}
		if err := listener.Close(); err != nil {
			return "", fmt.Errorf("free port %s: %w", addr, err)
		}
		return addr, nil
	}
	return "", fmt.Errorf("find a free port: %w", last)
}

// take reports whether the port is given for the first time.
func take(port int) bool {
	mu.Lock()
	defer mu.Unlock()
	first := !given[port]
	given[port] = true
	return first
}
