package kafkatest

import (
	"context"
	"crypto/rand"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"streamer/integration/eventually"
)

// patience is how long a test waits for one administrative request.
const patience = 30 * time.Second

// Unique makes a name for a topic or a group that no other test run has used, not even on a broker that is kept.
func Unique(what string) string {
	const suffix = 8
	return what + "-" + strings.ToLower(rand.Text()[:suffix])
}

// Topic creates a topic with a unique name, and returns the name.
func (b *Broker) Topic(t *testing.T, what string, partitions int32, config map[string]string) string {
	t.Helper()
	name := Unique(what)
	b.CreateTopic(t, name, partitions, config)
	return name
}

// CreateTopic creates the topic and waits until the broker knows it.
func (b *Broker) CreateTopic(t *testing.T, name string, partitions int32, config map[string]string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	pointers := make(map[string]*string, len(config))
	for key, value := range config {
		pointers[key] = &value
	}
	// -1: the broker's default, which is what an external cluster wants too.
	if _, err := b.Admin(t).CreateTopic(ctx, partitions, -1, pointers, name); err != nil {
		t.Fatalf("create topic %s: %v", name, err)
	}
	b.UntilPartitions(t, name, int(partitions))
}

// UntilPartitions waits until the topic has that many partitions and each has a leader: the controller answers before
// the broker has heard of them.
func (b *Broker) UntilPartitions(t *testing.T, name string, partitions int) {
	t.Helper()
	eventually.Holds(t, patience, "partitions of "+name, func(ctx context.Context) error {
		admin, err := b.admin() // a fresh one: a client keeps what it knows of a topic
		if err != nil {
			return err
		}
		defer admin.Close()
		ends, err := admin.ListEndOffsets(ctx, name)
		if err == nil {
			err = ends.Error()
		}
		if err == nil && len(ends[name]) != partitions {
			err = fmt.Errorf("%d of %d partitions are there", len(ends[name]), partitions)
		}
		return err
	})
}

// UntilGone waits until the broker has forgotten the topic.
func (b *Broker) UntilGone(t *testing.T, name string) {
	t.Helper()
	client := b.Client(t)
	eventually.Holds(t, patience, name+" to be gone", func(ctx context.Context) error {
		request := kmsg.NewPtrMetadataRequest()
		asked := kmsg.NewMetadataRequestTopic()
		asked.Topic = &name
		request.Topics = append(request.Topics, asked)
		response, err := request.RequestWith(ctx, client)
		if err != nil {
			return fmt.Errorf("ask for metadata: %w", err)
		}
		if code := response.Topics[0].ErrorCode; code != kerr.UnknownTopicOrPartition.Code {
			return fmt.Errorf("it is there: %w", kerr.ErrorForCode(code))
		}
		return nil
	})
}

// Configure changes topics' settings.
func (b *Broker) Configure(t *testing.T, config map[string]string, topics ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	changes := make([]kadm.AlterConfig, 0, len(config))
	for name, value := range config {
		changes = append(changes, kadm.AlterConfig{Op: kadm.SetConfig, Name: name, Value: &value})
	}
	done, err := b.Admin(t).AlterTopicConfigs(ctx, changes, topics...)
	if err != nil {
		t.Fatalf("configure topics: %v", err)
	}
	for _, topic := range done {
		if topic.Err != nil {
			t.Fatalf("configure topic %s: %v", topic.Name, topic.Err)
		}
	}
}
