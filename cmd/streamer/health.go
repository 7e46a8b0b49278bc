package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// healthTimeout is below the 5 s that HEALTHCHECK grants the command, so that the reason is printed.
const healthTimeout = 3 * time.Second

func newHealthCommand(p *program) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "health",
		Short: "Ask the running service whether it is ready; for HEALTHCHECK",
		Long: "Ask /readyz of the admin listener that the configuration names. Exit code 0: ready; 1: not.\n" +
			"Only admin.listen is needed of the configuration.",
		Example: "  streamer health\n  streamer health --set admin.listen=127.0.0.1:4041",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			loaded, err := p.loadSection("admin")
			if err != nil {
				return err
			}
			return checkReady(cmd.Context(), loaded.Admin.Listen)
		},
	}
	p.addConfigFlags(cmd)
	return cmd
}

func checkReady(ctx context.Context, listen string) error {
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		return fmt.Errorf("read admin.listen: %w", err)
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "localhost" // the listener is on every interface; this one is always there
	}
	ctx, cancel := context.WithTimeout(ctx, healthTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+net.JoinHostPort(host, port)+"/readyz", nil)
	if err != nil {
		return fmt.Errorf("ask for readiness: %w", err)
	}
	// A proxy from the environment would be asked about its own localhost.
	client := &http.Client{Transport: &http.Transport{Proxy: nil, DisableKeepAlives: true}}
	response, err := client.Do(request)
	if err != nil {
		return fmt.Errorf("ask for readiness: %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode == http.StatusOK {
		return nil
	}
	const longest = 4 << 10
	reason, err := io.ReadAll(io.LimitReader(response.Body, longest))
	if err != nil {
		return fmt.Errorf("read readiness: %w", err)
	}
	return fmt.Errorf("not ready: %s: %s", response.Status, strings.TrimSpace(string(reason))) //nolint:err113 // for a person
}
