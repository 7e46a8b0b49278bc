package registry

import (
	"context"
	"fmt"

	"github.com/twmb/franz-go/pkg/sr"
)

// Source is a schema of ours, with what it imports.
type Source struct {
	Type    Type
	Text    string
	Imports []Import
}

// Import is a schema under the name by which another refers to it. The registry keeps it under a subject of that name, as
// Confluent's serializers do.
type Import struct {
	Name   string
	Source Source
}

// registration is what a registration is remembered by.
type registration struct {
	subject  string
	source   *Source
	register bool
}

// version is a schema's place in the registry.
type version struct {
	id      int32
	version int
}

// ID returns the id of a schema in a subject. With register it is added if the subject lacks it, and so are its imports in
// theirs. It waits until the registry answers or ctx ends; any error but that of ctx is an answer for good. The answer is
// remembered by the address of source.
func (c *Client) ID(ctx context.Context, subject string, source *Source, register bool) (int32, error) {
	found, err := c.ids.get(ctx, registration{subject, source, register}, func(ctx context.Context) (version, error) {
		return c.ensure(ctx, subject, source, register)
	})
	return found.id, err
}

func (c *Client) ensure(ctx context.Context, subject string, source *Source, register bool) (version, error) {
	schema := sr.Schema{Schema: source.Text, Type: source.Type}
	for i := range source.Imports {
		needed := &source.Imports[i]
		found, err := c.ensure(ctx, needed.Name, &needed.Source, register)
		if err != nil {
			return version{}, err
		}
		schema.References = append(schema.References,
			sr.SchemaReference{Name: needed.Name, Subject: needed.Name, Version: found.version})
	}
	found, err := c.lookUp(ctx, subject, schema)
	if classify(err) != resultNotFound {
		return found, err
	}
	if !register {
		return version{}, fmt.Errorf("subject %s does not have the schema; register it, or set register: true", subject)
	}
	err = c.ask(ctx, func(ctx context.Context, client *sr.Client) error {
		_, err := client.RegisterSchema(ctx, subject, schema, -1, -1)
		return err //nolint:wrapcheck // classified by the caller
	})
	if err != nil {
		return version{}, fmt.Errorf("register schema in subject %s: %w", subject, err)
	}
	return c.lookUp(ctx, subject, schema) // an old registry answers with the id alone
}

func (c *Client) lookUp(ctx context.Context, subject string, schema sr.Schema) (version, error) {
	var found sr.SubjectSchema
	err := c.ask(ctx, func(ctx context.Context, client *sr.Client) (err error) {
		found, err = client.LookupSchema(ctx, subject, schema)
		return err //nolint:wrapcheck // classified by the caller
	})
	if err != nil {
		return version{}, fmt.Errorf("look up schema in subject %s: %w", subject, err)
	}
	return version{id: int32(found.ID), version: found.Version}, nil
}
