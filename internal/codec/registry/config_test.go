package registry_test

import (
	"slices"
	"strings"
	"testing"

	"streamer/internal/codec/registry"
	"streamer/internal/setting"
)

func lines(faults []setting.Fault) string {
	var out []string
	for _, f := range faults {
		out = append(out, f.Error())
	}
	slices.Sort(out)
	return strings.Join(out, "\n")
}

func TestValidate(t *testing.T) {
	t.Parallel()
	urls, timeout := []string{"https://a:8081", "http://b/registry"}, registry.DefaultConfig().Timeout
	for _, test := range []struct {
		config registry.Config
		want   string
	}{
		{registry.DefaultConfig(), ""},
		{registry.Config{URLs: urls, Timeout: timeout, Username: "ann", Password: "pw"}, ""},
		{registry.Config{URLs: urls, Timeout: timeout, BearerToken: "tok"}, ""},
		{registry.Config{Username: "ann"}, "r.urls: is missing, the login beside it has no effect; write [http://host:8081]"},
		{
			registry.Config{URLs: []string{"a:8081", "ftp://a", "http://ann:canary@a", "http://a?x=1"}, Password: "canary", PasswordFile: "nowhere", BearerToken: "canary", BearerTokenFile: "/"},
			`r.bearer_token: stands beside a user and password; keep one login
r.bearer_token_file: "/" cannot be read: is a directory
r.bearer_token_file: "/" stands beside bearer_token; keep one of the two
r.password_file: "nowhere" cannot be read: no such file or directory
r.password_file: "nowhere" stands beside password; keep one of the two
r.timeout: "0" must be above 0, or no request has time to be answered; write 5s
r.urls: "a:8081" is not a URL; write for example http://registry-1:8081
r.urls: "ftp://a" is not a URL; write for example http://registry-1:8081
r.urls: "http://a?x=1" has a query; write only scheme, host, port and path
r.urls: holds a login; write it into username and password_file`,
		},
		{registry.Config{URLs: urls, Timeout: timeout, Password: "pw"}, "r.username: is missing; a password needs a user"},
		{registry.Config{URLs: urls, Timeout: timeout, Username: "ann"}, "r.password: is missing; set password_file, or the variable STREAMER_R_PASSWORD"},
	} {
		if got := lines(test.config.Validate("r")); got != test.want {
			t.Errorf("%+v gives\n%s\nwant\n%s", test.config, got, test.want)
		}
	}
}

func TestWarnings(t *testing.T) {
	t.Parallel()
	config := registry.Config{URLs: []string{"https://a", "http://b"}, Username: "ann"}
	const want = `r.urls: "http://b" runs without TLS, whoever is on the way can read the login; write https://`
	if got := lines(config.Warnings("r")); got != want {
		t.Errorf("got %s", got)
	}
	config.Username = ""
	if got := lines(config.Warnings("r")); got != "" {
		t.Errorf("got %s without a login", got)
	}
}
