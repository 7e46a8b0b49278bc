package streamer

import (
	"fmt"
	"strconv"
	"strings"

	"streamer/internal/kafka"
	"streamer/internal/record"
)

// skipCommand lets the group go on behind a record, ready to be pasted into a shell. Without the flags of this process it
// could move a group of the same name on another cluster.
func skipCommand(o record.Owner, offset int64, group string, flags []string) string {
	return command(group, flags, "skip", fmt.Sprintf("%s@%d", o, offset))
}

// moveCommand lets the group go on at an offset of a partition, likewise.
func moveCommand(at kafka.TopicPartition, to int64, group string, flags []string) string {
	return command(group, flags, "set", at.String(), "--to", strconv.FormatInt(to, 10))
}

func command(group string, flags []string, what ...string) string {
	words := append([]string{"streamer", "offsets"}, what...)
	words = append(append(words, "--group", group), flags...)
	words = append(words, "--execute")
	for i, word := range words {
		words[i] = quote(word)
	}
	return strings.Join(words, " ")
}

// quote makes text one word to a POSIX shell that stands for nothing but itself.
func quote(text string) string {
	const plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789@%+=:,./_-"
	if text != "" && strings.Trim(text, plain) == "" {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}
