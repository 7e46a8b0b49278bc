package streamer

import (
	"fmt"
	"strings"

	"streamer/internal/record"
)

// skipCommand lets the group go on behind a record, ready to be pasted into a shell. Without the flags of this process it
// could move a group of the same name on another cluster.
func skipCommand(o record.Owner, offset int64, group string, flags []string) string {
	words := []string{"streamer", "offsets", "skip", fmt.Sprintf("%s@%d", o, offset), "--group", group}
	words = append(words, flags...)
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
