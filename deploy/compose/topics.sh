#!/usr/bin/env bash
# Creates the input and the output topic. Equal partition counts let streamer keep the input's order per partition.
set -euo pipefail
for topic in events views; do
  /opt/kafka/bin/kafka-topics.sh --bootstrap-server "${BOOTSTRAP:-kafka:9092}" \
    --create --if-not-exists --topic "$topic" --partitions 8 --replication-factor 1
done
