package registry

import (
	"context"
	"sync"
	"time"
)

const (
	// maxCached bounds each cache; one that is full is emptied. A topic has tens of schemas, not thousands.
	maxCached = 4096
	// keepFailure is how long an answer for good that is not a schema is remembered. Without it each record with an unknown
	// id would ask anew; for longer, a schema that was registered too late would be missed for longer.
	keepFailure = 30 * time.Second
)

// cache remembers answers by key. Those who ask for the same key at the same time share one request, which goes on while
// any of them waits.
type cache[K comparable, V any] struct {
	mu      sync.Mutex // guards what follows
	known   map[K]V
	failed  map[K]failure
	flights map[K]*flight[V]
}

type failure struct {
	err   error
	until time.Time
}

// flight is one request under way.
type flight[V any] struct {
	done    chan struct{} // closed when value and err are set
	value   V
	err     error
	waiters int // guarded by the cache's mutex
	cancel  context.CancelFunc
}

func newCache[K comparable, V any]() *cache[K, V] {
	return &cache[K, V]{known: map[K]V{}, failed: map[K]failure{}, flights: map[K]*flight[V]{}}
}

func (c *cache[K, V]) size() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.known)
}

// get returns what is remembered, or else what ask answers. ask runs in a goroutine of its own, with a context that ends
// when nobody waits any more.
func (c *cache[K, V]) get(ctx context.Context, key K, ask func(context.Context) (V, error)) (V, error) {
	c.mu.Lock()
	if value, ok := c.known[key]; ok {
		c.mu.Unlock()
		return value, nil
	}
	if failed, ok := c.failed[key]; ok && time.Now().Before(failed.until) {
		c.mu.Unlock()
		var none V
		return none, failed.err
	}
	f := c.flights[key]
	if f == nil {
		f = c.fly(ctx, key, ask)
	}
	f.waiters++
	c.mu.Unlock()

	select {
	case <-f.done:
		return f.value, f.err
	case <-ctx.Done():
		c.leave(key, f)
		var none V
		return none, ctx.Err()
	}
}

// fly starts a request; the caller holds the mutex.
func (c *cache[K, V]) fly(ctx context.Context, key K, ask func(context.Context) (V, error)) *flight[V] {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	f := &flight[V]{done: make(chan struct{}), cancel: cancel}
	c.flights[key] = f
	go func() {
		defer cancel()
		f.value, f.err = ask(ctx)
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.flights[key] == f {
			delete(c.flights, key)
			c.remember(key, f)
		}
		close(f.done)
	}()
	return f
}

// remember keeps an answer; the caller holds the mutex.
func (c *cache[K, V]) remember(key K, f *flight[V]) {
	if f.err == nil {
		if len(c.known) >= maxCached {
			clear(c.known)
		}
		c.known[key] = f.value
		delete(c.failed, key)
		return
	}
	if len(c.failed) >= maxCached {
		clear(c.failed)
	}
	c.failed[key] = failure{err: f.err, until: time.Now().Add(keepFailure)}
}

// leave gives up waiting; the last one ends the request.
func (c *cache[K, V]) leave(key K, f *flight[V]) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if f.waiters--; f.waiters == 0 {
		f.cancel()
		if c.flights[key] == f {
			delete(c.flights, key) // whoever asks now must not join a request that is ending
		}
	}
}
