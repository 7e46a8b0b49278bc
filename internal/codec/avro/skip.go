package avro

import hamba "github.com/hamba/avro/v2"

// skipFunc passes over one value that the reader leaves out. What it holds is not checked, its lengths are.
type skipFunc func(c *cursor) error

func (comp *compiler) skipper(schema hamba.Schema) skipFunc {
	switch schema := deref(schema).(type) {
	case *hamba.NullSchema:
		return func(*cursor) error { return nil }
	case *hamba.RecordSchema:
		return comp.skipRecord(schema)
	case *hamba.FixedSchema:
		return skipBytes(schema.Size())
	case *hamba.ArraySchema:
		return skipBlocks(nil, comp.skipper(schema.Items()), comp.leastSize(schema.Items()))
	case *hamba.MapSchema:
		return skipBlocks(skipText, comp.skipper(schema.Values()), 1+comp.leastSize(schema.Values()))
	case *hamba.UnionSchema:
		return comp.skipUnion(schema)
	case *hamba.PrimitiveSchema:
		switch schema.Type() { //nolint:exhaustive // the others are numbers
		case hamba.Boolean:
			return skipBytes(1)
		case hamba.Float:
			return skipBytes(4)
		case hamba.Double:
			return skipBytes(8)
		case hamba.String, hamba.Bytes:
			return skipText
		}
	}
	return func(c *cursor) error { // int, long, enum
		_, err := c.long()
		return err
	}
}

func skipText(c *cursor) error {
	_, err := c.bytes()
	return err
}

func skipBytes(n int) skipFunc {
	return func(c *cursor) error {
		_, err := c.take(n)
		return err
	}
}

func (comp *compiler) skipRecord(schema *hamba.RecordSchema) skipFunc {
	if known := comp.skippers[schema]; known != nil {
		return func(c *cursor) error { return (*known)(c) }
	}
	compiled := new(skipFunc)
	comp.skippers[schema] = compiled
	fields := comp.skippersOf(schema)
	*compiled = func(c *cursor) error {
		if err := c.enter(); err != nil {
			return err
		}
		for _, skip := range fields {
			if err := skip(c); err != nil {
				return err
			}
		}
		c.leave()
		return nil
	}
	return *compiled
}

func (comp *compiler) skipUnion(schema *hamba.UnionSchema) skipFunc {
	branches := make([]skipFunc, len(schema.Types()))
	for i, branch := range schema.Types() {
		branches[i] = comp.skipper(branch)
	}
	return func(c *cursor) error {
		index, err := c.long()
		if err != nil {
			return err
		}
		if index < 0 || index >= int64(len(branches)) {
			return errBranch
		}
		return branches[index](c)
	}
}

// skipBlocks passes over an array, or a map if name is given. A block whose writer said its size is passed over at once.
func skipBlocks(name, item skipFunc, least int) skipFunc {
	return func(c *cursor) error {
		if err := c.enter(); err != nil {
			return err
		}
		for {
			count, size, err := c.block(least)
			switch {
			case err != nil:
				return err
			case count == 0:
				c.leave()
				return nil
			case size >= 0:
				c.at += size
				continue
			}
			for range count {
				if name != nil {
					if err := name(c); err != nil {
						return err
					}
				}
				if err := item(c); err != nil {
					return err
				}
			}
		}
	}
}
