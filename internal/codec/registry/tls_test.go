package registry

import (
	"crypto/tls"
	"crypto/x509"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"streamer/internal/setting"
)

// The given TLS configuration is the one that counts, over a real connection.
func TestTLS(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	server := httptest.NewTLSServer(f)
	t.Cleanup(server.Close)
	authorities := x509.NewCertPool()
	authorities.AddCert(server.Certificate())
	config := Config{URLs: []string{server.URL}, Timeout: setting.Duration(5 * time.Second)}
	c, err := New(config, &tls.Config{RootCAs: authorities, MinVersion: tls.VersionTLS12}, prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	if schema, err := c.Schema(t.Context(), 7); err != nil || schema.Text != `"string"` {
		t.Errorf("got %+v, %v", schema, err)
	}
}
