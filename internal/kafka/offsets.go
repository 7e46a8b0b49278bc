package kafka

import (
	"cmp"
	"fmt"
	"iter"
	"maps"
	"slices"
)

// Offsets holds one offset per topic and partition.
type Offsets map[string]map[int32]int64

// Set puts one offset in.
func (o Offsets) Set(topic string, partition int32, offset int64) {
	if o[topic] == nil {
		o[topic] = make(map[int32]int64)
	}
	o[topic][partition] = offset
}

// Get looks one offset up.
func (o Offsets) Get(topic string, partition int32) (offset int64, ok bool) {
	offset, ok = o[topic][partition]
	return offset, ok
}

// Len counts the partitions.
func (o Offsets) Len() int {
	n := 0
	for _, partitions := range o {
		n += len(partitions)
	}
	return n
}

// TopicPartition names one partition.
type TopicPartition struct {
	Topic     string
	Partition int32
}

// String renders it as "topic/3".
func (t TopicPartition) String() string { return fmt.Sprintf("%s/%d", t.Topic, t.Partition) }

// Sorted yields the offsets by topic and partition.
func (o Offsets) Sorted() iter.Seq2[TopicPartition, int64] {
	return func(yield func(TopicPartition, int64) bool) {
		for _, topic := range slices.Sorted(maps.Keys(o)) {
			for _, partition := range slices.Sorted(maps.Keys(o[topic])) {
				if !yield(TopicPartition{topic, partition}, o[topic][partition]) {
					return
				}
			}
		}
	}
}

// Partitions holds the partitions of each topic, in order.
type Partitions map[string][]int32

// Topics lists the topics, in order. It is never called for a look-up with an empty result: kadm takes no topics as all.
func (p Partitions) Topics() []string { return slices.Sorted(maps.Keys(p)) }

// Len counts the partitions.
func (p Partitions) Len() int {
	n := 0
	for _, partitions := range p {
		n += len(partitions)
	}
	return n
}

// Sorted yields the partitions by topic and number.
func (p Partitions) Sorted() iter.Seq[TopicPartition] {
	return func(yield func(TopicPartition) bool) {
		for _, topic := range p.Topics() {
			for _, partition := range slices.SortedFunc(slices.Values(p[topic]), cmp.Compare[int32]) {
				if !yield(TopicPartition{topic, partition}) {
					return
				}
			}
		}
	}
}
