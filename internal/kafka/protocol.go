package kafka

import (
	"context"
	"fmt"

	"github.com/twmb/franz-go/pkg/kgo"
)

// AssertProtocol checks, once the client has joined, that it did so by the protocol that the source asks for. kgo joins by
// the classic one without a word where the broker does not know KIP-848 or has it turned off; the group would then
// rebalance in another way than the operator believes, and a rolling change of protocol would never end.
func (a *Admin) AssertProtocol(ctx context.Context, client *kgo.Client, s SourceConfig) error {
	if s.GroupProtocol != ProtocolConsumer {
		return nil // classic members are served by a group of either type
	}
	group, err := a.Group(ctx, s.Group)
	if err != nil {
		return err
	}
	id, _ := client.GroupMetadata()
	for _, member := range group.Members {
		if member.ID == id && member.Protocol == ProtocolConsumer {
			return nil
		}
	}
	return fmt.Errorf("%w", sourceFault("group_protocol", s.GroupProtocol,
		"is not what the broker joined this member by (the group is of type "+quoted(group.Protocol)+
			"); write classic, or use Kafka 4.0 or newer with group.coordinator.rebalance.protocols=classic,consumer"))
}

func quoted(protocol string) string {
	if protocol == "" {
		return "unknown"
	}
	return protocol
}
