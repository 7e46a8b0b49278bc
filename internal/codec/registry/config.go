package registry

import (
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"strings"
	"time"
	"unicode"

	"streamer/internal/setting"
)

// Config is the section schema_registry, without TLS.
type Config struct {
	// URLs are the registry's addresses; one that does not answer is followed by the next. None means no registry.
	URLs     []string       `yaml:"urls"`
	Username string         `yaml:"username"`
	Password setting.Secret `yaml:"password"`
	// PasswordFile and BearerTokenFile are read at each request; white space at their end is dropped.
	PasswordFile    string         `yaml:"password_file"`
	BearerToken     setting.Secret `yaml:"bearer_token"`
	BearerTokenFile string         `yaml:"bearer_token_file"`
	// Timeout bounds one request to one URL.
	Timeout setting.Duration `yaml:"timeout"`
}

// DefaultConfig has no registry. A registry answers within milliseconds, or from another continent within a second; after
// five it is better asked again.
func DefaultConfig() Config { return Config{Timeout: setting.Duration(5 * time.Second)} }

// Enabled reports whether a registry is configured.
func (c Config) Enabled() bool { return len(c.URLs) > 0 }

// Validate returns everything that is wrong. path is where the section stands; each fault's field starts with it. Files
// with secrets are read.
func (c Config) Validate(path string) []setting.Fault {
	var faults []setting.Fault
	fault := func(key, value, remedy string) {
		faults = append(faults, setting.Fault{Field: path + "." + key, Value: value, Remedy: remedy})
	}
	if !c.Enabled() {
		if c.Username != "" || c.Password != "" || c.PasswordFile != "" || c.BearerToken != "" || c.BearerTokenFile != "" {
			fault("urls", "", "is missing, the login beside it has no effect; write [http://host:8081]")
		}
		return faults
	}
	for _, address := range c.URLs {
		faults = append(faults, validateURL(path+".urls", address)...)
	}
	if c.Timeout <= 0 {
		fault("timeout", c.Timeout.String(), "must be above 0, or no request has time to be answered; write 5s")
	}
	return append(faults, c.validateLogin(path)...)
}

func validateURL(field, address string) []setting.Fault {
	parsed, err := url.Parse(address)
	switch {
	case err != nil || parsed.Host == "" || parsed.Scheme != "http" && parsed.Scheme != "https":
		return []setting.Fault{{Field: field, Value: address, Remedy: "is not a URL; write for example http://registry-1:8081"}}
	case parsed.User != nil: // it would show in logs
		return []setting.Fault{{Field: field, Remedy: "holds a login; write it into username and password_file"}}
	case parsed.RawQuery != "" || parsed.Fragment != "":
		return []setting.Fault{{Field: field, Value: address, Remedy: "has a query; write only scheme, host, port and path"}}
	}
	return nil
}

func (c Config) validateLogin(path string) []setting.Fault {
	var faults []setting.Fault
	fault := func(key, value, remedy string) {
		faults = append(faults, setting.Fault{Field: path + "." + key, Value: value, Remedy: remedy})
	}
	basic := c.Username != "" || c.Password != "" || c.PasswordFile != ""
	switch {
	case basic && (c.BearerToken != "" || c.BearerTokenFile != ""):
		fault("bearer_token", "", "stands beside a user and password; keep one login")
	case basic && c.Username == "":
		fault("username", "", "is missing; a password needs a user")
	case basic && c.Password == "" && c.PasswordFile == "":
		fault("password", "", "is missing; set password_file, or the variable "+setting.Variable(path+".password"))
	}
	if c.Password != "" && c.PasswordFile != "" {
		fault("password_file", c.PasswordFile, "stands beside password; keep one of the two")
	}
	if c.BearerToken != "" && c.BearerTokenFile != "" {
		fault("bearer_token_file", c.BearerTokenFile, "stands beside bearer_token; keep one of the two")
	}
	for key, file := range map[string]string{"password_file": c.PasswordFile, "bearer_token_file": c.BearerTokenFile} {
		if _, err := secret("", file); err != nil {
			fault(key, file, err.Error())
		}
	}
	return faults
}

// Warnings returns what is allowed but unsafe, in the form of [Config.Validate].
func (c Config) Warnings(path string) []setting.Fault {
	var warnings []setting.Fault
	for _, address := range c.URLs {
		login := c.Username != "" || c.BearerToken != "" || c.BearerTokenFile != ""
		if login && strings.HasPrefix(address, "http://") {
			warnings = append(warnings, setting.Fault{
				Field: path + ".urls", Value: address,
				Remedy: "runs without TLS, whoever is on the way can read the login; write https://",
			})
		}
	}
	return warnings
}

// secret is what the file holds, or the given secret if there is no file.
func secret(given setting.Secret, file string) (string, error) {
	if file == "" {
		return given.Reveal(), nil
	}
	content, err := os.ReadFile(file)
	if pathErr, ok := errors.AsType[*fs.PathError](err); ok {
		err = pathErr.Err
	}
	if err != nil {
		return "", fmt.Errorf("cannot be read: %w", err)
	}
	text := strings.TrimRightFunc(string(content), unicode.IsSpace)
	if text == "" {
		return "", errors.New("is empty; write the secret into it")
	}
	return text, nil
}
