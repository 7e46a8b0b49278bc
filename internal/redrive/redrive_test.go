package redrive

import (
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/goleak"

	"streamer/internal/config"
	"streamer/internal/kafka"
	"streamer/internal/record"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const deadTopic = "dead"

// born is when the letter at offset 0 was written; each next one is a second younger.
var born = time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)

// written is a letter of the topic as the service writes it, of the record at offset 100 and the letter's.
func written(offset int64, topic, class, value string, own ...kgo.RecordHeader) *kgo.Record {
	headers := append([]kgo.RecordHeader(nil), own...)
	values := []string{
		topic, "1", strconv.FormatInt(100+offset, 10), strconv.FormatInt(5000+offset, 10), class, "steps[0].map.a", "why", "g", "v",
	}
	for i, name := range kafka.DeadLetterHeaders() {
		headers = append(headers, kgo.RecordHeader{Key: name, Value: []byte(values[i])})
	}
	return &kgo.Record{
		Topic: deadTopic, Partition: 2, Offset: offset, LeaderEpoch: 7, Key: fmt.Appendf(nil, "k%d", offset), Value: []byte(value),
		Headers: headers, Timestamp: born.Add(time.Duration(offset) * time.Second),
	}
}

// blockOf is a block as the service cuts it, charged with its letters.
func blockOf(letters ...*kgo.Record) *record.Block {
	return blockIn(record.NewBudget(0, func() {}), letters...)
}

func blockIn(budget *record.Budget, letters ...*kgo.Record) *record.Block {
	b := &record.Block{
		Owner: record.Owner{Topic: deadTopic, Partition: 2}, In: letters, Received: len(letters),
		Span: record.Span{First: letters[0].Offset, Next: letters[len(letters)-1].Offset + 1, LeaderEpoch: 7},
	}
	budget.NewAccount().Open(b)
	for _, l := range letters {
		b.Charge(record.Size(l))
	}
	return b
}

// configuration is of a pipeline that reads orders and clicks.
func configuration() config.Config {
	c := config.Default()
	c.Source.Kafka.Topics, c.Source.Kafka.Group = []string{"orders", "clicks"}, "g"
	c.DeadLetter.Topic = deadTopic
	c.Sink.Type = config.SinkDrop
	return c
}

// planOf is ready to run: orders has 4 partitions, clicks 1.
func planOf(t *testing.T, o Options) *Plan {
	t.Helper()
	p, err := New(configuration(), o)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Bind(kafka.Partitions{"orders": {0, 1, 2, 3}, "clicks": {0}}); err != nil {
		t.Fatal(err)
	}
	return p
}
