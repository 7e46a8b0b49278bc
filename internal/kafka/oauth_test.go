package kafka_test

import (
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"streamer/internal/kafka"
)

// loginBroker is an embedded broker for a mechanism that kfake does not have: it takes the logins for whose first words
// answer returns nothing, and lets their sessions end at once, so that each request logs in anew.
func loginBroker(t *testing.T, mechanism string, answer func(first string) (string, error)) kafka.Config {
	t.Helper()
	cluster, config := newCluster(t)
	cluster.ControlKey(int16(kmsg.SASLHandshake), func(request kmsg.Request) (kmsg.Response, error, bool) {
		cluster.KeepControl()
		response := request.ResponseKind().(*kmsg.SASLHandshakeResponse)
		if request.(*kmsg.SASLHandshakeRequest).Mechanism != mechanism {
			response.ErrorCode, response.SupportedMechanisms = kerr.UnsupportedSaslMechanism.Code, []string{mechanism}
		}
		return response, nil, true
	})
	cluster.ControlKey(int16(kmsg.SASLAuthenticate), func(request kmsg.Request) (kmsg.Response, error, bool) {
		cluster.KeepControl()
		response := request.ResponseKind().(*kmsg.SASLAuthenticateResponse)
		said, err := answer(string(request.(*kmsg.SASLAuthenticateRequest).SASLAuthBytes))
		response.SASLAuthBytes, response.SessionLifetimeMillis = []byte(said), 1
		if err != nil {
			response.ErrorCode = kerr.SaslAuthenticationFailed.Code
		}
		return response, nil, true
	})
	config.SASL.Mechanism = mechanism
	return config
}

// bearerBroker takes the tokens that good accepts, and refuses others as Kafka does: by an answer without a code.
func bearerBroker(t *testing.T, good func(token string) bool) kafka.Config {
	t.Helper()
	return loginBroker(t, "OAUTHBEARER", func(first string) (string, error) {
		token := strings.TrimSuffix(strings.TrimPrefix(first, "n,,\x01auth=Bearer "), "\x01\x01")
		if !good(token) {
			return `{"status":"invalid_token"}`, nil
		}
		return "", nil
	})
}

// endpoint gives tokens; answer may be replaced.
type endpoint struct {
	*httptest.Server

	asked  atomic.Int64
	answer http.HandlerFunc
}

func newEndpoint(t *testing.T) *endpoint {
	t.Helper()
	e := &endpoint{}
	e.Server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		e.asked.Add(1)
		e.answer(w, r)
	}))
	t.Cleanup(e.Close)
	e.answer = tokensFor(basic, 3600)
	return e
}

func (e *endpoint) caFile(t *testing.T) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "ca.pem")
	writePEM(t, file, "CERTIFICATE", e.Certificate().Raw)
	return file
}

func (e *endpoint) settings(t *testing.T) kafka.OAuth {
	t.Helper()
	return kafka.OAuth{
		TokenURL: e.URL + "/token", ClientID: "ann", ClientSecret: "canary secret", Scope: "kafka read", CAFile: e.caFile(t),
	}
}

// basic and form are the two ways in which endpoints want the client's secret.
func basic(r *http.Request) (id, secret string) {
	id, secret, _ = r.BasicAuth()
	return id, strings.ReplaceAll(secret, "+", " ") // RFC 6749 has it form-encoded
}

func form(r *http.Request) (id, secret string) {
	return r.PostFormValue("client_id"), r.PostFormValue("client_secret")
}

// tokensFor gives the token "good" to the right client.
func tokensFor(login func(*http.Request) (id, secret string), seconds int) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		id, secret := login(r)
		switch {
		case id != "ann" || secret != "canary secret":
			w.WriteHeader(http.StatusUnauthorized)
			fmt.Fprint(w, `{"error":"invalid_client","error_description":"no such client"}`)
		case r.PostFormValue("grant_type") != "client_credentials" || r.PostFormValue("scope") != "kafka read":
			w.WriteHeader(http.StatusBadRequest)
			fmt.Fprint(w, `{"error":"invalid_scope"}`)
		case seconds == 0:
			fmt.Fprint(w, `{"access_token":"good","token_type":"bearer"}`)
		default:
			fmt.Fprintf(w, `{"access_token":"good","token_type":"bearer","expires_in":%d}`, seconds)
		}
	}
}

func TestOAuthNamesTheSettingAtFault(t *testing.T) {
	t.Parallel()
	isGood := func(token string) bool { return token == "good" }
	for name, test := range map[string]struct {
		change func(t *testing.T, e *endpoint, c *kafka.Config)
		want   string // empty: connects
	}{
		"good":              {func(*testing.T, *endpoint, *kafka.Config) {}, ""},
		"good, in the form": {func(_ *testing.T, e *endpoint, _ *kafka.Config) { e.answer = tokensFor(form, 3600) }, ""},
		"secret": {
			func(_ *testing.T, _ *endpoint, c *kafka.Config) { c.SASL.OAuth.ClientSecret = "canary-wrong" },
			`kafka.sasl.oauth.client_id: "ann" is refused by the token endpoint (401 invalid_client no such client); correct the id or the secret`,
		},
		"scope": {
			func(_ *testing.T, _ *endpoint, c *kafka.Config) { c.SASL.OAuth.Scope = "other" },
			`kafka.sasl.oauth.scope: "other" is refused by the token endpoint (400 invalid_scope); correct it`,
		},
		"wrong in the form": {
			func(_ *testing.T, e *endpoint, c *kafka.Config) {
				e.answer, c.SASL.OAuth.ClientSecret = tokensFor(form, 3600), "canary-wrong"
			}, `kafka.sasl.oauth.client_id: "ann" is refused`,
		},
		"secret file": {
			func(_ *testing.T, _ *endpoint, c *kafka.Config) { c.SASL.OAuth.ClientSecretFile = "/nowhere" },
			`kafka.sasl.oauth.client_secret_file: "/nowhere" cannot be read`,
		},
		"an answer with the secret in it": {
			func(_ *testing.T, e *endpoint, _ *kafka.Config) {
				e.answer = func(w http.ResponseWriter, r *http.Request) {
					w.WriteHeader(http.StatusBadGateway)
					_, _ = io.WriteString(w, r.Header.Get("Authorization")+r.PostFormValue("client_secret"))
				}
			}, `token" gives no token (502 Bad Gateway); check that it is a token endpoint`,
		},
		"redirect": {
			func(t *testing.T, e *endpoint, _ *kafka.Config) {
				other := newEndpoint(t)
				other.answer = func(http.ResponseWriter, *http.Request) { t.Error("the secret was sent to where it was not meant for") }
				e.answer = func(w http.ResponseWriter, r *http.Request) {
					http.Redirect(w, r, other.URL, http.StatusTemporaryRedirect)
				}
			}, `token" gives no token (307 Temporary Redirect)`,
		},
		"no JSON": {
			func(_ *testing.T, e *endpoint, _ *kafka.Config) {
				e.answer = func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<html>") }
			}, `kafka.sasl.oauth.token_url: "https://127.0.0.1:`,
		},
		"authority": {
			func(t *testing.T, _ *endpoint, c *kafka.Config) { c.SASL.OAuth.CAFile = newAuthority(t).file },
			`does not hold the authority that signed the token endpoint's certificate`,
		},
		"host": {
			func(_ *testing.T, _ *endpoint, c *kafka.Config) {
				c.SASL.OAuth.TokenURL = strings.Replace(c.SASL.OAuth.TokenURL, "127.0.0.1", "localhost", 1)
			}, `token" has a certificate that is not valid for it`,
		},
		"nobody listens": {
			func(t *testing.T, _ *endpoint, c *kafka.Config) {
				c.SASL.OAuth.TokenURL = "https://" + closedPort(t) + "/token?canary"
			}, `/token" gives no token (dial tcp 127.0.0.1:`,
		},
		"no answer": {
			func(_ *testing.T, e *endpoint, _ *kafka.Config) {
				e.answer = func(_ http.ResponseWriter, r *http.Request) {
					_, _ = io.Copy(io.Discard, r.Body) // the server sees only then that the client has gone
					<-r.Context().Done()
				}
			}, `token" does not answer within 5s; check address, port and firewall`,
		},
		"a token that the broker refuses": {
			func(t *testing.T, _ *endpoint, c *kafka.Config) {
				c.Brokers = bearerBroker(t, func(string) bool { return false }).Brokers
			}, `kafka.sasl.oauth.client_id: "ann" gets a token that is refused by the broker; correct the scope`,
		},
		"mechanism": {
			func(t *testing.T, _ *endpoint, c *kafka.Config) {
				c.Brokers = loginBroker(t, "AWS_MSK_IAM", nil).Brokers
			},
			`kafka.sasl.mechanism: "OAUTHBEARER" is not offered by the broker`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			config, e := bearerBroker(t, isGood), newEndpoint(t)
			config.SASL.OAuth = e.settings(t)
			test.change(t, e, &config)
			err := kafka.Check(testContext(t), config, testUse())
			switch {
			case test.want == "" && err != nil:
				t.Errorf("err = %v", err)
			case test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)):
				t.Errorf("err = %v\nwant %s", err, test.want)
			case err != nil && strings.Contains(err.Error(), "canary"):
				t.Errorf("the error shows the secret: %v", err)
			}
		})
	}
}

// The broker here ends each session at once, so that every request logs in. A token is kept while it holds, and no longer.
func TestTokensAreKeptWhileTheyHold(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		seconds int
		kept    bool
	}{"an hour": {3600, true}, "less than it takes": {9, false}, "not said": {0, false}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var logins atomic.Int64
			config, e := bearerBroker(t, func(string) bool { logins.Add(1); return true }), newEndpoint(t)
			e.answer = tokensFor(basic, test.seconds)
			config.SASL.OAuth = e.settings(t)
			client := newClient(t, config)
			for range 4 {
				if err := client.Ping(testContext(t)); err != nil {
					t.Fatal(err)
				}
			}
			want := logins.Load()
			if test.kept {
				want = 1
			}
			if logins.Load() < 4 || e.asked.Load() != want {
				t.Errorf("%d logins with %d tokens; want %d", logins.Load(), e.asked.Load(), want)
			}
		})
	}
}

// A token that the broker refuses before its time is not offered again.
func TestARefusedTokenIsNotKept(t *testing.T) {
	t.Parallel()
	var takenBack atomic.Bool
	config, e := bearerBroker(t, func(token string) bool { return token == "new" || !takenBack.Load() }), newEndpoint(t)
	e.answer = func(w http.ResponseWriter, _ *http.Request) {
		token := "old"
		if takenBack.Load() {
			token = "new"
		}
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"access_token":%q,"token_type":"bearer","expires_in":3600}`, token)
	}
	config.SASL.OAuth = e.settings(t)
	client := newClient(t, config)
	if err := client.Ping(testContext(t)); err != nil {
		t.Fatal(err)
	}
	takenBack.Store(true)
	err := client.Ping(testContext(t)) // may be refused with the old one
	if err != nil {
		err = client.Ping(testContext(t))
	}
	if err != nil || e.asked.Load() != 2 {
		t.Errorf("asked for %d tokens, %v", e.asked.Load(), err)
	}
}

// A secret, an authority and a token that are replaced on disk are used by the next login of a client that lives on.
func TestOAuthFilesAreReadAgain(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name, content string) string {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	config, e := bearerBroker(t, func(token string) bool { return token == "good" }), newEndpoint(t)
	config.SASL.OAuth = e.settings(t)
	config.SASL.OAuth.ClientSecret, config.SASL.OAuth.ClientSecretFile = "", write("secret", "wrong\n")
	other, err := os.ReadFile(newAuthority(t).file)
	if err != nil {
		t.Fatal(err)
	}
	config.SASL.OAuth.CAFile = write("ca", string(other))
	expect := func(config kafka.Config, ping func() error, part string) {
		t.Helper()
		err := kafka.Explain(ping(), config, "kafka")
		if err == nil && part != "" || err != nil && (part == "" || !strings.Contains(err.Error(), part)) {
			t.Fatalf("got %v; want %q", err, part)
		}
	}
	client := newClient(t, config)
	ping := func() error { return client.Ping(testContext(t)) }
	expect(config, ping, "kafka.sasl.oauth.ca_file")
	write("ca", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: e.Certificate().Raw})))
	expect(config, ping, "kafka.sasl.oauth.client_id")
	write("secret", "canary secret\n")
	expect(config, ping, "")

	config.SASL.OAuth = kafka.OAuth{TokenFile: write("token", "old\n")}
	client = newClient(t, config)
	expect(config, ping, `token" holds a token that is refused by the broker; write one that has not expired`)
	write("token", "good\n")
	expect(config, ping, "")
	write("token", "")
	expect(config, ping, `kafka.sasl.oauth.token_file: "`)
}

// What may pass without anybody changing the configuration must not end a run that has begun: an endpoint that is away is
// waited for, as a broker is. A token that the broker refuses ends it, as a password would.
func TestOAuthFailuresWhileRunning(t *testing.T) {
	t.Parallel()
	refuse := atomic.Bool{}
	config, e := bearerBroker(t, func(string) bool { return !refuse.Load() }), newEndpoint(t)
	e.answer = tokensFor(basic, 0)
	config.SASL.OAuth = e.settings(t)
	client := newClient(t, config)
	class := func() kafka.PollClass { return kafka.ClassifyPoll("", 0, client.Ping(testContext(t))).Class }
	refuse.Store(true)
	if got := class(); got != kafka.PollFatal {
		t.Errorf("a refused token is %v", got)
	}
	e.Close()
	if got := class(); got != kafka.PollRetry {
		t.Errorf("an endpoint that is away is %v", got)
	}
}

func TestSASLFaults(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, []byte("canary"), 0o600); err != nil {
		t.Fatal(err)
	}
	client := kafka.OAuth{TokenURL: "https://a/token", ClientID: "ann", ClientSecret: "canary"}
	with := func(change func(*kafka.OAuth)) kafka.OAuth {
		changed := client
		change(&changed)
		return changed
	}
	for name, test := range map[string]struct {
		sasl kafka.SASL
		want []string
	}{
		"client":      {kafka.SASL{Mechanism: "OAUTHBEARER", OAuth: client}, nil},
		"secret file": {kafka.SASL{Mechanism: "OAUTHBEARER", OAuth: with(func(o *kafka.OAuth) { o.ClientSecret, o.ClientSecretFile = "", file })}, nil},
		"loopback":    {kafka.SASL{Mechanism: "OAUTHBEARER", OAuth: with(func(o *kafka.OAuth) { o.TokenURL = "http://[::1]:80/" })}, nil},
		"token":       {kafka.SASL{Mechanism: "OAUTHBEARER", OAuth: kafka.OAuth{TokenFile: file}}, nil},
		"nothing": {kafka.SASL{Mechanism: "OAUTHBEARER"}, []string{
			`kafka.sasl.oauth.token_url: is missing; write for example https://login.example.com/oauth2/token, or set token_file`,
			`kafka.sasl.oauth.client_id: is missing`,
			`kafka.sasl.oauth.client_secret: is missing; set client_secret_file, or the variable STREAMER_KAFKA_SASL_OAUTH_CLIENT_SECRET`,
		}},
		"plain http": {
			kafka.SASL{Mechanism: "OAUTHBEARER", OAuth: with(func(o *kafka.OAuth) { o.TokenURL = "http://a/token?canary" })},
			[]string{`kafka.sasl.oauth.token_url: "http://a/token" runs without TLS, whoever is on the way could read the secret; write https://`},
		},
		"login in the URL": {
			kafka.SASL{Mechanism: "OAUTHBEARER", OAuth: with(func(o *kafka.OAuth) { o.TokenURL = "https://a:canary@b/token" })},
			[]string{`kafka.sasl.oauth.token_url: holds a login; write it into client_id and client_secret_file`},
		},
		"no URL": {
			kafka.SASL{Mechanism: "OAUTHBEARER", OAuth: with(func(o *kafka.OAuth) { o.TokenURL, o.CAFile = "a/token", "/nowhere" })},
			[]string{`kafka.sasl.oauth.token_url: "a/token" is not a URL`, `kafka.sasl.oauth.ca_file: "/nowhere" cannot be read`},
		},
		"two secrets": {
			kafka.SASL{Mechanism: "OAUTHBEARER", OAuth: with(func(o *kafka.OAuth) { o.ClientSecretFile = file })},
			[]string{`kafka.sasl.oauth.client_secret_file: "` + file + `" stands beside client_secret; keep one of the two`},
		},
		"two ways": {
			kafka.SASL{Mechanism: "OAUTHBEARER", OAuth: with(func(o *kafka.OAuth) { o.TokenFile = "/nowhere" })},
			[]string{`kafka.sasl.oauth.token_file: "/nowhere" cannot be read`, `kafka.sasl.oauth.token_url: or another of the client's settings stands beside token_file`},
		},
		"password": {
			kafka.SASL{Mechanism: "OAUTHBEARER", OAuth: client, Username: "ann"},
			[]string{`kafka.sasl.mechanism: "OAUTHBEARER" does not use the user and password beside it; remove what is not meant, or write PLAIN`},
		},
		"no mechanism": {kafka.SASL{OAuth: client, AWS: kafka.AWS{SecretAccessKey: "canary"}}, []string{
			`kafka.sasl.mechanism: is missing, nothing uses the section oauth beside it; write OAUTHBEARER`,
			`kafka.sasl.mechanism: is missing, nothing uses the section aws beside it; write AWS_MSK_IAM`,
		}},
		"keys": {kafka.SASL{Mechanism: "AWS_MSK_IAM", AWS: kafka.AWS{AccessKeyID: "AKIA", SecretAccessKey: "canary"}}, nil},
		"no keys": {kafka.SASL{Mechanism: "AWS_MSK_IAM"}, []string{
			`kafka.sasl.aws.access_key_id: is missing; write it, or set credentials_file`,
			`kafka.sasl.aws.secret_access_key: is missing; set the variable STREAMER_KAFKA_SASL_AWS_SECRET_ACCESS_KEY, or credentials_file`,
		}},
		"keys twice": {
			kafka.SASL{Mechanism: "AWS_MSK_IAM", AWS: kafka.AWS{CredentialsFile: file, SessionToken: "canary"}},
			[]string{
				`kafka.sasl.aws.credentials_file: "` + file + `" has no keys for us; write aws_access_key_id and aws_secret_access_key below [default]`,
				`kafka.sasl.aws.credentials_file: "` + file + `" stands beside keys; keep one of the two ways`,
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			config := kafka.DefaultConfig()
			config.SASL = test.sasl
			wantFaults(t, config.Validate("kafka"), test.want...)
		})
	}
}

// AWS_MSK_IAM is proved by this fake alone: it looks at what is signed, and with which keys, but not at the signature.
//
//nolint:paralleltest // sets the region for the process
func TestAWSLogin(t *testing.T) {
	config := loginBroker(t, "AWS_MSK_IAM", func(first string) (string, error) {
		for _, part := range []string{
			`"version":"2020_10_22"`, `"action":"kafka-cluster:Connect"`, `"host":"127.0.0.1"`, `"x-amz-credential":"AKIA-new/`,
			`/eu-central-1/kafka-cluster/aws4_request"`, `"x-amz-security-token":"session"`, `"x-amz-signature":"`,
		} {
			if !strings.Contains(first, part) {
				return "", kerr.SaslAuthenticationFailed
			}
		}
		return `{"version":"2020_10_22"}`, nil
	})
	file := filepath.Join(t.TempDir(), "credentials")
	write := func(id string) {
		text := "[other]\naws_access_key_id = no\n[default]\n# canary\naws_access_key_id = " + id +
			"\naws_secret_access_key=canary=/+\r\naws_session_token = session\n[late]\naws_access_key_id = no\n"
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	config.SASL.AWS.CredentialsFile = file
	client := newClient(t, config)
	var said []string
	try := func() {
		said = append(said, fmt.Sprint(kafka.Explain(client.Ping(testContext(t)), config, "kafka")))
	}
	write("AKIA-old")
	try()
	t.Setenv("AWS_REGION", "eu-central-1")
	try()
	write("AKIA-new")
	try()
	want := []string{
		`kafka.sasl.mechanism: "AWS_MSK_IAM" cannot sign the login (cannot determine the region in "127.0.0.1"); ` +
			`name the brokers as MSK does, or set the variable AWS_REGION`,
		`kafka.sasl.aws.credentials_file: "` + file + `" is refused by the broker; correct the keys, or allow their identity kafka-cluster:Connect`,
		"<nil>",
	}
	if !slices.EqualFunc(said, want, strings.HasPrefix) {
		t.Errorf("got  %q\nwant %q", said, want)
	}
	config.SASL.AWS = kafka.AWS{AccessKeyID: "AKIA-new", SecretAccessKey: "canary", SessionToken: "session"}
	if err := kafka.Check(testContext(t), config, testUse()); err != nil {
		t.Errorf("keys one by one: %v", err)
	}
}
