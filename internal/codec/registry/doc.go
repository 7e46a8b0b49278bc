// Package registry fetches and registers schemas in a Confluent schema registry.
//
// A registry that does not answer is not an error of a record: requests are repeated, with growing pauses and over all
// URLs, until their context ends, and [Client.Waiting] says meanwhile what they wait for. Only what the registry itself
// answers for good, an unknown schema or a refused one, is an error.
package registry
