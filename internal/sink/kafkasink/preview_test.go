package kafkasink_test

import (
	"fmt"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"streamer/internal/record"
	"streamer/internal/setting"
	"streamer/internal/sink/kafkasink"
	"streamer/internal/sink/sinktest"
)

// The preview places as the sink does: what it says is held against where the records arrive.
func TestPreviewSaysWhereRecordsArrive(t *testing.T) {
	for _, counts := range []struct {
		input  int
		output int32
	}{{8, 8}, {8, 3}, {2, 8}} {
		t.Run(fmt.Sprint(counts), func(t *testing.T) {
			b := newBroker(t, counts.output)
			b.inputs = map[string]int{"in": counts.input}
			cfg := config()
			preview := kafkasink.NewPreview(cfg, b.inputs, map[string]int{cfg.Topic: int(counts.output)})
			byKey := &record.Destination{Topic: cfg.Topic, Partition: -1, ByKey: true}
			var outputs []record.Output
			for i := range 40 {
				out := record.Output{Value: fmt.Appendf(nil, "v%d", i)}
				if i%3 > 0 {
					out.Key = fmt.Appendf(nil, "k%d", i)
				}
				switch i % 4 {
				case 2:
					out.To = byKey
				case 3:
					out.To = &record.Destination{Partition: int32(i) % counts.output}
				}
				outputs = append(outputs, out)
			}
			block := sinktest.Block(1, 0, outputs...)
			said, refused := preview.Records(block)
			if len(refused) > 0 {
				t.Fatal(refused)
			}
			write(t, b.sink(t, cfg), sinktest.Batch(1, block))
			arrived := map[string]*kgo.Record{}
			for _, r := range b.records(t) {
				arrived[string(r.Value)] = r
			}
			for i := range said {
				want := arrived[string(said[i].Value)]
				if want == nil || said[i].Topic != want.Topic || said[i].Partition != want.Partition {
					t.Errorf("record %s: the preview says %s/%d, it arrived in %+v", said[i].Value, said[i].Topic, said[i].Partition, want)
				}
			}
		})
	}
}

func TestPreviewRefusesWhatTheSinkRefuses(t *testing.T) {
	cfg := config()
	cfg.MaxMessageBytes = setting.Bytes(2000)
	preview := kafkasink.NewPreview(cfg, map[string]int{"in": 1}, map[string]int{cfg.Topic: 1})
	_, refused := preview.Records(sinktest.Block(0, 0,
		record.Output{Value: []byte("fine")},
		record.Output{Value: make([]byte, 2001)},
		record.Output{To: &record.Destination{Partition: 1}},
		record.Output{To: &record.Destination{Topic: "unlisted", Partition: -1}},
	))
	if len(refused) != 3 || refused[0].Index != 1 || !refused[0].TooLarge || refused[1].Index != 2 || refused[2].Index != 3 {
		t.Errorf("refused: %v", refused)
	}
}
