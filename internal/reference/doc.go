// Package reference holds the tables that the join step looks rows up in: a CSV or JSON-lines file in memory, by the values
// of one column, loaded again when the file changes.
//
// A [Table] hands out its rows as snapshots, [Rows], which never change: any goroutine may read them, and a block that takes
// one at its start sees the same rows up to its end. One goroutine, [Table.Run], watches the file.
//
// Messages name file, line and remedy. They never hold what stands in the rows: it is payload as much as a record's value is.
package reference
