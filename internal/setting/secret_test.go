package setting_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"streamer/internal/setting"
)

const canary = "canary-7f3a"

type login struct {
	User     string         `json:"user"     yaml:"user"`
	Password setting.Secret `json:"password" yaml:"password"`
}

// Each way in which a value gets printed by accident must redact.
func TestSecretNeverShows(t *testing.T) {
	t.Parallel()
	who := login{User: "ann", Password: canary}
	shown := map[string]string{}
	for _, verb := range []string{"%s", "%v", "%+v", "%#v", "%q", "%x", "%X", "%d", "%10s"} {
		shown["Sprintf "+verb] = fmt.Sprintf(verb, who.Password)
		shown["Sprintf struct "+verb] = fmt.Sprintf(verb, who)
		shown["Sprintf pointer "+verb] = fmt.Sprintf(verb, &who)
	}
	shown["error"] = fmt.Errorf("log in as %v: %w", who, errors.ErrUnsupported).Error()
	encoded, err := json.Marshal(who)
	shown["json"] = string(encoded)
	document, err2 := yaml.Marshal(who)
	shown["yaml"] = string(document)
	if err = errors.Join(err, err2); err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("joined", "who", who, "password", who.Password)
	slog.New(slog.NewTextHandler(&log, nil)).Info("joined", "who", who, "password", who.Password)
	shown["slog"] = log.String()

	for way, text := range shown {
		if strings.Contains(text, canary) || strings.Contains(strings.ToLower(text), fmt.Sprintf("%x", canary)) {
			t.Errorf("%s shows the secret: %s", way, text)
		}
	}
	if who.Password.Reveal() != canary {
		t.Error("Reveal does not return the secret")
	}
	if text := fmt.Sprint(setting.Secret("")); text != "" {
		t.Errorf("an empty secret shows as %q", text)
	}
}
