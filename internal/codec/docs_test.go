package codec_test

import (
	"bytes"
	"encoding/hex"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/sr"
	"go.yaml.in/yaml/v3"

	"streamer/internal/codec"
	"streamer/internal/document"
)

// page runs the examples of one page: files and schemas of a registry stand for the rest of the page, a codec for the next
// input and output.
type page struct {
	t        *testing.T
	w        world
	recode   func(in []byte) ([]byte, error)
	in       [][]byte
	examples int
}

// TestDocumentationExamples runs every example of docs/codecs.
func TestDocumentationExamples(t *testing.T) {
	pages, err := filepath.Glob("../../docs/codecs/*.md")
	if err != nil || len(pages) != 6 {
		t.Fatalf("found %v, %v", pages, err)
	}
	block := regexp.MustCompile("(?s)```(\\w+) ([^\n]+)\n(.*?)\n```")
	for _, name := range pages {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(filepath.Base(name), func(t *testing.T) {
			t.Chdir(t.TempDir())
			p := &page{t: t, w: newWorld(t)}
			for _, match := range block.FindAllStringSubmatch(string(text), -1) {
				p.block(match[1], match[2], match[3])
			}
			if p.examples == 0 || p.examples != strings.Count(string(text), " codec\n") || p.in != nil {
				t.Errorf("%d examples were run", p.examples)
			}
		})
	}
}

func (p *page) block(language, info, text string) {
	words := strings.Fields(info)
	switch {
	case info == "codec":
		p.codec(text)
	case info == "in":
		p.in = rows(p.t, language, text)
	case info == "out":
		p.check(language, text)
	case words[0] == "registry":
		id, err := strconv.Atoi(words[1])
		if err != nil {
			p.t.Fatal(err)
		}
		schema := sr.Schema{Schema: text}
		if len(words) > 2 {
			schema.Type = sr.TypeProtobuf
		}
		p.w.SeedSchema("seeded-"+words[1], 1, id, schema)
	default:
		if err := os.MkdirAll(filepath.Dir(info), 0o700); err != nil {
			p.t.Fatal(err)
		}
		if err := os.WriteFile(info, []byte(text), 0o600); err != nil {
			p.t.Fatal(err)
		}
	}
}

// codec makes the decoder and the encoder of an example; a registry is there for those that say so.
func (p *page) codec(text string) {
	var section struct{ Decode, Encode yaml.Node }
	if err := yaml.Unmarshal([]byte(text), &section); err != nil {
		p.t.Fatal(err)
	}
	side := func(name string, node *yaml.Node, encode bool) (codec.Config, codec.Use) {
		c := codec.Config{Format: node.Value}
		if node.Kind == yaml.MappingNode {
			if err := node.Decode(&c); err != nil {
				p.t.Fatal(err)
			}
		}
		use := codec.Use{Encode: encode, Registry: c.Framing != "", Topic: "events"}
		if faults := c.Validate(name, use); len(faults) > 0 {
			p.t.Fatalf("%s gives %v", text, faults)
		}
		return c, use
	}
	c, use := side("decode", &section.Decode, false)
	decoders, err := codec.NewDecoder(c, use, p.w.client)
	if err != nil {
		p.t.Fatal(err)
	}
	c, use = side("encode", &section.Encode, true)
	encoders, err := codec.NewEncoder(c, use, p.w.client)
	if err != nil {
		p.t.Fatal(err)
	}
	p.recode = func(in []byte) ([]byte, error) {
		var d document.Document
		if err := decoders().Decode(p.t.Context(), &d, in); err != nil {
			return nil, err
		}
		return encoders().Append(p.t.Context(), nil, &d, document.Root)
	}
}

// rows returns the values of a block, one a line, errors as they stand.
func rows(t *testing.T, language, text string) [][]byte {
	t.Helper()
	var out [][]byte
	for line := range strings.SplitSeq(text, "\n") {
		row := []byte(line)
		if language == "hex" && !strings.HasPrefix(line, "error: ") {
			var err error
			if row, err = hex.DecodeString(strings.ReplaceAll(line, " ", "")); err != nil {
				t.Fatal(err)
			}
		}
		out = append(out, row)
	}
	return out
}

func (p *page) check(language, text string) {
	p.examples++
	want := rows(p.t, language, text)
	if len(p.in) != len(want) {
		p.t.Errorf("%d values go in, %d come out", len(p.in), len(want))
		return
	}
	for i, in := range p.in {
		got, err := p.recode(in)
		if err != nil {
			got = []byte("error: " + err.Error())
		}
		if !bytes.Equal(got, want[i]) {
			p.t.Errorf("%q gives\n%q\nthe page says\n%q", in, got, want[i])
		}
	}
	p.in = nil
}
