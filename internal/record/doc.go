// Package record holds the nouns that the stages of Streamer hand to each other: who owns a partition ([Owner]), which
// offsets are meant ([Span]), the unit of parallel work ([Block]), the unit of delivery ([Batch]), and the memory that
// both hold ([Budget], [Account]).
//
// Input records stay *kgo.Record from the poll to the end; they are never copied into a type of our own. A block is
// touched by one goroutine at a time: the assignment loop fills it, one worker processes it, the union orders it, the
// writer delivers it. Handing it on hands on the right to touch it.
package record
