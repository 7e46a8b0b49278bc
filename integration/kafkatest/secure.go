package kafkatest

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
)

// Secure are the listeners with TLS and a login: one with PLAIN and SCRAM, one with OAUTHBEARER.
type Secure struct {
	Addr   string
	CAFile string // PEM
	// CertFile and KeyFile (PEM) are a client's certificate, of the same authority. The broker asks for none, unless its own
	// settings say ClientAuth.
	CertFile string
	KeyFile  string
	Username string
	Password string
	// OAuth is the address of the listener that takes tokens of the algorithm none (RFC 7515, appendix A.5): whoever it
	// is that issues them, Kafka looks at their time alone. It ends each session after SessionLifetime, so that clients
	// log in again and again.
	OAuth string
}

// ClientAuth is the setting that makes the listener with PLAIN and SCRAM want a client's certificate: "required".
const ClientAuth = "listener.name.secure.ssl.client.auth"

// SessionLifetime is how long a login on the OAuth listener holds.
const SessionLifetime = 3 * time.Second

// keystoreFile is the broker's key and certificate, PEM, as Kafka wants them: key first.
const keystoreFile = "broker.pem"

// secureSettings turn on the logins of the listeners SECURE and OAUTH; keystore is the path of keystoreFile as the broker
// sees it.
func secureSettings(secure *Secure, keystore string) map[string]string {
	const (
		user   = "listener.name.secure."
		oauth  = "listener.name.oauth."
		module = "org.apache.kafka.common.security."
	)
	own := map[string]string{
		user + "sasl.enabled.mechanisms":        "PLAIN,SCRAM-SHA-256,SCRAM-SHA-512",
		user + "scram-sha-256.sasl.jaas.config": module + "scram.ScramLoginModule required;",
		user + "scram-sha-512.sasl.jaas.config": module + "scram.ScramLoginModule required;",
		user + "plain.sasl.jaas.config": fmt.Sprintf("%splain.PlainLoginModule required user_%s=%q;",
			module, secure.Username, secure.Password),

		oauth + "sasl.enabled.mechanisms": "OAUTHBEARER",
		oauth + "oauthbearer.sasl.jaas.config": module + `oauthbearer.OAuthBearerLoginModule required ` +
			`unsecuredLoginStringClaim_sub="broker";`,
		oauth + "oauthbearer.connections.max.reauth.ms": strconv.FormatInt(SessionLifetime.Milliseconds(), 10),
	}
	for _, listener := range []string{user, oauth} {
		own[listener+"ssl.keystore.type"], own[listener+"ssl.keystore.location"] = "PEM", keystore
		own[listener+"ssl.truststore.type"], own[listener+"ssl.truststore.location"] = "PEM", keystore
	}
	return own
}

// Renew gives the broker a certificate of a new authority, which it shows after its next start, and the files of [Secure] what
// goes with it.
func (b *Broker) Renew(ctx context.Context) error {
	if _, err := writeCertificates(filepath.Dir(b.Secure.CAFile)); err != nil {
		return err
	}
	return b.node.renew(ctx)
}

// writeCertificates makes a certificate authority, a broker's certificate for the loopback names and a client's in dir.
func writeCertificates(dir string) (*Secure, error) {
	authority, err := newIssuer()
	if err != nil {
		return nil, err
	}
	broker, err := authority.issue("localhost")
	if err != nil {
		return nil, err
	}
	client, err := authority.issue("client")
	if err != nil {
		return nil, err
	}
	secure := &Secure{
		CAFile: filepath.Join(dir, "ca.pem"), CertFile: filepath.Join(dir, "client.pem"), KeyFile: filepath.Join(dir, "client.key"),
		Username: "streamer", Password: "scram-secret",
	}
	for path, content := range map[string][]byte{
		secure.CAFile:                    authority.cert,
		secure.CertFile:                  client.cert,
		secure.KeyFile:                   client.key,
		filepath.Join(dir, keystoreFile): slices.Concat(broker.key, broker.cert, authority.cert),
	} {
		if err := os.WriteFile(path, content, 0o600); err != nil {
			return nil, fmt.Errorf("write certificate: %w", err)
		}
	}
	return secure, nil
}

// pair is a certificate and its key, PEM.
type pair struct{ cert, key []byte }

type issuer struct {
	pair

	parent *x509.Certificate
	signer *ecdsa.PrivateKey
}

func newIssuer() (*issuer, error) {
	parent := template("streamer test authority")
	parent.IsCA, parent.BasicConstraintsValid, parent.KeyUsage = true, true, x509.KeyUsageCertSign
	i := &issuer{parent: parent}
	var err error
	if i.signer, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		return nil, fmt.Errorf("make key: %w", err)
	}
	i.pair, err = i.sign(parent, i.signer)
	return i, err
}

// issue makes a certificate that is good for the loopback names.
func (i *issuer) issue(name string) (pair, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return pair{}, fmt.Errorf("make key: %w", err)
	}
	cert := template(name)
	cert.DNSNames, cert.IPAddresses = []string{"localhost", "kafka"}, []net.IP{net.IPv4(127, 0, 0, 1)}
	return i.sign(cert, key)
}

func (i *issuer) sign(cert *x509.Certificate, key *ecdsa.PrivateKey) (pair, error) {
	certDER, err := x509.CreateCertificate(rand.Reader, cert, i.parent, key.Public(), i.signer)
	if err != nil {
		return pair{}, fmt.Errorf("make certificate: %w", err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return pair{}, fmt.Errorf("encode key: %w", err)
	}
	return pair{cert: encode("CERTIFICATE", certDER), key: encode("PRIVATE KEY", keyDER)}, nil
}

// addUser makes the SCRAM user; the one of PLAIN is in the broker's settings.
func (b *Broker) addUser(ctx context.Context) error {
	admin, err := b.admin()
	if err != nil {
		return err
	}
	defer admin.Close()
	const iterations = 4096
	// In two requests: the broker refuses one that changes a user twice.
	for _, mechanism := range []kadm.ScramMechanism{kadm.ScramSha256, kadm.ScramSha512} {
		user := kadm.UpsertSCRAM{
			User: b.Secure.Username, Password: b.Secure.Password, Mechanism: mechanism, Iterations: iterations,
		}
		done, err := admin.AlterUserSCRAMs(ctx, nil, []kadm.UpsertSCRAM{user})
		if err == nil {
			err = done.Error()
		}
		if err != nil {
			return fmt.Errorf("add SCRAM user: %w", err)
		}
	}
	return nil
}

func template(name string) *x509.Certificate {
	now := time.Now()
	return &x509.Certificate{
		SerialNumber: big.NewInt(now.UnixNano()),
		Subject:      pkix.Name{CommonName: name},
		NotBefore:    now.Add(-time.Hour),
		NotAfter:     now.Add(24 * time.Hour),
	}
}

func encode(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}
