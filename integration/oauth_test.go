package integration_test

import (
	"context"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"streamer/integration/eventually"
	"streamer/integration/ledger"
	"streamer/integration/service"
)

// tokenLifetime is short, so that a test sees tokens end: the broker closes a connection whose token has.
const tokenLifetime = 4 * time.Second

const clientSecret = "canary-client-secret"

// endpoint gives tokens over TLS to a client that knows the secret.
type endpoint struct {
	*httptest.Server

	caFile  string
	issued  atomic.Int64
	refused atomic.Int64
	away    atomic.Bool
}

func newEndpoint(t *testing.T) *endpoint {
	t.Helper()
	e := &endpoint{caFile: filepath.Join(t.TempDir(), "ca.pem")}
	e.Server = httptest.NewTLSServer(e)
	t.Cleanup(e.Close)
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: e.Certificate().Raw})
	if err := os.WriteFile(e.caFile, ca, 0o600); err != nil {
		t.Fatal(err)
	}
	return e
}

func (e *endpoint) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	id, secret, _ := r.BasicAuth()
	if e.away.Load() || id != "streamer" || secret != clientSecret || r.FormValue("grant_type") != "client_credentials" {
		e.refused.Add(1)
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	e.issued.Add(1)
	w.Header().Set("Content-Type", "application/json")
	fmt.Fprintf(w, `{"access_token":%q,"token_type":"Bearer","expires_in":%d}`,
		unsecured(time.Now()), int(tokenLifetime.Seconds()))
}

// unsecured is a token without a signature, which Kafka takes as long as nobody configures where it would get keys from.
func unsecured(now time.Time) string {
	encode := func(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }
	return encode(`{"alg":"none"}`) + "." + encode(fmt.Sprintf(`{"sub":"streamer","iat":%d,"exp":%d}`,
		now.Unix()-1, now.Add(tokenLifetime).Unix())) + "."
}

func oauthFlow(t *testing.T) (*flow, service.Config) {
	t.Helper()
	f, config := secureFlow(t)
	return f, config.With(service.Config{
		"kafka.brokers":            []string{f.broker.Secure.OAuth},
		"kafka.sasl.mechanism":     "OAUTHBEARER",
		"kafka.sasl.username":      nil,
		"kafka.sasl.password_file": nil,
	})
}

// TestOAuthBearer logs in to a real broker with tokens from an endpoint of ours, which end every few seconds, and takes the
// endpoint away for longer than that. It would catch a token that is not fetched anew, a connection that is lost with its
// token, a run that ends because the endpoint does not answer, and a secret in the log.
func TestOAuthBearer(t *testing.T) {
	t.Parallel()
	f, config := oauthFlow(t)
	e := newEndpoint(t)
	s := binary.Start(t, config.With(service.Config{
		"kafka.sasl.oauth.token_url": e.URL + "/token",
		"kafka.sasl.oauth.client_id": "streamer",
		"kafka.sasl.oauth.ca_file":   e.caFile,
	}), "STREAMER_LOG_LEVEL=debug", "STREAMER_KAFKA_SASL_OAUTH_CLIENT_SECRET="+clientSecret)
	round := func() {
		t.Helper()
		f.fill(t, ledger.Each(f.partitions, 1_000)...)
		s.Until(t, "the group to catch up", f.caughtUp)
	}
	round()
	// Every token that was issued so far has ended when those issued after that time are in use.
	ended := time.Now().Add(tokenLifetime)
	s.Until(t, "new tokens", func(context.Context) error {
		if time.Now().Before(ended) {
			return fmt.Errorf("the first tokens hold until %v", ended)
		}
		return nil
	})
	before := e.issued.Load()
	s.Until(t, "more new tokens", func(context.Context) error {
		if e.issued.Load() <= before {
			return fmt.Errorf("%d tokens", before)
		}
		return nil
	})
	round()
	e.away.Store(true)
	eventually.Throughout(t, 2*tokenLifetime, "the service lives without its token endpoint", s.Live)
	if e.refused.Load() == 0 {
		t.Error("the endpoint was not asked while it was away")
	}
	e.away.Store(false)
	round()
	s.Terminate(t)
	f.atLeastOnce(t) // the group may have dropped a member that could not log in
	if !strings.Contains(s.Stderr.String(), "kafka.sasl.oauth.token_url") {
		t.Error("the log does not say that the endpoint was away")
	}
	for _, secret := range []string{clientSecret, "eyJhbGciOiJub25lIn0"} {
		if strings.Contains(s.Stderr.String(), secret) {
			t.Errorf("the log holds %s", secret)
		}
	}
}

// TestTokenFile would catch a file that is read only once: the token in it has ended when the next login comes.
func TestTokenFile(t *testing.T) {
	t.Parallel()
	f, config := oauthFlow(t)
	file := filepath.Join(t.TempDir(), "token")
	config = config.With(service.Config{"kafka.sasl.oauth.token_file": file})
	write := func(issued time.Time) { // as Kubernetes does: what is read is old or new, never half
		t.Helper()
		if err := os.WriteFile(file+".new", []byte(unsecured(issued)+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(file+".new", file); err != nil {
			t.Fatal(err)
		}
	}
	write(time.Now().Add(-time.Hour))
	refused(t, binary.Command(t, "validate", "-c", service.WriteConfig(t, config)),
		`kafka.sasl.oauth.token_file: "`+file+`" holds a token that is refused by the broker; write one that has not expired`)
	write(time.Now())
	s := binary.Start(t, config)
	for range 3 {
		ended := time.Now().Add(tokenLifetime)
		f.fill(t, ledger.Each(f.partitions, 500)...)
		s.Until(t, "the group to catch up", f.caughtUp)
		s.Until(t, "the token to end", func(context.Context) error {
			write(time.Now())
			if time.Now().Before(ended) {
				return fmt.Errorf("it holds until %v", ended)
			}
			return nil
		})
	}
	s.Terminate(t)
	f.exactlyOnce(t)
}
