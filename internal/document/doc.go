// Package document holds one decoded value as a flat tape of nodes over the bytes it came from: JSON text is parsed once,
// strictly and without copying, and then read field by field.
//
// A library parser was tried first and left: the fast ones accept text that is not JSON (NaN, 1-2e, raw control
// characters), so that a field copied to the output would make the output invalid, they copy the input, and their error
// messages quote it, which would put payload into logs.
//
// A [Document] belongs to one goroutine and is reused from record to record; its memory is 16 bytes per value.
package document
