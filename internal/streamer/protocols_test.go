//go:build synctests

package streamer

import "streamer/internal/kafka"

var protocols = []string{kafka.ProtocolConsumer, kafka.ProtocolClassic}

const tags = "-tags synctests "
