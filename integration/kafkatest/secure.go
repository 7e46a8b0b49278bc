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
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
)

// Secure is the listener with TLS and SCRAM-SHA-512.
type Secure struct {
	Addr     string
	CAFile   string // PEM
	Username string
	Password string
}

// keystoreFile is the broker's key and certificate, PEM, as Kafka wants them: key first.
const keystoreFile = "broker.pem"

// secureSettings turn on SCRAM on the SECURE listener; keystore is the path of keystoreFile as the broker sees it.
func secureSettings(keystore string) map[string]string {
	const prefix = "listener.name.secure."
	return map[string]string{
		prefix + "sasl.enabled.mechanisms":        "SCRAM-SHA-512",
		prefix + "scram-sha-512.sasl.jaas.config": "org.apache.kafka.common.security.scram.ScramLoginModule required;",
		prefix + "ssl.keystore.type":              "PEM",
		prefix + "ssl.keystore.location":          keystore,
	}
}

// writeCertificates makes a certificate authority and a broker certificate for the loopback names in dir.
func writeCertificates(dir string) (*Secure, error) {
	caKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make key: %w", err)
	}
	ca := template(1, "streamer test authority")
	ca.IsCA, ca.BasicConstraintsValid, ca.KeyUsage = true, true, x509.KeyUsageCertSign
	caDER, err := x509.CreateCertificate(rand.Reader, ca, ca, caKey.Public(), caKey)
	if err != nil {
		return nil, fmt.Errorf("make certificate authority: %w", err)
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make key: %w", err)
	}
	cert := template(2, "localhost")
	cert.DNSNames, cert.IPAddresses = []string{"localhost", "kafka"}, []net.IP{net.IPv4(127, 0, 0, 1)}
	der, err := x509.CreateCertificate(rand.Reader, cert, ca, key.Public(), caKey)
	if err != nil {
		return nil, fmt.Errorf("make certificate: %w", err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("encode key: %w", err)
	}
	secure := &Secure{CAFile: filepath.Join(dir, "ca.pem"), Username: "streamer", Password: "scram-secret"}
	store := append(encode("PRIVATE KEY", keyDER), encode("CERTIFICATE", der)...)
	store = append(store, encode("CERTIFICATE", caDER)...)
	for path, content := range map[string][]byte{
		secure.CAFile:                    encode("CERTIFICATE", caDER),
		filepath.Join(dir, keystoreFile): store,
	} {
		if err := os.WriteFile(path, content, 0o600); err != nil {
			return nil, fmt.Errorf("write certificate: %w", err)
		}
	}
	return secure, nil
}

// addUser makes the SCRAM user.
func (b *Broker) addUser(ctx context.Context) error {
	admin, err := b.admin()
	if err != nil {
		return err
	}
	defer admin.Close()
	const iterations = 4096
	user := kadm.UpsertSCRAM{
		User: b.Secure.Username, Password: b.Secure.Password, Mechanism: kadm.ScramSha512, Iterations: iterations,
	}
	done, err := admin.AlterUserSCRAMs(ctx, nil, []kadm.UpsertSCRAM{user})
	if err != nil {
		return fmt.Errorf("add SCRAM user: %w", err)
	}
	if err := done.Error(); err != nil {
		return fmt.Errorf("add SCRAM user: %w", err)
	}
	return nil
}

func template(serial int64, name string) *x509.Certificate {
	now := time.Now()
	return &x509.Certificate{
		SerialNumber: big.NewInt(serial),
		Subject:      pkix.Name{CommonName: name},
		NotBefore:    now.Add(-time.Hour),
		NotAfter:     now.Add(24 * time.Hour),
	}
}

func encode(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}
