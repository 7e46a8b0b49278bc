// Command streamer consumes Kafka topics in parallel and writes one output stream. See `streamer --help`.
package main

import (
	"context"
	"os"
)

func main() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go stopOnSignals(cancel, os.Stderr, os.Exit)
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr, os.Environ())) //nolint:gocritic // cancel frees nothing at exit
}
