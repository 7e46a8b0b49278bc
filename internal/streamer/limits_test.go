package streamer

import (
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/expr-lang/expr/conf"

	"streamer/internal/config"
	"streamer/internal/reference"
	"streamer/internal/setting"
)

// constant is the value of an integer constant of the source, which may be one that its package keeps to itself.
func constant(t *testing.T, file, name string) int64 {
	t.Helper()
	set := token.NewFileSet()
	parsed, err := parser.ParseFile(set, filepath.Join("..", file), nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var found ast.Expr
	ast.Inspect(parsed, func(n ast.Node) bool {
		if spec, ok := n.(*ast.ValueSpec); ok {
			for i, id := range spec.Names {
				if id.Name == name && i < len(spec.Values) {
					found = spec.Values[i]
				}
			}
		}
		return true
	})
	if found == nil {
		t.Fatalf("%s has no constant %s", file, name)
	}
	text := strings.ReplaceAll(types.ExprString(found), "time.Second", "1000000000")
	value, err := types.Eval(set, nil, token.NoPos, text)
	if err != nil {
		t.Fatalf("%s of %s: %v", name, file, err)
	}
	number, err := strconv.ParseInt(value.Value.ExactString(), 10, 64)
	if err != nil {
		t.Fatalf("%s of %s: %v", name, file, err)
	}
	return number
}

// The table of docs/limits.md has the values that the program has, for each row.
func TestLimitsAreAsDocumented(t *testing.T) {
	count := func(file, name string) string { return strconv.FormatInt(constant(t, file, name), 10) }
	size := func(file, name string) string { return setting.Bytes(constant(t, file, name)).String() }
	span := func(file, name string) string { return time.Duration(constant(t, file, name)).String() }
	cfg := config.Default()
	want := map[string]string{
		"one batch, unpacked":             "a quarter of the budget, at least " + size("kafka/fetchsize.go", "leastDecompress"),
		"one fetch of a partition":        size("kafka/fetchsize.go", "mostPartitionFetch"),
		"one fetch of a broker, unpacked": size("kafka/fetchsize.go", "mostUnpacked"),
		"records of one poll":             count("partitionstream/assignment.go", "maxPollRecords"),
		"one block":                       strconv.Itoa(cfg.Block.MaxRecords) + " records",
		"one block, bytes":                cfg.Block.MaxBytes.String(),
		"one batch to the sink":           strconv.Itoa(cfg.Batch.MaxRecords) + " records",
		"one batch to the sink, bytes":    cfg.Batch.MaxBytes.String(),
		"failed reads at one position that a look apart finds in order": count("partitionstream/unreadable.go", "mostDoubts"),

		"nesting of JSON":                                        count("document/document.go", "MaxDepth"),
		"nesting of Avro values":                                 count("document/document.go", "MaxDepth"),
		"items without bytes in one Avro value":                  count("codec/avro/cursor.go", "maxEmpty"),
		"defaults that a reader's Avro schema adds to one value": count("codec/avro/cursor.go", "maxFilled"),
		"unset fields of one Protobuf value":                     count("codec/protobuf/scan.go", "maxFilled"),
		"message indexes in the frame of a Protobuf value":       count("codec/framing.go", "maxIndex"),
		"header's name of a letter in an error":                  count("kafka/deadletter.go", "longestName") + " bytes",

		"nodes of one expression":                               strconv.Itoa(int(conf.DefaultMaxNodes)),
		"elements or bytes that one evaluation makes":           strconv.Itoa(int(conf.DefaultMemoryBudget)),
		"fields of one object that one `set` or `remove` names": count("pipeline/paths.go", "maxPlaces"),

		"one answer of a schema registry":          size("codec/registry/client.go", "maxAnswer"),
		"references of one schema":                 count("codec/registry/schema.go", "maxReferences"),
		"schemas and ids in memory, each":          count("codec/registry/cache.go", "maxCached"),
		"one Avro schema":                          size("codec/avro/schema.go", "maxSchema"),
		"one Avro `fixed`":                         size("codec/avro/schema.go", "maxFixed"),
		"digits of an Avro `decimal`":              count("codec/avro/schema.go", "maxPrecision"),
		"one Protobuf schema":                      size("codec/protobuf/file.go", "maxSchema"),
		"nesting of brackets in a Protobuf schema": count("codec/protobuf/file.go", "maxNesting"),
		"one reference table's file":               reference.DefaultConfig().MaxBytes.String(),

		"one record to Kafka": cfg.Sink.Kafka.Output.MaxMessageBytes.String(),
		"one dead letter":     cfg.DeadLetter.MaxMessageBytes.String(),

		"headers of one request": size("admin/server.go", "maxHeaderBytes"),
		"reading one request":    span("admin/server.go", "readTimeout"),
		"writing one answer":     span("admin/server.go", "writeTimeout"),
		"scrapes at once":        count("admin/handler.go", "scrapesAtOnce"),
	}
	text, err := os.ReadFile("../../docs/limits.md")
	if err != nil {
		t.Fatal(err)
	}
	most := setting.Bytes(constant(t, "sink/kafkasink/config.go", "maxMessageBytes")).String()
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(line, "|")
		if len(cells) < 6 {
			continue
		}
		name := strings.TrimSpace(cells[1])
		if name == "limit" || strings.HasPrefix(name, "**") || strings.HasPrefix(name, "--") {
			continue
		}
		if got := strings.TrimSpace(cells[2]); got != want[name] {
			t.Errorf("docs/limits.md says that %s is %q; it is %q", name, got, want[name])
		}
		if strings.Contains(line, "max_message_bytes") && !strings.Contains(line, "up to "+most) {
			t.Errorf("docs/limits.md: max_message_bytes goes up to %s: %s", most, line)
		}
		delete(want, name)
	}
	for name := range want {
		t.Errorf("docs/limits.md has no row for %s", name)
	}
}
