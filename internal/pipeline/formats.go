package pipeline

import (
	"strings"

	"streamer/internal/codec"
	"streamer/internal/expression"
)

// The formats that the chain knows by name; what others there are is the codecs' matter.
const (
	formatRaw    = "raw"
	formatString = "string"
	formatJSON   = "json"

	framingConfluent = "confluent"
)

// formats are the two parts of a record, ready to make decoders or encoders.
type formats struct{ key, value format }

// format is one part.
type format struct {
	name    string
	plain   bool // JSON without a frame
	decoder func() codec.Decoder
	encoder func() codec.Encoder // nil for raw, string and plain JSON, which the chain writes by itself
	faulty  bool
}

// text reports whether the chain writes the format by itself.
func (f *format) text() bool { return f.plain || f.name == formatRaw || f.name == formatString }

// shape says what names a value of the format offers.
func (f *format) shape() expression.Shape {
	switch f.name {
	case formatRaw:
		return expression.Opaque
	case formatString:
		return expression.Text
	default:
		return expression.Fields
	}
}

// keyShape is shape for a key, whose bytes are text unless it is a document.
func (f *format) keyShape() expression.Shape {
	if shape := f.shape(); shape == expression.Fields {
		return shape
	}
	return expression.Text
}

func (b *branch) newCoders() *coders {
	c := &coders{}
	if in := &b.decode; in.value.decoder != nil { // the rows of an aggregate are not decoded
		c.decodeKey, c.decodeValue = in.key.decoder(), in.value.decoder()
	}
	if o := &b.out; o.value == encoded {
		c.encodeValue = o.encode.value.encoder()
	}
	if o := &b.out; o.key == encoded {
		c.encodeKey = o.encode.key.encoder()
	}
	return c
}

// output decides what is left to do behind the last step, and refuses what makes no sense.
func (b *builder) output() {
	b.now.out.encode = b.encode
	if b.now.columns == nil && len(b.faults) == 0 { // or they would only follow from what is said already
		b.now.out.value = b.finishValue(&b.now.decode.value, &b.encode.value)
		b.now.out.key = b.finishKey(&b.now.decode.key, &b.encode.key)
		b.now.out.route = b.route(&b.config.Route)
	}
}

func (b *builder) finishValue(in, out *format) finish {
	made := b.now.out.made
	switch {
	case b.unsure || out.faulty:
	case out.encoder != nil && (made || in.name != formatRaw):
		return encoded
	case out.encoder != nil, out.name == formatJSON && !made && in.name == formatRaw:
		b.fault("encode", out.name, "cannot be made from bytes that are not decoded; write decode: json to check "+
			"that values are JSON, or decode: string to write each as a JSON string")
	case made && out.name != formatJSON:
		b.fault("encode", out.name, "cannot write the object that the steps build; write encode: json")
	case out.name == formatRaw:
	case out.name == formatJSON && (made || !in.plain):
		return asJSON
	case out.name == in.name:
		return checked
	case in.name == formatRaw || in.plain:
		return utf8Text
	default:
		b.fault("encode", out.name, "cannot write "+in.name+"; write encode: json")
	}
	return asIs
}

func (b *builder) finishKey(in, out *format) finish {
	keyed := b.now.out.keyed || b.config.Route.Key != ""
	switch {
	case b.unsure || out.faulty:
	case out.encoder != nil && (keyed || in.name != formatRaw):
		return encoded
	case keyed:
		b.now.out.keyJSON = out.name == formatJSON
		return asIs
	case out.encoder != nil, out.name == formatJSON && in.name == formatRaw:
		b.fault("encode.key", out.name, "cannot be made from a key that is not decoded; write decode: {key: json} to check "+
			"that keys are JSON, or decode: {key: string} to write each as a JSON string")
	case out.name == formatRaw:
	case out.name == formatJSON && !in.plain:
		return asJSON
	case out.name == in.name:
		return checked
	case in.name == formatRaw || in.plain:
		return utf8Text
	default:
		b.fault("encode.key", out.name, "cannot write "+in.name+"; write encode: {key: json}")
	}
	return asIs
}

// formats compiles how the two parts are read or written.
func (b *builder) formats(path string, c Formats, decode bool) formats {
	return formats{key: b.format(path+".key", c.Key, decode), value: b.format(path+".value", c.Value, decode)}
}

func (b *builder) format(path string, c codec.Config, decode bool) format {
	f := format{name: c.Format, plain: c.Format == formatJSON && c.Framing != framingConfluent}
	topic := b.options.Topic
	if b.config.Route.Topic != "" {
		topic = "" // it is not fixed, and neither is the subject that is named after it
	}
	use := codec.Use{Encode: !decode, Key: strings.HasSuffix(path, ".key"), Topic: topic, Registry: b.options.Registered}
	faults := c.Validate("pipeline."+path, use)
	for _, fault := range faults {
		b.note(fault)
	}
	if f.faulty = len(faults) > 0; f.faulty {
		return f
	}
	if b.options.Registered && b.options.Registry == nil { // only checked: schemas of the registry are not asked for
		f.decoder = func() codec.Decoder { return nil }
		if !decode && !f.text() {
			f.encoder = func() codec.Encoder { return nil }
		}
		return f
	}
	var err error
	if decode {
		f.decoder, err = codec.NewDecoder(c, use, b.options.Registry)
	} else if !f.text() {
		f.encoder, err = codec.NewEncoder(c, use, b.options.Registry)
	}
	if f.faulty = err != nil; f.faulty {
		b.fault(path+".schema", c.Schema, err.Error())
	}
	return f
}
