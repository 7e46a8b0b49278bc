package config

import "streamer/internal/setting"

// flagPrefix is how a fault names the flag that gave the value.
const flagPrefix = "--set "

// flagged is what `--set KEY=VALUE` says.
type flagged struct {
	values layer
	faults Faults
}

// readFlags takes values by key path. Secrets are refused: every user of the machine can read a command line.
func readFlags(flags map[string]string, schema *schema) *flagged {
	f := &flagged{values: layer{}}
	for _, path := range sortedNames(flags) {
		k, found := schema.byPath[path]
		if !found {
			f.fault(path, schema.unknownPath(path))
			continue
		}
		if k.secret() {
			f.fault(path, setting.Fault{
				Field:  path,
				Remedy: "would show in the list of processes; set " + k.variable() + ", or " + path + "_file",
			})
			continue
		}
		value, fault := k.parseLine(flags[path])
		if fault != nil {
			f.fault(path, *fault)
			continue
		}
		f.values[path] = value
	}
	return f
}

func (f *flagged) fault(path string, fault setting.Fault) {
	f.faults = append(f.faults, Fault{Fault: fault, Origin: Origin{Kind: FromFlag, Name: flagPrefix + path}})
}
