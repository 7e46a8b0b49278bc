package codec

import (
	"errors"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/sr"
	"github.com/twmb/franz-go/pkg/sr/srfake"

	"streamer/internal/codec/registry"
	"streamer/internal/setting"
)

// A schema is compiled once, and one that does not compile is not tried again.
func TestProgramsAreCompiledOnce(t *testing.T) {
	fake := srfake.New()
	defer fake.Close()
	config := registry.Config{URLs: []string{fake.URL()}, Timeout: setting.Duration(5 * time.Second)}
	client, err := registry.New(config, nil, prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	fake.SeedSchema("a", 1, 1, sr.Schema{Schema: `"long"`})
	fake.SeedSchema("a", 2, 2, sr.Schema{Schema: `"string"`})
	compiled := 0
	p := newPrograms(client, func(schema *registry.Schema) (string, error) {
		compiled++
		if schema.Text == `"string"` {
			return "", errors.New("does not compile")
		}
		return schema.Text, nil
	})
	for range 3 {
		if text, err := p.get(t.Context(), 1); err != nil || text != `"long"` {
			t.Errorf("got %s, %v", text, err)
		}
		if _, err := p.get(t.Context(), 2); err == nil || err.Error() != "schema 2: does not compile" {
			t.Errorf("got %v", err)
		}
	}
	if compiled != 2 {
		t.Errorf("compiled %d times", compiled)
	}
}
