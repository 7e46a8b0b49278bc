// Package loopback finds addresses for programs that a test starts.
package loopback

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
)

// FreeAddr finds a port of 127.0.0.1, below the range from which the kernel takes ports for outgoing connections: one of
// those could be in use by a client when the program starts, or starts again.
func FreeAddr(ctx context.Context) (string, error) {
	const first, count, tries = 20000, 10000, 100
	var last error
	for range tries {
		port := first + rand.IntN(count) //nolint:gosec // a port is no secret
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
