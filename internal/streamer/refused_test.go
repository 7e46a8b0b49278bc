package streamer

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"streamer/internal/config"
	"streamer/internal/pipeline"
)

// The file sink refuses a value with a newline. What stands before it in the same batch must be delivered and committed
// up to it: the command that the error prints skips that one record, and would otherwise skip the good ones with it.
func TestRegression09RefusedRecordLosesNothingBeforeIt(t *testing.T) {
	r := newRig(t)
	dir := t.TempDir()
	r.cfg.Sink.Type, r.cfg.Sink.File.Directory, r.cfg.Sink.File.Instance = config.SinkFile, dir, "one"
	r.produce("one", "two", "torn\nline", "four", "torn\nagain") // the second must not move the commit past the first
	r.run()
	err := r.end()
	if err == nil || !strings.Contains(err.Error(), "streamer offsets skip "+topic+"/0@2 --group "+group) {
		t.Fatalf("ended with %v, want the command that skips offset 2", err)
	}
	if c := r.committed(); c != 2 {
		t.Fatalf("committed %d, want 2", c)
	}
	files, _ := filepath.Glob(filepath.Join(dir, "*.jsonl"))
	var text strings.Builder
	for _, file := range files {
		part, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		text.Write(part)
	}
	if text.String() != "one\ntwo\n" {
		t.Fatalf("the files hold %q, want what comes before the refused record", text.String())
	}
}

// A sink that refuses most records trips the circuit breaker as a pipeline does that fails for most.
func TestRefusedRecordsTripTheCircuitBreaker(t *testing.T) {
	r := newRig(t)
	r.cfg.Sink.Type, r.cfg.Sink.File.Directory, r.cfg.Sink.File.Instance = config.SinkFile, t.TempDir(), "one"
	r.cfg.Pipeline.OnError.Default = pipeline.Skip
	r.cfg.Pipeline.CircuitBreaker = pipeline.CircuitBreaker{Percent: 50, Batches: 1, MinRecords: 1}
	r.produce("torn\nline")
	r.run()
	var tripped *BreakerError
	if err := r.end(); !errors.As(err, &tripped) || tripped.Failed != 1 || tripped.Records != 1 {
		t.Fatalf("ended with %v, want the circuit breaker's error", err)
	}
	if c := r.committed(); c > 0 {
		t.Errorf("committed %d", c)
	}
}
