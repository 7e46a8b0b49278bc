package redrive

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"streamer/internal/kafka"
	"streamer/internal/pipeline"
	"streamer/internal/record"
	"streamer/internal/setting"
)

// Selection says which letters are meant; an empty part leaves none out. It is not changed once letters are read.
type Selection struct {
	Pipelines []string  // whose letters; without any the configured pipeline's own
	Classes   []string  // of the failure
	Step      string    // that failed, as the header has it
	Topics    []string  // that the records came from
	Where     string    // a filter over the letter
	Decode    string    // how Where reads values: json, string or raw
	Since     time.Time // letters that were written then or later
	Before    time.Time // letters that were written earlier
}

// Formats that Where can read without a schema.
func formats() []string { return []string{"json", "string", "raw"} }

// DecodeOf is how Where reads values unless told: as the pipeline does, where that needs no schema registry.
func DecodeOf(c pipeline.Config) string {
	value := c.Decode.Value
	if slices.Contains(formats(), value.Format) && (value.Framing == "" || value.Framing == "none") {
		return value.Format
	}
	return "raw"
}

// Validate returns what is wrong with the selection; fields are the command's flags.
func (s *Selection) Validate() []setting.Fault {
	var faults []setting.Fault
	for _, class := range s.Classes {
		if slices.Contains(record.Classes(), class) {
			continue
		}
		remedy := "is not a class of failure; write one of " + strings.Join(record.Classes(), ", ")
		if near, found := setting.Nearest(class, record.Classes()); found {
			remedy = "is not a class of failure; did you mean " + near + "?"
		}
		faults = append(faults, setting.Fault{Field: "--class", Value: class, Remedy: remedy})
	}
	if !s.Since.IsZero() && !s.Before.IsZero() && !s.Since.Before(s.Before) {
		faults = append(faults, setting.Fault{
			Field: "--before", Value: s.Before.Format(time.RFC3339),
			Remedy: "is not after --since, so no letter is meant; write a later time",
		})
	}
	if !slices.Contains(formats(), s.Decode) {
		faults = append(faults, setting.Fault{
			Field: "--decode", Value: s.Decode, Remedy: "is not known; write " + strings.Join(formats(), ", "),
		})
		return faults
	}
	for _, fault := range s.filter().Validate(pipeline.Options{}) {
		fault.Field = "--where"
		faults = append(faults, fault)
	}
	return faults
}

// filter is the pipeline that applies Where.
func (s *Selection) filter() pipeline.Config {
	c := pipeline.DefaultConfig()
	c.Decode.Value.Format = s.Decode
	if s.Where != "" {
		c.Steps = []pipeline.Step{{Kind: pipeline.KindFilter, Expression: s.Where}}
	}
	return c
}

// has reports whether the letter is meant as far as its headers and its time tell.
func (s *Selection) has(r *kgo.Record, from *kafka.Provenance) bool {
	return (len(s.Pipelines) == 0 || slices.Contains(s.Pipelines, from.Pipeline)) &&
		(len(s.Classes) == 0 || slices.Contains(s.Classes, from.Class)) &&
		(s.Step == "" || s.Step == from.Step) &&
		(len(s.Topics) == 0 || slices.Contains(s.Topics, from.Topic)) &&
		(s.Since.IsZero() || !r.Timestamp.Before(s.Since)) &&
		(s.Before.IsZero() || r.Timestamp.Before(s.Before))
}

// Group is the consumer group of the selection: one that was begun goes on, another has its own progress. With one group
// for all, what one selection leaves out would count as done for the next.
func (s *Selection) Group(pipelineGroup, deadLetters string, through bool) string {
	decode := s.Decode
	if s.Where == "" {
		decode = "" // it decides nothing
	}
	parts := []string{
		deadLetters, strconv.FormatBool(through), s.Step, s.Where, decode, instant(s.Since), instant(s.Before),
		strings.Join(sorted(s.Classes), ","), strings.Join(sorted(s.Topics), ","),
	}
	if len(s.Pipelines) > 0 {
		parts = append(parts, strings.Join(sorted(s.Pipelines), ","))
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%q", parts))
	return pipelineGroup + ".redrive." + hex.EncodeToString(sum[:4])
}

// instant is the same for one point in time in all zones.
func instant(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339Nano)
}

func sorted(words []string) []string {
	words = slices.Clone(words)
	slices.Sort(words)
	return slices.Compact(words)
}
