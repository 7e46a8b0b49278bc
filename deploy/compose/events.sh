#!/usr/bin/env bash
# Writes ad events to the topic "events", some 500 a second, keyed by user: views, and fewer clicks and purchases.
set -euo pipefail

events() {
  local n=0 type user now
  while :; do
    case $((RANDOM % 20)) in
      0) type=purchase ;;
      [1-4]) type=click ;;
      *) type=view ;;
    esac
    printf -v user 'user-%03d' $((RANDOM % 500))
    printf -v now '%(%FT%TZ)T' -1
    printf '%s|{"event_type":"%s","ad_id":"ad-%03d","user_id":"%s","campaign_id":"campaign-%d",' \
      "$user" "$type" $((RANDOM % 200)) "$user" $((RANDOM % 10))
    printf '"event_time":"%s","ip":"203.0.113.%d"}\n' "$now" $((RANDOM % 254 + 1))
    n=$((n + 1))
    ((n % 50)) || sleep 0.1
  done
}

events | /opt/kafka/bin/kafka-console-producer.sh --bootstrap-server "${BOOTSTRAP:-kafka:9092}" --topic events \
  --reader-property parse.key=true --reader-property 'key.separator=|'
