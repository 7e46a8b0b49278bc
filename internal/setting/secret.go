package setting

import (
	"fmt"
	"log/slog"
)

// redacted stands for a secret wherever it would show. An empty secret shows as empty, so that an operator can see
// whether one was given.
const redacted = "[redacted]"

// Secret is a string that never shows: String, Format, MarshalText (so JSON and YAML) and LogValue redact it. Keep it in
// exported fields: fmt cannot call methods on unexported ones and prints what they hold.
type Secret string

// Reveal returns the secret itself, for the one place that hands it to the broker.
func (s Secret) Reveal() string { return string(s) }

// String returns a placeholder, or nothing for an empty secret.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return redacted
}

// Format redacts under every verb: without it %x and %d would print the bytes.
func (s Secret) Format(state fmt.State, verb rune) {
	text := s.String()
	if verb == 'q' || state.Flag('#') {
		text = fmt.Sprintf("%q", text)
	}
	_, _ = fmt.Fprint(state, text)
}

// MarshalText redacts; a secret cannot be written back.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// LogValue redacts in structured logs.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }
