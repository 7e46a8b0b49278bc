package registry

import (
	"context"
	"errors"
	"fmt"

	"github.com/twmb/franz-go/pkg/sr"
)

// Type is the language of a schema.
type Type = sr.SchemaType

// The types.
const (
	Avro     = sr.TypeAvro
	Protobuf = sr.TypeProtobuf
	JSON     = sr.TypeJSON
)

// Schema is a schema with everything that it refers to.
type Schema struct {
	Type Type
	Text string
	// References are the schemas that it refers to, directly or not, each behind those that it refers to itself and once by
	// name.
	References []Reference
}

// Reference is a schema under the name by which others refer to it: a type's for Avro, an import's path for Protobuf.
type Reference struct {
	Name string
	Text string
}

// maxReferences bounds what one schema refers to: a registry may hold a circle.
const maxReferences = 256

// ErrUnknown is what the registry answers for an id that no schema has.
var ErrUnknown = errors.New("the schema registry has no schema with this id")

// Schema returns the schema of an id, from memory if it was asked for before. It waits until the registry answers or ctx
// ends. Any error but that of ctx is an answer for good: [ErrUnknown], or a reference that is not there.
func (c *Client) Schema(ctx context.Context, id int32) (*Schema, error) {
	schema, err := c.schemas.get(ctx, id, func(ctx context.Context) (*Schema, error) { return c.fetch(ctx, id) })
	if err != nil {
		return nil, fmt.Errorf("get schema %d: %w", id, err)
	}
	return schema, nil
}

func (c *Client) fetch(ctx context.Context, id int32) (*Schema, error) {
	var found sr.Schema
	err := c.ask(ctx, func(ctx context.Context, client *sr.Client) (err error) {
		found, err = client.SchemaByID(ctx, int(id))
		return err //nolint:wrapcheck // classified by the caller
	})
	if classify(err) == resultNotFound {
		return nil, ErrUnknown
	}
	if err != nil {
		return nil, err
	}
	schema := &Schema{Type: found.Type, Text: found.Schema}
	collect := collector{client: c, seen: map[string]bool{}}
	if err := collect.all(ctx, found.References); err != nil {
		return nil, err
	}
	schema.References = collect.found
	return schema, nil
}

// collector gathers references depth first, so that each comes behind those that it needs.
type collector struct {
	client *Client
	seen   map[string]bool
	found  []Reference
}

func (r *collector) all(ctx context.Context, references []sr.SchemaReference) error {
	for _, reference := range references {
		if r.seen[reference.Name] {
			continue
		}
		r.seen[reference.Name] = true
		if len(r.seen) > maxReferences {
			return fmt.Errorf("schema refers to more than %d others", maxReferences)
		}
		var schema sr.SubjectSchema
		err := r.client.ask(ctx, func(ctx context.Context, client *sr.Client) (err error) {
			// A version that was deleted softly is still referred to.
			schema, err = client.SchemaByVersion(sr.WithParams(ctx, sr.ShowDeleted), reference.Subject, reference.Version)
			return err //nolint:wrapcheck // classified by the caller
		})
		if err != nil {
			return fmt.Errorf("get reference %s, version %d: %w", reference.Subject, reference.Version, err)
		}
		if err := r.all(ctx, schema.References); err != nil {
			return err
		}
		r.found = append(r.found, Reference{Name: reference.Name, Text: schema.Schema.Schema})
	}
	return nil
}
