// Package guarantee says what a configured pipeline promises for its records, and no more than that: in one sentence, with
// the setting behind each part of it. It is pure.
package guarantee

import (
	"fmt"
	"slices"
	"strings"

	"streamer/internal/config"
	"streamer/internal/kafka"
	"streamer/internal/pipeline"
	"streamer/internal/record"
)

// Counts are the partitions of topics. Where a topic is missing nothing is claimed that would depend on its count.
type Counts struct{ Inputs, Outputs map[string]int }

// Guarantee is what holds for one pipeline.
type Guarantee struct {
	Sentence string
	Reasons  []string // why, one sentence each
}

// Of reads what a valid configuration promises. counts are what the brokers say now.
func Of(cfg config.Config, counts Counts) Guarantee {
	p := promise{cfg: cfg, counts: counts}
	if cfg.Sink.Type == config.SinkDrop {
		return p.nothing()
	}
	sentence := p.subject() + " is delivered " + p.times() + p.order() + p.exceptions()
	p.caveats()
	return Guarantee{Sentence: sentence, Reasons: p.reasons}
}

// promise collects the reasons while the parts of the sentence are put together.
type promise struct {
	cfg     config.Config
	counts  Counts
	reasons []string
}

func (p *promise) becausef(format string, args ...any) {
	p.reasons = append(p.reasons, fmt.Sprintf(format, args...))
}

// nothing is the sentence of sink drop: its acknowledgements mean nothing, and yet offsets are committed by them.
func (p *promise) nothing() Guarantee {
	sentence := "no record is delivered, sink drop forgets what it acknowledges"
	p.becausef("sink.type: drop: it is for measuring and trying out")
	if p.cfg.Source.Kafka.Group != "" {
		sentence += ", and the group's commits pass over it"
		p.becausef("source.kafka.group: what was forgotten is committed; another sink with this group goes on behind it")
	}
	if p.cfg.Pipeline.OnError.Has(pipeline.DeadLetter) {
		sentence += "; only records that fail are kept, in the dead-letter topic " + p.cfg.DeadLetter.Topic
	}
	return Guarantee{Sentence: sentence, Reasons: p.reasons}
}

// uses reports whether any step, of the streams too, is of one of the kinds.
func (p *promise) uses(wanted func(pipeline.Step) bool) bool {
	steps := append([]pipeline.Step(nil), p.cfg.Pipeline.Steps...)
	for i := range p.cfg.Pipeline.Streams {
		steps = append(steps, p.cfg.Pipeline.Streams[i].Steps...)
	}
	return slices.ContainsFunc(steps, wanted)
}

func ofKind(kinds ...string) func(pipeline.Step) bool {
	return func(s pipeline.Step) bool { return slices.Contains(kinds, s.Kind) }
}

func (p *promise) reduces() bool { return p.uses(ofKind(pipeline.KindReduce)) }

// subject is what the promise is about. A record that a step leaves out, or that counts in a row, is not delivered itself.
func (p *promise) subject() string {
	what := "each record"
	if p.uses(ofKind(pipeline.KindFilter, pipeline.KindFlatMap, pipeline.KindJoin)) {
		what = "each record that the steps keep"
	}
	if p.cfg.Source.Kafka.Isolation == kafka.ReadUncommitted {
		what += ", of aborted transactions too,"
		p.becausef("source.kafka.isolation: read_uncommitted: records are read before anybody knows whether they will be aborted")
	}
	if p.reduces() {
		p.becausef("reduce_by_key: a row stands for a batch, and one that a crash repeats may be cut otherwise: a record may count " +
			"in two rows; the header streamer-spans says what a row covers")
		return what + " counts in a row that"
	}
	return what
}

// times is how often, and where to.
func (p *promise) times() string {
	source := p.cfg.Source.Kafka
	again := "at least once"
	if source.Group == "" {
		again = "at least once in a run that ends with exit code 0, and again in each run that is repeated,"
		p.becausef("source.kafka.group: \"\": nothing is committed, so a run that was stopped or failed begins anew")
	} else {
		p.becausef("offsets are committed only after the sink has acknowledged: a crash, a member that is taken for dead or a " +
			"revoke that runs out of source.kafka.drain_timeout repeats what was delivered and not committed; a clean stop " +
			"repeats nothing")
	}
	sink := p.cfg.Sink
	switch sink.Type {
	case config.SinkKafka:
		p.becausef("sink.kafka: a batch is acknowledged by all in-sync replicas of the topic; its min.insync.replicas says how " +
			"many these are at least")
		return again + " to Kafka"
	case config.SinkFile:
		p.becausef("sink.file: a batch is acknowledged after fsync")
		return again + " to files in " + sink.File.Directory
	default:
		p.becausef("sink.stdout: a batch is acknowledged when the pipe took it; what its reader makes of it is not known")
		return again + " to standard output"
	}
}

// order is what is kept of the input's order.
func (p *promise) order() string {
	if p.reduces() {
		p.becausef("reduce_by_key: rows of one key come from the batches of each member, which do not wait for each other")
		return ", in no order"
	}
	p.becausef("what is repeated comes again behind what it repeats, so the order is that of the first deliveries")
	if p.cfg.Sink.Type != config.SinkKafka {
		if p.cfg.Sink.Type == config.SinkFile {
			p.becausef("sink.file.instance: after a rebalance a partition goes on in the files of another member")
		}
		return ", in the order of its input partition"
	}
	p.becausef("sink.kafka: a broker that has forgotten the producer, by default after a day without a record, may take a " +
		"record batch before the one that it refused")
	return p.orderInKafka()
}

func (p *promise) orderInKafka() string {
	route := p.cfg.Pipeline.Route
	keyed := ofKind(pipeline.KindKeyBy)
	switch {
	case route.Partition != "":
		p.becausef("pipeline.route.partition: records of one input partition may go to several")
		return ", in the order of its input partition only within each output partition"
	case route.Key != "" || p.uses(keyed):
		p.becausef("key_by or pipeline.route.key: a record goes to the partition of its new key")
		return ", in the order of its input partition only per key"
	}
	switch equal, known := p.equal(); {
	case !known:
		p.becausef("the partitions of all topics are not known here: `validate` with the brokers says which of the two it is")
		return ", in the order of its input partition if the output topic has as many partitions, else only per key"
	case equal:
		p.becausef("input and output topics have equally many partitions, %s; one that grows alone ends this", p.partitions())
		return ", in the order of its input partition"
	default:
		p.becausef("input and output topics have not equally many partitions, %s: records go by key", p.partitions())
		return ", in the order of its input partition only per key"
	}
}

// equal reports whether each pair of an input and an output topic has equally many partitions. A pattern may match other
// topics tomorrow, so it proves nothing.
func (p *promise) equal() (equal, known bool) {
	if p.cfg.Source.Kafka.TopicPattern != "" {
		return false, false
	}
	for _, input := range p.cfg.Source.Kafka.Topics {
		for _, output := range p.cfg.Sink.Kafka.Output.Destinations() {
			in, out := p.counts.Inputs[input], p.counts.Outputs[output]
			if in == 0 || out == 0 {
				return false, false
			}
			if in != out {
				return false, true
			}
		}
	}
	return true, true
}

func (p *promise) partitions() string {
	var parts []string
	for _, topic := range p.cfg.Source.Kafka.Topics {
		parts = append(parts, fmt.Sprintf("%s %d", topic, p.counts.Inputs[topic]))
	}
	for _, topic := range p.cfg.Sink.Kafka.Output.Destinations() {
		parts = append(parts, fmt.Sprintf("%s %d", topic, p.counts.Outputs[topic]))
	}
	return strings.Join(parts, ", ")
}

// exceptions are the records that are not delivered though they were in the log.
func (p *promise) exceptions() string {
	var but []string
	source, errors := p.cfg.Source.Kafka, p.cfg.Pipeline.OnError
	if classes := classesWith(errors, pipeline.Skip); classes != "" {
		but = append(but, "records that fail ("+classes+"), which are skipped")
		p.becausef("pipeline.on_error: skip: they are counted and logged, and kept nowhere")
	}
	if classes := classesWith(errors, pipeline.DeadLetter); classes != "" {
		but = append(but, "records that fail ("+classes+"), which go to the dead-letter topic "+p.cfg.DeadLetter.Topic)
		p.becausef("pipeline.on_error: dead_letter: at least once too, before their batch is committed")
	}
	if classes := classesWith(errors, pipeline.Fail); classes != "" {
		p.becausef("pipeline.on_error: fail: a record that fails (%s) stops the service before it", classes)
	}
	if start := source.Start; start != "earliest" {
		but = append(but, "those before the start")
		p.becausef("source.kafka.start: %s: where the group has no commit, what is older is not read", start)
	}
	if source.Until != "" {
		but = append(but, "those past the end of the run")
		p.becausef("source.kafka.until: %s: the ends are listed once, at the start", source.Until)
	}
	switch source.OnOutOfRange {
	case kafka.OutOfRangeEarliest:
		but = append(but, "those that were deleted before they were read")
		p.becausef("source.kafka.on_out_of_range: earliest: it goes on with the first record that is left")
	case kafka.OutOfRangeLatest:
		but = append(but, "those that were deleted before they were read, with what stands behind them then")
		p.becausef("source.kafka.on_out_of_range: latest: it goes on at the end, and skips also what is left")
	default:
		p.becausef("source.kafka.on_out_of_range: fail: records that were deleted before they were read stop the service")
	}
	if len(but) == 0 {
		return ""
	}
	return ", except " + strings.Join(but, ", and ")
}

// classesWith lists the classes of failure with a policy; "all" says it of every one.
func classesWith(errors pipeline.OnError, policy string) string {
	var with []string
	for _, class := range record.Classes() {
		if errors.Policy(class) == policy {
			with = append(with, class)
		}
	}
	if len(with) == len(record.Classes()) {
		return "all classes"
	}
	return strings.Join(with, ", ")
}

// caveats are reasons that change no word of the sentence, but what it is worth.
func (p *promise) caveats() {
	lenient := p.cfg.Pipeline.OnError.Has(pipeline.Skip) || p.cfg.Pipeline.OnError.Has(pipeline.DeadLetter)
	switch breaker := p.cfg.Pipeline.CircuitBreaker; {
	case !lenient:
	case breaker.Percent == 0:
		p.becausef("pipeline.circuit_breaker.percent: 0: nothing stops a pipeline that fails on every record")
	default:
		p.becausef("pipeline.circuit_breaker: the service stops when more than %d%% of the records of %d batches fail, if they "+
			"had %d", breaker.Percent, breaker.Batches, breaker.MinRecords)
	}
	if p.reduces() && lenient {
		p.becausef("reduce_by_key: a row that cannot be written stops the service under any policy")
	}
	reloads := func(s pipeline.Step) bool { return s.Kind == pipeline.KindJoin && s.Join.Reload > 0 }
	if p.uses(reloads) {
		p.becausef("join: the table follows its file, so a record that is repeated may get another row")
	}
}
