//go:build !synctests

package streamer

import "streamer/internal/kafka"

// protocols are those that virtual time can play. A classic member that joins holds commits back by a lock, and time
// stands still while a lock is waited for: with the tag synctests the client's locks are channels.
var protocols = []string{kafka.ProtocolConsumer}

const tags = ""
