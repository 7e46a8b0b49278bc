package kafka

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"os"
	"time"

	"streamer/internal/setting"
)

// dialTimeout bounds the TCP connect and the TLS handshake together. A broker on another continent answers within a
// second; what takes longer than five is not reachable, and an operator should read so soon.
const dialTimeout = 5 * time.Second

// dialer connects to one broker. For TLS it reads the files anew each time: connections are rare, and so a rotated
// certificate is used by the next one.
func (t TLSConfig) dialer(path string) func(ctx context.Context, network, address string) (net.Conn, error) {
	plain := &net.Dialer{Timeout: dialTimeout}
	if !t.Enabled {
		return plain.DialContext
	}
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		config, err := t.load(path)
		if err != nil {
			return nil, err
		}
		if config.ServerName == "" {
			host, _, err := net.SplitHostPort(address)
			if err != nil {
				return nil, fmt.Errorf("split broker address: %w", err)
			}
			config.ServerName = host
		}
		return handshake(ctx, plain, config, network, address)
	}
}

// handshakeError tells a port that is reached but does not speak TLS from one that is not reached.
type handshakeError struct{ err error }

func (e *handshakeError) Error() string { return "TLS handshake: " + e.err.Error() }

func (e *handshakeError) Unwrap() error { return e.err }

func handshake(ctx context.Context, plain *net.Dialer, config *tls.Config, network, address string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	conn, err := plain.DialContext(ctx, network, address)
	if err != nil {
		return nil, fmt.Errorf("dial: %w", err)
	}
	secured := tls.Client(conn, config)
	if err := secured.HandshakeContext(ctx); err != nil {
		_ = conn.Close()
		return nil, &handshakeError{err}
	}
	return secured, nil
}

// Load reads the files and makes the client's side of a TLS connection; nil if TLS is not enabled. path is where the section
// stands, for faults.
func (t TLSConfig) Load(path string) (*tls.Config, error) {
	if !t.Enabled {
		return nil, nil //nolint:nilnil // no TLS is no error
	}
	return t.load(path)
}

func (t TLSConfig) load(path string) (*tls.Config, error) {
	authorities, err := t.authorities(path)
	if err != nil {
		return nil, err
	}
	certificates, err := t.certificates(path)
	if err != nil {
		return nil, err
	}
	return &tls.Config{
		MinVersion:         tls.VersionTLS12,
		ServerName:         t.ServerName,
		RootCAs:            authorities,
		Certificates:       certificates,
		InsecureSkipVerify: t.InsecureSkipVerify, //nolint:gosec // explicit in the configuration, and warned about
	}, nil
}

// authorities reads the CA file; nil means the system's own.
func (t TLSConfig) authorities(path string) (*x509.CertPool, error) {
	if t.CAFile == "" {
		return nil, nil //nolint:nilnil // nil is tls.Config's word for the system's authorities
	}
	fault := setting.Fault{Field: path + ".ca_file", Value: t.CAFile}
	pem, err := os.ReadFile(t.CAFile)
	if err != nil {
		fault.Remedy = "cannot be read (" + reason(err) + "); write the path of a PEM file"
		return nil, fault
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		fault.Remedy = "holds no certificate; write the path of a PEM file with the authority that signed the brokers'"
		return nil, fault
	}
	return pool, nil
}

// certificates reads the client's own certificate, if there is one.
func (t TLSConfig) certificates(path string) ([]tls.Certificate, error) {
	switch {
	case t.CertFile == "" && t.KeyFile == "":
		return nil, nil
	case t.KeyFile == "":
		return nil, setting.Fault{Field: path + ".key_file", Remedy: "is missing beside cert_file; write the path of its key"}
	case t.CertFile == "":
		return nil, setting.Fault{Field: path + ".cert_file", Remedy: "is missing beside key_file; write the path of its certificate"}
	}
	cert, err := os.ReadFile(t.CertFile)
	if err != nil {
		return nil, unreadable(path+".cert_file", t.CertFile, err)
	}
	key, err := os.ReadFile(t.KeyFile)
	if err != nil {
		return nil, unreadable(path+".key_file", t.KeyFile, err)
	}
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		return nil, setting.Fault{
			Field: path + ".cert_file", Value: t.CertFile,
			Remedy: "is no pair with key_file (" + err.Error() + "); write a PEM certificate and its unencrypted key",
		}
	}
	return []tls.Certificate{pair}, nil
}

func unreadable(field, file string, err error) setting.Fault {
	remedy := "cannot be read (" + reason(err) + "); write the path of a readable file"
	return setting.Fault{Field: field, Value: file, Remedy: remedy}
}
