package pipeline

import (
	"errors"
	"iter"
	"math"
	"strings"
	"time"

	"streamer/internal/document"
	"streamer/internal/expression"
	"streamer/internal/record"
)

// route decides where the outputs of a branch go.
type route struct {
	any                              bool // there is something to evaluate
	topic, key, partition, timestamp *expression.Program
	headers                          []routeHeader
	topics                           map[string]*record.Destination // the allow-list, shared by all outputs
}

type routeHeader struct {
	path, name string
	program    *expression.Program
}

func (b *builder) route(c *Route) route {
	r := route{topics: map[string]*record.Destination{}}
	for _, part := range []struct {
		name, text string
		to         **expression.Program
	}{
		{"topic", c.Topic, &r.topic},
		{"key", c.Key, &r.key},
		{"partition", c.Partition, &r.partition},
		{"timestamp", c.Timestamp, &r.timestamp},
	} {
		if part.text != "" {
			*part.to, r.any = b.expression("route."+part.name, part.text), true
		}
	}
	for i := range c.Headers {
		h := &c.Headers[i]
		path := "route.headers." + h.Name
		r.headers, r.any = append(r.headers, routeHeader{path, h.Name, b.expression(path, h.Expression)}), true
	}
	if r.topic != nil && len(b.options.Topics) == 0 {
		b.fault("route.topic", clip(c.Topic), "has no topics to choose from; list those that records may go to in sink.kafka.topics")
	}
	byKey := b.now.out.keyed || r.key != nil
	for _, topic := range b.options.Topics {
		r.topics[topic] = &record.Destination{Topic: topic, Partition: -1, ByKey: byKey}
	}
	return r
}

var (
	errNotAllowed = errors.New("the topic is not one of sink.kafka.topics")
	errPartition  = errors.New("the partition is not a whole number from 0, or nil")
	errTimestamp  = errors.New("the timestamp is not a whole number of milliseconds from 0, or nil")
)

// send evaluates the expressions over the value as the last step left it.
func (w *Worker) send(r *route, out *emitted) *record.Failure {
	if r.key != nil {
		w.step = "route.key"
		key, failure := w.canonical(w.key[:0], r.key, w.step)
		if failure != nil {
			return failure
		}
		w.key, w.hand.keyed = key, true
	}
	failure := w.sendTopic(r, out)
	if failure == nil {
		failure = w.sendPartition(r, out)
	}
	if failure == nil {
		failure = w.sendTimestamp(r, out)
	}
	if failure == nil && r.headers != nil {
		failure = w.sendHeaders(r, out)
	}
	return failure
}

// sendTopic never says which topic it was: the name is made from the record.
func (w *Worker) sendTopic(r *route, out *emitted) *record.Failure {
	if r.topic == nil {
		return nil
	}
	w.step = "route.topic"
	if failure := w.prepare(r.topic); failure != nil {
		return failure
	}
	name, found, err := w.eval.AppendText(w.text[:0], r.topic, &w.input)
	if err != nil {
		return w.fail(record.ClassEvaluate, w.step, err)
	}
	if w.text = name; !found { // nil: the sink's own topic
		return nil
	}
	if out.to = r.topics[string(name)]; out.to == nil {
		return w.fail(record.ClassEvaluate, w.step, errNotAllowed)
	}
	return nil
}

func (w *Worker) sendPartition(r *route, out *emitted) *record.Failure {
	n, found, failure := w.whole63(r.partition, "route.partition", errPartition)
	if failure != nil || !found {
		return failure
	}
	if n > math.MaxInt32 {
		return w.fail(record.ClassEvaluate, w.step, errPartition)
	}
	to := record.Destination{Partition: int32(n)}
	if out.to != nil {
		to.Topic = out.to.Topic
	}
	if w.places[to] == nil {
		w.places[to] = &to
	}
	out.to = w.places[to]
	return nil
}

func (w *Worker) sendTimestamp(r *route, out *emitted) *record.Failure {
	n, found, failure := w.whole63(r.timestamp, "route.timestamp", errTimestamp)
	if failure == nil && found {
		out.timestamp = time.UnixMilli(n)
	}
	return failure
}

// whole63 evaluates an expression that gives an integer from 0, or nil; wrong is what to say of anything else.
func (w *Worker) whole63(p *expression.Program, step string, wrong error) (n int64, found bool, failure *record.Failure) {
	if p == nil {
		return 0, false, nil
	}
	w.step = step
	if failure = w.prepare(p); failure != nil {
		return 0, false, failure
	}
	value, err := w.eval.Value(p, &w.input)
	switch {
	case err != nil:
		return 0, false, w.fail(record.ClassEvaluate, step, err)
	case value.Kind == document.Null:
		return 0, false, nil
	case value.Kind != document.Integer || value.Int < 0:
		return 0, false, w.fail(record.ClassEvaluate, step, wrong)
	}
	return value.Int, true, nil
}

// sendHeaders writes the record's headers, without those that route names, and behind them the new ones; one that is nil
// is left out.
func (w *Worker) sendHeaders(r *route, out *emitted) *record.Failure {
	start := len(w.headers)
	for i := range w.input.Source.Headers {
		if h := &w.input.Source.Headers[i]; !r.names(h.Key) {
			w.headers = append(w.headers, header{name: h.Key, value: h.Value, at: own})
		}
	}
	for i := range r.headers {
		h := &r.headers[i]
		w.step = h.path
		if failure := w.prepare(h.program); failure != nil {
			return failure
		}
		from := len(w.arena)
		arena, found, err := w.eval.AppendText(w.arena, h.program, &w.input)
		if err != nil {
			return w.fail(classOf(err), h.path, err)
		}
		if found {
			w.arena = arena
			w.headers = append(w.headers, header{name: h.name, at: extent{from, len(arena)}})
		}
	}
	out.headers = extent{start, len(w.headers)}
	return nil
}

// programs yields the expressions with their paths.
func (r *route) programs() iter.Seq2[string, *expression.Program] {
	return func(yield func(string, *expression.Program) bool) {
		all := []routeHeader{
			{path: "route.topic", program: r.topic},
			{path: "route.key", program: r.key},
			{path: "route.partition", program: r.partition},
			{path: "route.timestamp", program: r.timestamp},
		}
		for _, part := range append(all, r.headers...) {
			if part.program != nil && !yield(part.path, part.program) {
				return
			}
		}
	}
}

func (r *route) names(header string) bool {
	for i := range r.headers {
		if r.headers[i].name == header {
			return true
		}
	}
	return false
}

// clip is an expression as a fault shows it.
func clip(text string) string { return strings.TrimSpace(text) }
