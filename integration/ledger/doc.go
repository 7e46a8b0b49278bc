// Package ledger writes records that can be told apart, reads back what became of them, and checks the promise.
//
// Every value says which run, partition, sequence number and key it is, with a checksum. What the broker holds in the
// input topic is the truth; what the sink holds is compared with it as sets, never as counts: a lost record and a
// duplicate must not make up for each other. The checker ([Ledger.Check]) is pure, and its own test feeds it ledgers
// with one fault each.
package ledger
