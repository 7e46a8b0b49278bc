package kafkatest

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"streamer/integration/eventually"
)

// RemoveMembers makes the members of those client ids leave a classic group behind their back. It waits until the group is
// stable with all of them, which takes the sessions of those that were there before.
func (b *Broker) RemoveMembers(t *testing.T, group string, clients ...string) {
	t.Helper()
	const within = 90 * time.Second
	client, admin := b.Client(t), b.Admin(t)
	eventually.Holds(t, within, "members to be removed", func(ctx context.Context) error {
		groups, err := admin.DescribeGroups(ctx, group)
		if err != nil {
			return fmt.Errorf("describe group: %w", err)
		}
		described := groups[group]
		request := kmsg.NewPtrLeaveGroupRequest()
		request.Group = group
		for _, member := range described.Members {
			if slices.Contains(clients, member.ClientID) {
				leaver := kmsg.NewLeaveGroupRequestMember()
				leaver.MemberID = member.MemberID
				request.Members = append(request.Members, leaver)
			}
		}
		if described.State != "Stable" || len(request.Members) != len(clients) {
			return fmt.Errorf("the group is %s with %d members", described.State, len(described.Members))
		}
		if _, err := request.RequestWith(ctx, client); err != nil {
			return fmt.Errorf("remove members: %w", err)
		}
		return nil
	})
}
