package setting_test

import (
	"testing"

	"streamer/internal/setting"
)

func TestVariable(t *testing.T) {
	t.Parallel()
	if got := setting.Variable("kafka.sasl.password_file"); got != "STREAMER_KAFKA_SASL_PASSWORD_FILE" {
		t.Errorf("got %s", got)
	}
}
