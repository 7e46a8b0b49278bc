// Package protobuf reads Protocol Buffers' binary encoding into documents and writes it from them (proto2, proto3 and
// editions; "Protocol Buffers: Encoding").
//
// Schemas are compiled by protocompile, and their descriptors once more into plans that work on the bytes themselves.
// dynamicpb was left to the tests, which hold the plans against it: a message of ten fields costs it 25 allocations and
// six times the time, only to be read once, and it panics over a map's key of another wire type than the schema's.
//
// Errors name fields of the schema, never a value.
package protobuf
