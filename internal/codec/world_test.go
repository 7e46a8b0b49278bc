package codec_test

import (
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/sr/srfake"

	"streamer/internal/codec"
	"streamer/internal/codec/registry"
	"streamer/internal/document"
	"streamer/internal/setting"
)

const schemas = "testdata/schemas/"

// world is a registry and a client of it.
type world struct {
	*srfake.Registry
	client *registry.Client
}

func newWorld(t testing.TB) world {
	t.Helper()
	fake := srfake.New()
	client, err := registry.New(registry.Config{URLs: []string{fake.URL()}, Timeout: setting.Duration(5 * time.Second)}, nil, prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		client.Close()
		fake.Close()
	})
	return world{fake, client}
}

func (w world) decoder(t testing.TB, c codec.Config) codec.Decoder {
	t.Helper()
	use := codec.Use{Registry: true}
	if faults := c.Validate("decode", use); len(faults) > 0 {
		t.Fatal(faults)
	}
	decoders, err := codec.NewDecoder(c, use, w.client)
	if err != nil {
		t.Fatal(err)
	}
	return decoders()
}

func (w world) encoder(t testing.TB, c codec.Config) codec.Encoder {
	t.Helper()
	use := codec.Use{Registry: true, Encode: true, Topic: "views"}
	if faults := c.Validate("encode", use); len(faults) > 0 {
		t.Fatal(faults)
	}
	encoders, err := codec.NewEncoder(c, use, w.client)
	if err != nil {
		t.Fatal(err)
	}
	return encoders()
}

// write returns the bytes of JSON text, or the error.
func write(t testing.TB, e codec.Encoder, text string) ([]byte, error) {
	t.Helper()
	var d document.Document
	if err := d.Parse([]byte(text)); err != nil {
		t.Fatal(err)
	}
	out, err := e.Append(t.Context(), []byte(">"), &d, document.Root)
	if err != nil {
		if string(out) != ">" {
			t.Errorf("a failing encoder left %q", out)
		}
		return nil, err
	}
	return out[1:], nil
}

// read returns the document as JSON, or the error.
func read(t testing.TB, d codec.Decoder, data []byte) string {
	t.Helper()
	var doc document.Document
	if err := d.Decode(t.Context(), &doc, data); err != nil {
		if doc.Kind(document.Root) != document.Missing {
			t.Error("a value that failed is still there")
		}
		return err.Error()
	}
	return string(doc.Append(nil, document.Root))
}
