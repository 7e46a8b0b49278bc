package kafkatest

import (
	"fmt"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// Client makes a client on the plain listener and closes it when the test ends.
func (b *Broker) Client(t *testing.T, opts ...kgo.Opt) *kgo.Client {
	t.Helper()
	client, err := b.client(opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client
}

// Admin makes an admin client on the plain listener and closes it when the test ends. It sees a new partition at once; by
// default it would answer from what it knew five seconds ago.
func (b *Broker) Admin(t *testing.T) *kadm.Client {
	t.Helper()
	const fresh = 50 * time.Millisecond
	return kadm.NewClient(b.Client(t, kgo.MetadataMinAge(fresh)))
}

func (b *Broker) client(opts ...kgo.Opt) (*kgo.Client, error) {
	client, err := kgo.NewClient(append([]kgo.Opt{kgo.SeedBrokers(b.Addrs...)}, opts...)...)
	if err != nil {
		return nil, fmt.Errorf("make Kafka client: %w", err)
	}
	return client, nil
}

func (b *Broker) admin() (*kadm.Client, error) {
	client, err := b.client()
	if err != nil {
		return nil, err
	}
	return kadm.NewClient(client), nil
}
