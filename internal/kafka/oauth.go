package kafka

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"

	"github.com/twmb/franz-go/pkg/sasl"
	"github.com/twmb/franz-go/pkg/sasl/oauth"
	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"streamer/internal/setting"
)

// OAuth is where the tokens of OAUTHBEARER come from: an endpoint that gives them for a client's id and secret (OAuth 2,
// client credentials), or a file that somebody else keeps fresh.
type OAuth struct {
	// TokenURL is https, or http on this host.
	TokenURL     string         `yaml:"token_url"`
	ClientID     string         `yaml:"client_id"`
	ClientSecret setting.Secret `yaml:"client_secret"`
	// ClientSecretFile and TokenFile are read when they are needed; white space at their end is dropped.
	ClientSecretFile string `yaml:"client_secret_file"`
	Scope            string `yaml:"scope"`   // words with spaces between
	CAFile           string `yaml:"ca_file"` // PEM; empty means the system's authorities
	TokenFile        string `yaml:"token_file"`
}

// login asks for a token at each authentication. kgo authenticates anew before the broker's session ends, which is when
// the token does at the latest.
func (o OAuth) login(path string) sasl.Mechanism {
	if o.TokenFile != "" {
		return login{Mechanism: oauth.Oauth(func(context.Context) (oauth.Auth, error) {
			token, err := secretOf("", path+".token_file", o.TokenFile)
			return oauth.Auth{Token: token}, err
		})}
	}
	tokens := &tokens{settings: o, path: path, config: clientcredentials.Config{
		ClientID: o.ClientID, TokenURL: o.TokenURL, Scopes: strings.Fields(o.Scope), AuthStyle: oauth2.AuthStyleInHeader,
	}}
	return login{refused: tokens.forget, Mechanism: oauth.Oauth(func(ctx context.Context) (oauth.Auth, error) {
		token, err := tokens.get(ctx)
		return oauth.Auth{Token: token}, err
	})}
}

// tokens keeps the last token while it holds: a client logs in once per broker and again every few minutes, and an endpoint
// that all of them asked each time would be a dependency of every connection.
type tokens struct {
	settings OAuth
	path     string

	mu     sync.Mutex               // guards what follows; those who wait for it want the token that is under way
	config clientcredentials.Config // with the way in which the endpoint took the secret last
	last   *oauth2.Token
}

// forget makes the next login ask for a token anew: a broker may refuse one before its time, when keys were changed or it
// was taken back.
func (t *tokens) forget() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.last = nil
}

// get returns a token that is good for ten seconds at least, if the endpoint says how long they hold; else a fresh one.
func (t *tokens) get(ctx context.Context) (string, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.last.Valid() && !t.last.Expiry.IsZero() {
		return t.last.AccessToken, nil
	}
	secret, err := secretOf(t.settings.ClientSecret, t.path+".client_secret_file", t.settings.ClientSecretFile)
	if err != nil {
		return "", err
	}
	client, err := t.settings.client(t.path)
	if err != nil {
		return "", err
	}
	defer client.CloseIdleConnections()
	t.config.ClientSecret = secret
	ctx, cancel := context.WithTimeout(context.WithValue(ctx, oauth2.HTTPClient, client), dialTimeout)
	defer cancel()
	if t.last, err = t.fetch(ctx); err != nil {
		return "", t.settings.explain(t.path, err)
	}
	return t.last.AccessToken, nil
}

// fetch sends the secret in the header, which every endpoint has to take, and in the form to those that want it there all
// the same. The library would find that out too, but tries again after any error and shows the last: a wrong scope would
// read as a wrong secret.
func (t *tokens) fetch(ctx context.Context) (*oauth2.Token, error) {
	token, err := t.config.Token(ctx)
	answer, ok := errors.AsType[*oauth2.RetrieveError](err)
	if !ok || t.config.AuthStyle == oauth2.AuthStyleInParams {
		return token, err //nolint:wrapcheck // explained by the caller
	}
	if answer.Response.StatusCode != http.StatusUnauthorized && answer.ErrorCode != "invalid_client" &&
		answer.ErrorCode != "invalid_request" {
		return nil, answer
	}
	t.config.AuthStyle = oauth2.AuthStyleInParams
	token, err = t.config.Token(ctx)
	if err != nil {
		t.config.AuthStyle = oauth2.AuthStyleInHeader
	}
	return token, err //nolint:wrapcheck // explained by the caller
}

// client reads the authorities anew each time, as the brokers' are. It follows no redirect: the secret would go along.
func (o OAuth) client(path string) (*http.Client, error) {
	authorities, err := TLSConfig{CAFile: o.CAFile}.authorities(path)
	if err != nil {
		return nil, err
	}
	return &http.Client{
		Transport: &http.Transport{
			Proxy:             http.ProxyFromEnvironment,
			TLSClientConfig:   &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: authorities},
			ForceAttemptHTTP2: true,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}, nil
}

// explain names the setting at fault. The endpoint's body is not shown, it may hold what was sent; the two fields that are
// meant for people are.
func (o OAuth) explain(path string, err error) setting.Fault {
	endpoint := setting.Fault{Field: path + ".token_url", Value: withoutQuery(o.TokenURL)}
	if answer, ok := errors.AsType[*oauth2.RetrieveError](err); ok {
		return o.explainAnswer(path, endpoint, answer)
	}
	if failed, ok := errors.AsType[*url.Error](err); ok {
		err = failed.Err // the rest is method and URL, with the query
	}
	fault, ok := explainCertificate(err, Config{TLS: TLSConfig{CAFile: o.CAFile}})
	switch {
	case ok && fault.Field == "tls.ca_file":
		fault.Field = path + ".ca_file"
		fault.Remedy = "does not hold the authority that signed the token endpoint's certificate; write the path of the one that did"
		return fault
	case ok:
		endpoint.Remedy = "has a certificate that is not valid for it (" + err.Error() + "); correct the host, or renew it"
	case errors.Is(err, context.DeadlineExceeded):
		endpoint.Remedy = "does not answer within " + dialTimeout.String() + "; check address, port and firewall"
	default:
		endpoint.Remedy = "gives no token (" + err.Error() + "); check address and port, and that it is a token endpoint"
	}
	return endpoint
}

func (o OAuth) explainAnswer(path string, endpoint setting.Fault, answer *oauth2.RetrieveError) setting.Fault {
	said := answer.Response.Status
	if answer.ErrorCode != "" {
		said = fmt.Sprint(answer.Response.StatusCode, " ", answer.ErrorCode, " ", answer.ErrorDescription)
	}
	said = shortened(said)
	switch answer.ErrorCode {
	case "invalid_client", "unauthorized_client":
		return setting.Fault{
			Field: path + ".client_id", Value: o.ClientID,
			Remedy: "is refused by the token endpoint (" + said + "); correct the id or the secret",
		}
	case "invalid_scope":
		return setting.Fault{
			Field: path + ".scope", Value: o.Scope, Remedy: "is refused by the token endpoint (" + said + "); correct it",
		}
	}
	endpoint.Remedy = "gives no token (" + said + "); check that it is a token endpoint, and what it asks of clients"
	return endpoint
}

// shortened makes one line of at most 200 bytes: a proxy in front may answer with a page.
func shortened(text string) string {
	const most = 200
	text = strings.Join(strings.Fields(text), " ")
	if len(text) > most {
		return strings.ToValidUTF8(text[:most], "") + "…"
	}
	return text
}

func withoutQuery(address string) string {
	address, _, _ = strings.Cut(address, "?")
	return address
}

func (o OAuth) validate(path string) []setting.Fault {
	var faults []setting.Fault
	fault := func(key, value, remedy string) {
		faults = append(faults, setting.Fault{Field: path + "." + key, Value: value, Remedy: remedy})
	}
	if o.TokenFile != "" {
		if _, err := secretOf("", path+".token_file", o.TokenFile); err != nil {
			faults = append(faults, asFault(err, path+".token_file", o.TokenFile))
		}
		o.TokenFile = ""
		if o != (OAuth{}) {
			fault("token_url", "", "or another of the client's settings stands beside token_file; keep one of the two ways")
		}
		return faults
	}
	faults = append(faults, o.validateURL(path+".token_url")...)
	if o.ClientID == "" {
		fault("client_id", "", "is missing; write the client's id at the token endpoint")
	}
	faults = append(faults, validateSecret(path+".client_secret", o.ClientSecret, o.ClientSecretFile)...)
	if _, err := (TLSConfig{CAFile: o.CAFile}).authorities(path); err != nil {
		faults = append(faults, asFault(err, path+".ca_file", o.CAFile))
	}
	return faults
}

// validateURL refuses http to another host: the secret and the token would be there for all to read.
func (o OAuth) validateURL(field string) []setting.Fault {
	const example = "; write for example https://login.example.com/oauth2/token"
	parsed, err := url.Parse(o.TokenURL)
	fault := setting.Fault{Field: field, Value: withoutQuery(o.TokenURL)}
	switch {
	case o.TokenURL == "":
		fault.Remedy = "is missing" + example + ", or set token_file"
	case err == nil && parsed.User != nil:
		fault.Value, fault.Remedy = "", "holds a login; write it into client_id and client_secret_file"
	case err != nil || parsed.Host == "" || parsed.Scheme != "https" && parsed.Scheme != "http":
		fault.Remedy = "is not a URL" + example
	case parsed.Scheme == "http" && !isLoopback(parsed.Hostname()):
		fault.Remedy = "runs without TLS, whoever is on the way could read the secret; write https://"
	default:
		return nil
	}
	return []setting.Fault{fault}
}

func isLoopback(host string) bool {
	return host == "localhost" || net.ParseIP(host).IsLoopback()
}
