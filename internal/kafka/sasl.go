package kafka

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"unicode"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/sasl"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"

	"streamer/internal/setting"
)

// The SASL mechanisms.
const (
	mechanismPlain    = "PLAIN"
	mechanismScram256 = "SCRAM-SHA-256"
	mechanismScram512 = "SCRAM-SHA-512"
	mechanismOAuth    = "OAUTHBEARER"
	mechanismAWS      = "AWS_MSK_IAM"
)

// mechanism builds the login; nil without one. Files with secrets are read at each authentication, so that a rotated
// secret is used by the next connection.
func (s SASL) mechanism(path string) sasl.Mechanism {
	scramAuth := func(context.Context) (scram.Auth, error) {
		password, err := s.password(path)
		return scram.Auth{User: s.Username, Pass: password}, err
	}
	switch s.Mechanism {
	case mechanismPlain:
		return login{Mechanism: plain.Plain(func(context.Context) (plain.Auth, error) {
			password, err := s.password(path)
			return plain.Auth{User: s.Username, Pass: password}, err
		})}
	case mechanismScram256:
		return login{Mechanism: scram.Sha256(scramAuth)}
	case mechanismScram512:
		return login{Mechanism: scram.Sha512(scramAuth)}
	case mechanismOAuth:
		return s.OAuth.login(path + ".oauth")
	case mechanismAWS:
		return login{Mechanism: s.AWS.mechanism(path)}
	default:
		return nil
	}
}

// login names what goes wrong after the first word: a broker that refuses a token does so in words of its own, without a
// Kafka code, and would be taken for one that cannot be reached.
type login struct {
	sasl.Mechanism

	refused func() // called when the broker refuses; may be nil
}

func (l login) Authenticate(ctx context.Context, host string) (sasl.Session, []byte, error) {
	session, first, err := l.Mechanism.Authenticate(ctx, host)
	if err != nil {
		return nil, nil, err //nolint:wrapcheck // a fault of ours, with its place
	}
	return loginSession{session, l.refused}, first, nil
}

type loginSession struct {
	sasl.Session

	refused func()
}

func (s loginSession) Challenge(answer []byte) (bool, []byte, error) {
	done, next, err := s.Session.Challenge(answer)
	if err != nil {
		if s.refused != nil {
			s.refused()
		}
		err = fmt.Errorf("%w: %w: %q", kerr.SaslAuthenticationFailed, err, shortened(string(answer)))
	}
	return done, next, err
}

func (s SASL) password(path string) (string, error) {
	return secretOf(s.Password, path+".password_file", s.PasswordFile)
}

// secretOf is the given secret, or what the file holds if there is one. White space at the end of a file is dropped,
// because editors and `echo` add a newline that no one means.
func secretOf(given setting.Secret, field, file string) (string, error) {
	if file == "" {
		return given.Reveal(), nil
	}
	content, err := os.ReadFile(file)
	if err != nil {
		return "", unreadable(field, file, err)
	}
	secret := strings.TrimRightFunc(string(content), unicode.IsSpace)
	if secret == "" {
		return "", setting.Fault{Field: field, Value: file, Remedy: "is empty; write the secret into it"}
	}
	return secret, nil
}

// reason is a file error without the path, which stands beside it already.
func reason(err error) string {
	if pathErr, ok := errors.AsType[*fs.PathError](err); ok {
		return pathErr.Err.Error()
	}
	return err.Error()
}
