package kafkatest

import (
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
)

// startEmbedded runs the last resort in this process. It is gone with the process.
func (b *Broker) startEmbedded() error {
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.GroupMinSessionTimeout(time.Second))
	if err != nil {
		return fmt.Errorf("start kfake: %w", err)
	}
	b.Addrs = cluster.ListenAddrs()
	b.closers = append(b.closers, func() error { cluster.Close(); return nil })
	return nil
}
