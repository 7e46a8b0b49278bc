package kafka

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"streamer/internal/setting"
)

// ConnectError is a connection that failed, with the setting at fault.
type ConnectError struct {
	Fault setting.Fault
	Err   error
}

func (e *ConnectError) Error() string { return fmt.Sprintf("%s: %v", e.Fault.Error(), e.Err) }

// Unwrap returns the cause.
func (e *ConnectError) Unwrap() error { return e.Err }

// Explain turns an error of connecting into a [ConnectError] that names the setting and the remedy. path is where the
// connection stands in the configuration. Nil stays nil, and a fault of the configuration (a file that cannot be read)
// is returned as it is.
func Explain(err error, c Config, path string) error {
	if err == nil {
		return nil
	}
	if fault, ok := errors.AsType[setting.Fault](err); ok {
		return fault
	}
	explanations := []func(error, Config) (setting.Fault, bool){explainLogin, explainCertificate, explainAlert, explainTLS}
	for _, explain := range explanations {
		if fault, ok := explain(err, c); ok {
			fault.Field = path + "." + fault.Field
			return &ConnectError{Fault: fault, Err: err}
		}
	}
	return &ConnectError{Err: err, Fault: setting.Fault{
		Field: path + ".brokers", Value: strings.Join(c.Brokers, ","), Remedy: explainReach(err),
	}}
}

func explainLogin(err error, c Config) (setting.Fault, bool) {
	switch {
	case errors.Is(err, kerr.SaslAuthenticationFailed):
		return c.SASL.refused("is refused by the broker"), true
	case errors.Is(err, kerr.UnsupportedSaslMechanism):
		return setting.Fault{
			Field: "sasl.mechanism", Value: c.SASL.Mechanism, Remedy: "is not offered by the broker; write one that it offers",
		}, true
	case errors.Is(err, kerr.IllegalSaslState):
		return setting.Fault{
			Field: "sasl.mechanism", Value: c.SASL.Mechanism,
			Remedy: "does not fit this listener; remove it if the broker wants no login, or use the port that does",
		}, true
	}
	// Some brokers hang up on a wrong login instead of saying so.
	_, first := errors.AsType[*kgo.ErrFirstReadEOF](err)
	if errors.Is(err, io.EOF) && !first && c.SASL.Mechanism != "" {
		return c.SASL.refused("is refused, the broker hung up on the login"), true
	}
	return setting.Fault{}, false
}

// refused names what the login was made of, and so what to correct.
func (s SASL) refused(how string) setting.Fault {
	switch {
	case s.Mechanism == mechanismOAuth && s.OAuth.TokenFile != "":
		return setting.Fault{
			Field: "sasl.oauth.token_file", Value: s.OAuth.TokenFile,
			Remedy: "holds a token that " + how + "; write one that has not expired and that the broker trusts (issuer, audience)",
		}
	case s.Mechanism == mechanismOAuth:
		return setting.Fault{
			Field: "sasl.oauth.client_id", Value: s.OAuth.ClientID,
			Remedy: "gets a token that " + how + "; correct the scope, or what the broker trusts (issuer, audience)",
		}
	case s.Mechanism == mechanismAWS:
		fault := setting.Fault{Field: "sasl.aws.access_key_id", Value: s.AWS.AccessKeyID}
		if s.AWS.CredentialsFile != "" {
			fault.Field, fault.Value = "sasl.aws.credentials_file", s.AWS.CredentialsFile
		}
		fault.Remedy = how + "; correct the keys, or allow their identity kafka-cluster:Connect"
		return fault
	default:
		return setting.Fault{
			Field: "sasl.username", Value: s.Username, Remedy: how + "; correct the user, the password or the mechanism",
		}
	}
}

func explainCertificate(err error, c Config) (setting.Fault, bool) {
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return setting.Fault{
			Field: "tls.ca_file", Value: c.TLS.CAFile,
			Remedy: "does not hold the authority that signed the broker's certificate; write the path of the one that did",
		}, true
	}
	if _, ok := errors.AsType[x509.HostnameError](err); ok {
		return setting.Fault{
			Field: "tls.server_name", Value: c.TLS.ServerName,
			Remedy: "does not match the broker's certificate; dial the name in it, or write that name here",
		}, true
	}
	if invalid, ok := errors.AsType[x509.CertificateInvalidError](err); ok {
		remedy := "meets a broker certificate that is not valid; renew it on the broker"
		if invalid.Reason == x509.Expired {
			remedy = "meets a broker certificate that has expired, or is not valid yet; renew it on the broker, or set this clock"
		}
		return setting.Fault{Field: "tls.enabled", Value: "true", Remedy: remedy}, true
	}
	return setting.Fault{}, false
}

// explainAlert is for what the broker says when it ends a handshake, in the numbers of RFC 8446, section 6.
func explainAlert(err error, c Config) (setting.Fault, bool) {
	alert, ok := errors.AsType[*net.OpError](err)
	if !ok || alert.Op != "remote error" {
		return setting.Fault{}, false
	}
	is := func(number tls.AlertError) bool { return alert.Err.Error() == number.Error() } // its type is crypto/tls's own
	const (
		protocolVersion      tls.AlertError = 70
		insufficientSecurity tls.AlertError = 71
	)
	// Those that come after the broker has seen our certificate, or none; Java says handshake_failure (40) for none.
	ours := []tls.AlertError{40, 42, 43, 44, 45, 46, 48, 49, 51, 116}
	switch {
	case slices.ContainsFunc(ours, is):
		return setting.Fault{
			Field: "tls.cert_file", Value: c.TLS.CertFile,
			Remedy: "is refused or missed by the broker; write a client certificate that it trusts, with key_file",
		}, true
	case is(protocolVersion), is(insufficientSecurity):
		return setting.Fault{
			Field: "tls.enabled", Value: "true",
			Remedy: "finds no version of TLS that the broker has too; turn on TLS 1.2 or 1.3 on the broker",
		}, true
	default:
		return setting.Fault{
			Field: "tls.enabled", Value: "true",
			Remedy: "is not enough, the broker ended the handshake; look for the reason in its log, and check tls.server_name",
		}, true
	}
}

// explainTLS is for the two ends that do not agree on TLS at all. Neither says so: the connection just closes.
func explainTLS(err error, c Config) (setting.Fault, bool) {
	_, closed := errors.AsType[*kgo.ErrFirstReadEOF](err)
	_, garbled := errors.AsType[tls.RecordHeaderError](err)
	_, shaking := errors.AsType[*handshakeError](err)
	silent := shaking && errors.Is(err, context.DeadlineExceeded)
	switch {
	case c.TLS.Enabled && (closed || garbled || silent):
		return setting.Fault{
			Field: "tls.enabled", Value: "true",
			Remedy: "does not fit this port, it does not speak TLS; use the broker's TLS port, or write false",
		}, true
	case closed && c.SASL.Mechanism == "":
		return setting.Fault{
			Field: "tls.enabled", Value: "false",
			Remedy: "does not fit this port, the broker hung up at once; write true for a TLS port, or set sasl if it wants a login",
		}, true
	case closed:
		return setting.Fault{
			Field: "tls.enabled", Value: "false",
			Remedy: "does not fit this port, the broker hung up at once; write true for a TLS port",
		}, true
	}
	return setting.Fault{}, false
}

func explainReach(err error) string {
	if dns, ok := errors.AsType[*net.DNSError](err); ok {
		return fmt.Sprintf("has the host %q, which is not found; correct it, or the DNS", dns.Name)
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return "does not answer in time; check address, port and firewall, and whether it is a TLS port (tls.enabled)"
	}
	return "cannot be reached; check address, port, and that the broker runs"
}
