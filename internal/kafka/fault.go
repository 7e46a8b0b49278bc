package kafka

import (
	"errors"

	"streamer/internal/setting"
)

// asFault gives an error its place in the configuration, unless it knows a better one already.
func asFault(err error, field, value string) setting.Fault {
	fault, ok := errors.AsType[setting.Fault](err)
	if !ok {
		return setting.Fault{Field: field, Value: value, Remedy: err.Error()}
	}
	if fault.Field == "" {
		fault.Field = field
	}
	return fault
}
