package expression

import (
	"cmp"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"time"

	"github.com/expr-lang/expr/builtin"
	"github.com/expr-lang/expr/conf"
	"github.com/expr-lang/expr/vm/runtime"

	"streamer/internal/document"
)

// The functions that rewritten expressions call. Their names cannot be typed by a user.
const (
	callMember  = "member of"
	callRead    = "read "
	callTruth   = "truth of"
	callPresent = "present "
	callNumber  = "number of"
	callOrdered = "ordered "
	callPure    = "pure "
)

func failf(format string, args ...any) error { return &EvalError{Reason: fmt.Sprintf(format, args...)} }

func define(config *conf.Config, name string, function func(...any) (any, error), types ...reflect.Type) {
	config.Functions[name] = &builtin.Function{Name: name, Func: function, Types: types}
}

// defineRules adds what the nil rules need, and deterministic versions of the built-ins that walk a map.
func defineRules(config *conf.Config) {
	condition := reflect.TypeFor[func(any) bool]()
	comparison := reflect.TypeFor[func(any, any) bool]()
	list := reflect.TypeFor[func(any) []any]()
	define(config, callMember, func(args ...any) (any, error) { return member(args[0], args[1]) })
	define(config, callTruth, func(args ...any) (any, error) { return truth(args[0]) }, condition)
	define(config, callNumber, number)
	for operator, compare := range map[string]func(a, b any) bool{
		"<": runtime.Less, "<=": runtime.LessOrEqual, ">": runtime.More, ">=": runtime.MoreOrEqual,
	} {
		define(config, callOrdered+operator, func(args ...any) (any, error) {
			if args[0] == nil || args[1] == nil {
				return false, nil
			}
			return compare(args[0], args[1]), nil
		}, comparison)
	}
	define(config, callPure+"keys", sortedKeys, list)
	define(config, callPure+"values", sortedValues, list)
	define(config, callPure+"toPairs", sortedPairs, list)
	define(config, callPure+"fromJSON", fromJSON, reflect.TypeFor[func(string) any]())
	define(config, callPure+"timezone", timezone, reflect.TypeFor[func(string) *time.Location]())
	define(config, callPure+"date", date)
	config.Functions[callPure+"date"].Validate = standard("date").Validate
}

// definePresent adds the check that an argument of a built-in is there, and returns the check's name.
func definePresent(config *conf.Config, function string) string {
	name := callPresent + function
	define(config, name, func(args ...any) (any, error) {
		if args[0] == nil {
			return nil, failf("%s of nil; write ?? and a default behind the field", function)
		}
		return args[0], nil
	})
	return name
}

// truth is the value of a condition: nil counts as false.
func truth(value any) (bool, error) {
	switch v := value.(type) {
	case nil:
		return false, nil
	case bool:
		return v, nil
	}
	return false, failf("condition is %s, not true or false", kindOf(value))
}

// number lets the unary plus pass only what it makes sense for.
func number(args ...any) (any, error) {
	switch args[0].(type) {
	case int, float64:
		return args[0], nil
	}
	return nil, failf("invalid operation: + %s", kindOf(args[0]))
}

// kindOf names a value's type as docs/expressions.md does.
func kindOf(value any) string {
	switch value.(type) {
	case nil:
		return "nil"
	case bool:
		return "bool"
	case int:
		return "int"
	case float64:
		return "float"
	case string:
		return "string"
	}
	switch kind := reflect.ValueOf(value).Kind(); kind {
	case reflect.Slice, reflect.Array:
		return "list"
	case reflect.Map:
		return "object"
	default:
		return kind.String()
	}
}

// member reads a part of a computed value: nil if it has no such part.
func member(base, key any) (any, error) {
	switch b := base.(type) {
	case nil:
		return nil, nil
	case map[string]any:
		name, ok := key.(string)
		if !ok {
			return nil, failf("field name is %s, not string", kindOf(key))
		}
		return b[name], nil
	case string:
		return nil, failf("a string has no parts; write a slice such as name[0:1]")
	}
	v := reflect.ValueOf(base)
	switch v.Kind() {
	case reflect.Slice, reflect.Array:
		return element(v, key)
	case reflect.Map:
		k := reflect.ValueOf(key)
		if !k.IsValid() || !k.Comparable() || !k.CanConvert(v.Type().Key()) {
			return nil, nil
		}
		if found := v.MapIndex(k.Convert(v.Type().Key())); found.IsValid() {
			return found.Interface(), nil
		}
	default:
	}
	return nil, nil
}

func element(list reflect.Value, key any) (any, error) {
	index, ok := key.(int)
	if !ok {
		if _, byName := key.(string); byName {
			return nil, nil
		}
		return nil, failf("list index is %s, not int", kindOf(key))
	}
	if index < 0 {
		index += list.Len()
	}
	if index < 0 || index >= list.Len() {
		return nil, nil
	}
	return list.Index(index).Interface(), nil
}

// entry is one field of an object. Go walks maps in random order; the output must not.
type entry struct{ name, value any }

func entries(function string, object any) ([]entry, error) {
	v := reflect.ValueOf(object)
	if v.Kind() != reflect.Map {
		return nil, failf("%s of %s; it needs an object", function, kindOf(object))
	}
	all := make(map[string][]entry, v.Len())
	for it := v.MapRange(); it.Next(); {
		text := fmt.Sprint(it.Key().Interface())
		all[text] = append(all[text], entry{it.Key().Interface(), it.Value().Interface()})
	}
	out := make([]entry, 0, v.Len())
	for _, text := range slices.Sorted(maps.Keys(all)) {
		same := all[text] // groupBy may give the keys 1 and "1"
		slices.SortFunc(same, func(a, b entry) int { return cmp.Compare(kindOf(a.name), kindOf(b.name)) })
		out = append(out, same...)
	}
	return out, nil
}

func sortedKeys(args ...any) (any, error) {
	return each("keys", args[0], func(e entry) any { return e.name })
}

func sortedValues(args ...any) (any, error) {
	return each("values", args[0], func(e entry) any { return e.value })
}

func sortedPairs(args ...any) (any, error) {
	return each("toPairs", args[0], func(e entry) any { return []any{e.name, e.value} })
}

func each(function string, object any, pick func(entry) any) (any, error) {
	all, err := entries(function, object)
	if err != nil {
		return nil, err
	}
	out := make([]any, len(all))
	for i, e := range all {
		out[i] = pick(e)
	}
	return out, nil
}

func standard(name string) *builtin.Function { return builtin.Builtins[builtin.Index[name]] }

// date reads a time. Left to itself expr's own would look up abbreviations such as CET in the machine's time zone.
func date(args ...any) (any, error) {
	for _, arg := range args {
		switch arg {
		case nil:
			return nil, failf("date of nil; write ?? and a default behind the field")
		case "Local":
			return nil, errLocal()
		}
	}
	if _, ok := args[0].(*time.Location); !ok {
		args = append([]any{time.UTC}, args...)
	}
	return standard("date").Func(args...) //nolint:wrapcheck // its text quotes the value and is dropped later
}

func timezone(args ...any) (any, error) {
	switch args[0] {
	case nil:
		return nil, failf("timezone of nil; write ?? and a default behind the field")
	case "Local":
		return nil, errLocal()
	}
	return standard("timezone").Func(args...) //nolint:wrapcheck // as in date
}

func errLocal() error {
	return failf(`the zone "Local" depends on the machine; write a name such as "Europe/Zurich"`)
}

// fromJSON reads as strictly as the decoder does; expr's own would turn large integers into floats.
func fromJSON(args ...any) (any, error) {
	text, ok := args[0].(string)
	if !ok {
		return nil, failf("fromJSON of %s; it needs a string", kindOf(args[0]))
	}
	var d document.Document
	if err := d.Parse([]byte(text)); err != nil {
		return nil, failf("fromJSON: %v", err) // a SyntaxError, which quotes nothing
	}
	return d.Go(document.Root), nil
}
