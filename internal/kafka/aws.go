package kafka

import (
	"context"
	"os"
	"strings"

	"github.com/twmb/franz-go/pkg/sasl"
	"github.com/twmb/franz-go/pkg/sasl/aws"

	"streamer/internal/setting"
)

// AWS are the keys that AWS_MSK_IAM signs logins with: given one by one, or in a file.
type AWS struct {
	AccessKeyID     string         `yaml:"access_key_id"`
	SecretAccessKey setting.Secret `yaml:"secret_access_key"`
	SessionToken    setting.Secret `yaml:"session_token"`
	// CredentialsFile is in the format that AWS's tools share; its section default counts. It is read at each
	// authentication. One file and not one per key: temporary keys change together.
	CredentialsFile string `yaml:"credentials_file"`
}

// mechanism signs each login anew: a signature holds for five minutes. path is that of the section sasl.
func (a AWS) mechanism(path string) sasl.Mechanism {
	keys := func(context.Context) (aws.Auth, error) { return a.keys(path + ".aws") }
	return signer{Mechanism: aws.ManagedStreamingIAM(keys), path: path}
}

// signer names the setting when the package cannot sign: it takes the region from the broker's name.
type signer struct {
	sasl.Mechanism
	path string
}

func (s signer) Authenticate(ctx context.Context, host string) (sasl.Session, []byte, error) {
	session, first, err := s.Mechanism.Authenticate(ctx, host)
	if err != nil {
		return nil, nil, asFault(&unsigned{err}, s.path+".mechanism", s.Name())
	}
	return session, first, nil
}

type unsigned struct{ err error }

func (e *unsigned) Error() string {
	return "cannot sign the login (" + e.err.Error() + "); name the brokers as MSK does, or set the variable AWS_REGION"
}

func (e *unsigned) Unwrap() error { return e.err }

func (a AWS) keys(path string) (aws.Auth, error) {
	if a.CredentialsFile == "" {
		return aws.Auth{
			AccessKey: a.AccessKeyID, SecretKey: a.SecretAccessKey.Reveal(), SessionToken: a.SessionToken.Reveal(),
		}, nil
	}
	field := path + ".credentials_file"
	content, err := os.ReadFile(a.CredentialsFile)
	if err != nil {
		return aws.Auth{}, unreadable(field, a.CredentialsFile, err)
	}
	keys := credentials(string(content))
	if keys.AccessKey == "" || keys.SecretKey == "" {
		return aws.Auth{}, setting.Fault{
			Field: field, Value: a.CredentialsFile,
			Remedy: "has no keys for us; write aws_access_key_id and aws_secret_access_key below [default]",
		}
	}
	return keys, nil
}

// credentials reads the section default. Nothing of a line that is not understood is shown: it may be a secret.
func credentials(text string) aws.Auth {
	var keys aws.Auth
	section := ""
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "[") {
			section = strings.TrimSpace(strings.Trim(line, "[]"))
			continue
		}
		name, value, _ := strings.Cut(line, "=")
		if section != "default" {
			continue
		}
		value = strings.TrimSpace(value)
		switch strings.TrimSpace(name) {
		case "aws_access_key_id":
			keys.AccessKey = value
		case "aws_secret_access_key":
			keys.SecretKey = value
		case "aws_session_token":
			keys.SessionToken = value
		}
	}
	return keys
}

func (a AWS) validate(path string) []setting.Fault {
	var faults []setting.Fault
	fault := func(key, value, remedy string) {
		faults = append(faults, setting.Fault{Field: path + "." + key, Value: value, Remedy: remedy})
	}
	if a.CredentialsFile != "" {
		if _, err := a.keys(path); err != nil {
			faults = append(faults, asFault(err, path+".credentials_file", a.CredentialsFile))
		}
		if a.AccessKeyID != "" || a.SecretAccessKey != "" || a.SessionToken != "" {
			fault("credentials_file", a.CredentialsFile, "stands beside keys; keep one of the two ways")
		}
		return faults
	}
	if a.AccessKeyID == "" {
		fault("access_key_id", "", "is missing; write it, or set credentials_file")
	}
	if a.SecretAccessKey == "" {
		fault("secret_access_key", "",
			"is missing; set the variable "+setting.Variable(path+".secret_access_key")+", or credentials_file")
	}
	return faults
}
