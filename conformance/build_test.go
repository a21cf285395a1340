package conformance

import (
	"errors"
	"reflect"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"
)

// build fills a value of the SDK's with what a node says, in AWS's own member names. Every member that there isn't, and every
// value of the wrong kind, is a mistake with its line. Texts are completed by fill, which may be nil.
func build(n *yaml.Node, v reflect.Value, fill func(string) string) error {
	for n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	if n.Kind == 0 || n.Tag == "!!null" {
		return nil
	}
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		return build(n, v.Elem(), fill)
	case reflect.Struct:
		return buildStruct(n, v, fill)
	case reflect.Slice:
		return buildSlice(n, v, fill)
	case reflect.Map:
		return buildMap(n, v, fill)
	default:
		return buildScalar(n, v, fill)
	}
}

func buildStruct(n *yaml.Node, v reflect.Value, fill func(string) string) error {
	if n.Kind != yaml.MappingNode {
		return problem(n, "expected members of %s", v.Type().Name())
	}
	var errs []error
	for i := 0; i < len(n.Content); i += 2 {
		key := n.Content[i]
		if key.Value == "<<" { // YAML's merging
			errs = append(errs, build(n.Content[i+1], v, fill))
		}
	}
	for i := 0; i < len(n.Content); i += 2 {
		key := n.Content[i]
		if key.Value == "<<" {
			continue
		}
		field := v.FieldByNameFunc(func(name string) bool { return strings.EqualFold(name, key.Value) })
		if !field.IsValid() || !field.CanSet() {
			errs = append(errs, problem(key, "%s has no member %s", v.Type().Name(), key.Value))
			continue
		}
		errs = append(errs, build(n.Content[i+1], field, fill))
	}
	return errors.Join(errs...)
}

func buildSlice(n *yaml.Node, v reflect.Value, fill func(string) string) error {
	if n.Kind != yaml.SequenceNode {
		return problem(n, "expected a list")
	}
	var errs []error
	list := reflect.MakeSlice(v.Type(), len(n.Content), len(n.Content))
	for i, item := range n.Content {
		errs = append(errs, build(item, list.Index(i), fill))
	}
	v.Set(list)
	return errors.Join(errs...)
}

func buildMap(n *yaml.Node, v reflect.Value, fill func(string) string) error {
	if n.Kind != yaml.MappingNode {
		return problem(n, "expected names and values")
	}
	var errs []error
	m := reflect.MakeMap(v.Type())
	for i := 0; i < len(n.Content); i += 2 {
		item := reflect.New(v.Type().Elem()).Elem()
		errs = append(errs, build(n.Content[i+1], item, fill))
		m.SetMapIndex(reflect.ValueOf(n.Content[i].Value).Convert(v.Type().Key()), item)
	}
	v.Set(m)
	return errors.Join(errs...)
}

func buildScalar(n *yaml.Node, v reflect.Value, fill func(string) string) error {
	if n.Kind != yaml.ScalarNode {
		return problem(n, "expected one value of type %s", v.Type())
	}
	text := n.Value
	var err error
	switch v.Kind() {
	case reflect.String:
		if fill != nil {
			text = fill(text)
		}
		v.SetString(text)
	case reflect.Bool:
		var b bool
		b, err = strconv.ParseBool(text)
		v.SetBool(b)
	case reflect.Int, reflect.Int32, reflect.Int64:
		var i int64
		i, err = strconv.ParseInt(text, 10, v.Type().Bits())
		v.SetInt(i)
	case reflect.Float64:
		var f float64
		f, err = strconv.ParseFloat(text, 64)
		v.SetFloat(f)
	default:
		return problem(n, "a scenario cannot give a value of type %s", v.Type())
	}
	if err != nil {
		return problem(n, "expected a value of type %s, found %q", v.Kind(), text)
	}
	return nil
}
