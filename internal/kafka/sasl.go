package kafka

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"strings"
	"unicode"

	"github.com/twmb/franz-go/pkg/sasl"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"

	"streamer/internal/setting"
)

// mechanism builds the login; nil without one. The password file is read at each authentication, so that a rotated
// password is used by the next connection.
func (s SASL) mechanism(path string) sasl.Mechanism {
	scramAuth := func(context.Context) (scram.Auth, error) {
		secret, err := s.secret(path)
		return scram.Auth{User: s.Username, Pass: secret}, err
	}
	switch s.Mechanism {
	case mechanismPlain:
		return plain.Plain(func(context.Context) (plain.Auth, error) {
			secret, err := s.secret(path)
			return plain.Auth{User: s.Username, Pass: secret}, err
		})
	case mechanismScram256:
		return scram.Sha256(scramAuth)
	case mechanismScram512:
		return scram.Sha512(scramAuth)
	default:
		return nil
	}
}

// secret is the password itself. White space at the end of a file is dropped, because editors and `echo` add a newline
// that no one means.
func (s SASL) secret(path string) (string, error) {
	if s.PasswordFile == "" {
		return s.Password.Reveal(), nil
	}
	content, err := os.ReadFile(s.PasswordFile)
	if err != nil {
		return "", unreadable(path+".password_file", s.PasswordFile, err)
	}
	secret := strings.TrimRightFunc(string(content), unicode.IsSpace)
	if secret == "" {
		return "", setting.Fault{
			Field: path + ".password_file", Value: s.PasswordFile, Remedy: "is empty; write the password into it",
		}
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
