package streamer

import (
	"os/exec"
	"strings"
	"testing"

	"streamer/internal/record"
)

func TestSkipCommandRepeatsTheConnection(t *testing.T) {
	t.Parallel()
	flags := []string{"-c", "it's mine.yaml", "--set", "kafka.brokers=b1:9092,b2:9092", "--set", "kafka.client_id=$HOME"}
	got := skipCommand(record.Owner{Topic: "events", Partition: 2}, 727, "g 3", flags)
	want := `streamer offsets skip events/2@727 --group 'g 3' -c 'it'\''s mine.yaml' ` +
		`--set kafka.brokers=b1:9092,b2:9092 --set 'kafka.client_id=$HOME' --execute`
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// A real shell must read back the very words; it is the one that decides.
func TestAShellReadsQuotedWordsBack(t *testing.T) {
	t.Parallel()
	shell, err := exec.LookPath("sh")
	if err != nil {
		t.Skip("no sh on this machine")
	}
	texts := []string{"", "plain-1.yaml", "a b", "it's", `"$HOME"`, "`id`", "a\nb", "*?[a]~#", `back\slash`, "!x", "ü", "-c"}
	for char := byte(1); char < 128; char++ {
		texts = append(texts, string(char), "a"+string(char)+"b")
	}
	words := make([]string, len(texts))
	for i, text := range texts {
		words[i] = quote(text)
	}
	script := `for word in ` + strings.Join(words, " ") + `; do printf '%s\0' "$word"; done`
	out, err := exec.CommandContext(t.Context(), shell, "-c", script).Output()
	if want := strings.Join(texts, "\x00") + "\x00"; err != nil || string(out) != want {
		t.Errorf("the shell read %q, %v; want %q", out, err, want)
	}
}
