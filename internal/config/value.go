package config

import (
	"encoding"
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"streamer/internal/setting"
)

// layer is the values of one place by key path, each of its key's type.
type layer map[string]any

// parse reads the text of a scalar as the key's type. The same rule holds for YAML, environment and flags.
func (k key) parse(text string) (any, *setting.Fault) {
	target := reflect.New(k.typ)
	if k.auto() && text == "auto" {
		return target.Elem().Interface(), nil
	}
	remedy := k.read(text, target)
	if remedy == "" && k.auto() && target.Elem().IsZero() {
		remedy = "is nothing to work with; write auto, or more than 0"
	}
	if remedy != "" {
		return nil, &setting.Fault{Field: k.path, Value: text, Remedy: remedy}
	}
	return target.Elem().Interface(), nil
}

// read sets what target points to; if it cannot, it returns the remedy.
func (k key) read(text string, target reflect.Value) (remedy string) {
	if reader, ok := reflect.TypeAssert[encoding.TextUnmarshaler](target); ok {
		if err := reader.UnmarshalText([]byte(text)); err != nil {
			return remedyOf(err)
		}
		return ""
	}
	value := target.Elem()
	switch k.typ.Kind() {
	case reflect.Bool:
		if text != "true" && text != "false" {
			return "is not a yes or no; write true or false"
		}
		value.SetBool(text == "true")
	case reflect.Int, reflect.Int16, reflect.Int32, reflect.Int64:
		number, err := strconv.ParseInt(text, 10, k.typ.Bits())
		if err != nil {
			return k.numberRemedy()
		}
		value.SetInt(number)
	default: // the schema's test holds that it is a string
		value.SetString(text)
	}
	return ""
}

func (k key) numberRemedy() string {
	if k.auto() {
		return "is not a whole number; write auto, or a number such as 4"
	}
	if fallback := reflect.ValueOf(k.fallback).Int(); fallback > 0 {
		return "is not a whole number; write digits, such as " + strconv.FormatInt(fallback, 10)
	}
	return "is not a whole number; write digits, such as 1"
}

// remedyOf takes the sentence out of the fault that the setting types return.
func remedyOf(err error) string {
	if fault, ok := errors.AsType[setting.Fault](err); ok {
		return fault.Remedy
	}
	return err.Error()
}

// parseList reads a list written in one line, as the environment and flags have it: a,b. Spaces around are dropped.
func (k key) parseList(text string) any {
	items := []string{}
	for item := range strings.SplitSeq(text, ",") {
		if item = strings.TrimSpace(item); item != "" {
			items = append(items, item)
		}
	}
	return items
}

// parseLine reads a value written in one line.
func (k key) parseLine(text string) (any, *setting.Fault) {
	if k.list() {
		return k.parseList(text), nil
	}
	return k.parse(text)
}

// text writes the key's value as the user would.
func (k key) text() string {
	value := reflect.ValueOf(k.fallback)
	if k.auto() && value.IsZero() {
		return "auto"
	}
	text, err := yaml.Marshal(k.fallback)
	if k.list() {
		text, err = yaml.Marshal(&yaml.Node{Kind: yaml.SequenceNode, Style: yaml.FlowStyle, Content: words(value)})
	}
	if err != nil { // a string, a number or a list of strings cannot fail
		return fmt.Sprint(k.fallback)
	}
	return strings.TrimSuffix(string(text), "\n")
}

func words(list reflect.Value) []*yaml.Node {
	nodes := make([]*yaml.Node, list.Len())
	for i := range nodes {
		nodes[i] = &yaml.Node{}
		nodes[i].SetString(list.Index(i).String())
	}
	return nodes
}

// unit says in a word what the value is.
func (k key) unit() string {
	switch {
	case k.secret():
		return "secret"
	case k.list():
		return "list"
	case k.typ == reflect.TypeFor[setting.Bytes]():
		return "size"
	case k.typ == reflect.TypeFor[setting.Duration]():
		return "duration"
	case k.typ.Kind() == reflect.Bool:
		return "true or false"
	case k.typ.Kind() == reflect.String:
		return "text"
	default:
		return "number"
	}
}
