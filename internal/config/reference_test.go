package config_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"streamer/internal/config"
)

const reference = "../../config.yaml"

// required are the keys of the reference that show an example, since they have no default.
var required = []string{
	"source.kafka.topics", "source.kafka.group", "sink.type", "sink.kafka.topic", "sink.file.directory",
}

// The reference at the root is read by people and copied; each line of it has to be true.
func TestReferenceHoldsEveryDefault(t *testing.T) {
	t.Parallel()
	var document yaml.Node
	if err := yaml.Unmarshal([]byte(uncommented(read(t, reference))), &document); err != nil {
		t.Fatal(err)
	}
	shown := map[string]string{}
	flatten("", document.Content[0], shown)
	for _, key := range config.Keys() {
		value, found := shown[key.Path]
		delete(shown, key.Path)
		switch {
		case !found:
			t.Errorf("%s is not in %s; its default is %s", key.Path, reference, key.Default)
		case !slices.Contains(required, key.Path) && value != key.Default:
			t.Errorf("%s is %s in %s; its default is %s", key.Path, value, reference, key.Default)
		}
	}
	delete(shown, "pipeline.steps")
	for path := range shown {
		t.Errorf("%s is in %s and is no setting", path, reference)
	}
}

// As it stands, the reference is a configuration that runs.
func TestReferenceLoads(t *testing.T) {
	t.Parallel()
	if _, _, warnings, err := config.Load(reference, nil, nil); err != nil || len(warnings) > 0 {
		t.Errorf("%v\n%v", warnings, err)
	}
}

// commentedKey is a setting that the reference shows as a comment, because it cannot stand there or changes the rest.
var commentedKey = regexp.MustCompile(`(?m)^( *)# ( *(?:[a-z_]+:(?: ("".*|false|-1))?))$`)

func uncommented(text string) string { return commentedKey.ReplaceAllString(text, "$1$2") }

func flatten(path string, node *yaml.Node, into map[string]string) {
	if node.Kind != yaml.MappingNode {
		text, err := yaml.Marshal(bare(node))
		if err != nil {
			text = []byte(err.Error())
		}
		into[path] = strings.TrimSpace(string(text))
		return
	}
	for i := 0; i+1 < len(node.Content); i += 2 {
		flatten(strings.TrimPrefix(path+"."+node.Content[i].Value, "."), node.Content[i+1], into)
	}
}

// bare is the node as it would be written anew, without the comments around it.
func bare(node *yaml.Node) *yaml.Node {
	fresh := &yaml.Node{Kind: node.Kind, Tag: node.Tag, Value: node.Value, Style: node.Style & yaml.FlowStyle}
	for _, item := range node.Content {
		fresh.Content = append(fresh.Content, bare(item))
	}
	return fresh
}
