// Package aggregate holds the partial aggregates of reduce_by_key: count, sum, min, max and avg by group.
//
// A worker fills one [Table] for its block, and tables are merged per partition and then over the partitions. The result is
// the same bytes for any grouping into tables and any order of adding and merging, because every partial is exact: integers
// are summed in 128 bits, floats without any rounding, and the one rounding there is happens when a result is written.
// Extremes follow a total order.
//
// A Table belongs to one goroutine at a time.
package aggregate
