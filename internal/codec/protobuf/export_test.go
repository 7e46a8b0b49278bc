package protobuf

import "google.golang.org/protobuf/reflect/protoreflect"

// Descriptor is for tests that ask the official library.
func Descriptor(m Message) protoreflect.MessageDescriptor { return m.desc }
