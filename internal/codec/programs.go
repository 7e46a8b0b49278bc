package codec

import (
	"context"
	"fmt"
	"sync"

	"streamer/internal/codec/registry"
)

// maxPrograms bounds what is compiled for the schemas of a topic, which has tens of them.
const maxPrograms = 1024

// programs compiles the schemas of a registry, each once, for all decoders of one factory. P is what a schema becomes.
type programs[P any] struct {
	registry *registry.Client
	compile  func(*registry.Schema) (P, error)

	mu   sync.RWMutex // guards byID
	byID map[int32]program[P]
}

// program is a compiled schema, or why it cannot be.
type program[P any] struct {
	compiled P
	err      error
}

func newPrograms[P any](client *registry.Client, compile func(*registry.Schema) (P, error)) *programs[P] {
	return &programs[P]{registry: client, compile: compile, byID: map[int32]program[P]{}}
}

// get returns what the schema of the id became. It waits for a registry that is down, until ctx ends; any other error is
// one of the record that names the schema.
func (p *programs[P]) get(ctx context.Context, id int32) (P, error) {
	p.mu.RLock()
	known, ok := p.byID[id]
	p.mu.RUnlock()
	if ok {
		return known.compiled, known.err
	}
	schema, err := p.registry.Schema(ctx, id)
	if err != nil { // remembered by the client, for a while
		var none P
		return none, err
	}
	known.compiled, known.err = p.compile(schema)
	if known.err != nil {
		known.err = fmt.Errorf("schema %d: %w", id, known.err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.byID) >= maxPrograms {
		clear(p.byID)
	}
	p.byID[id] = known
	return known.compiled, known.err
}

// wrongType reports a schema of another format than the configuration says.
func wrongType(schema *registry.Schema, want registry.Type) error {
	if schema.Type != want {
		return fmt.Errorf("is of type %s, not %s", schema.Type, want)
	}
	return nil
}
