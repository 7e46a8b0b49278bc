package filesink

import (
	"testing"
)

func TestConfigValidate(t *testing.T) {
	cfg := DefaultConfig()
	cfg.Directory = "out"
	if faults := cfg.Validate(); len(faults) != 0 {
		t.Errorf("the default with a directory is faulty: %v", faults)
	}
	bad := Config{Prefix: "../x", Instance: ".hidden", Rotate: Rotate{Size: -1, Interval: -1}}
	want := []string{"directory", "prefix", "instance", "rotate.size", "rotate.interval"}
	faults := bad.Validate()
	if len(faults) != len(want) {
		t.Fatalf("Validate() = %v, want a fault for each of %v", faults, want)
	}
	for i, fault := range faults {
		if fault.Field != "sink.file."+want[i] {
			t.Errorf("fault %d is about %s, want sink.file.%s", i, fault.Field, want[i])
		}
	}
}
