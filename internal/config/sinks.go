package config

import (
	"slices"
	"strings"

	"streamer/internal/setting"
)

func sinkKinds() []string { return []string{SinkKafka, SinkFile, SinkStdout, SinkDrop} }

// chooseSink fills sink.type from the only kind that anything was said about, when it is not said outright.
func (l *loader) chooseSink(cfg *Config) {
	if cfg.Sink.Type != "" {
		return
	}
	given := slices.Clone(l.file.sinks)
	for _, kind := range sinkKinds() {
		if l.origins.below("sink."+kind) && !slices.Contains(given, kind) {
			given = append(given, kind)
		}
	}
	switch len(given) {
	case 0:
		l.fault(setting.Fault{
			Field:  "sink.type",
			Remedy: "is missing; write one section in sink: " + strings.Join(sinkKinds(), ", "),
		})
	case 1:
		cfg.Sink.Type = given[0]
		l.origins["sink.type"] = l.origins.anyBelow("sink." + given[0])
	default:
		l.fault(setting.Fault{
			Field: "sink.type",
			Remedy: "is missing and there are the sections " + strings.Join(given, ", ") +
				"; write sink.type: " + given[0] + ", or leave one section",
		})
	}
}
