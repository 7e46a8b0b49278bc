// Package expression compiles the expressions of filter and map steps. The language is expr-lang's; this package gives
// its names and its nil the meaning that docs/expressions.md promises:
//
//   - A bare identifier is a field of the record, whatever built-in has the same name; a built-in only when called.
//   - A missing field is nil, and so is every part of it. In conditions nil is false, an ordered comparison with nil is
//     false, and arithmetic or a function on nil is an error unless ?? gives a value.
//   - No expression sees the clock, and none depends on the order in which Go walks a map: the same record always gives
//     the same bytes.
//
// [Compile] does the work once: parse, rewrite names to reads of the record, check types, apply the nil rules, make closures
// of the tree. A [Program] is shared by all workers; an [Evaluator] and a [Record] belong to one goroutine each.
//
// Programs of the common subset run as closures over the parsed record without allocating, the rest on expr's virtual
// machine. Closures give values only. Where one has no answer, because the expression fails or needs the inside of lists or
// objects, the program runs again on the machine: so errors, and whatever is rare, exist once. Tests hold both ways to the
// same answers; one that differs is a bug of the closures.
//
// Errors at run time are [EvalError] and never hold payload: the machine's own messages quote values.
package expression
