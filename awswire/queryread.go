package awswire

import (
	"encoding/base64"
	"fmt"
	"maps"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/aws/smithy-go"
)

// node is one step of the dotted names in a form: "Listeners.member.1.Protocol=HTTP" is four nodes, the last with a value.
type node struct {
	value    string
	has      bool
	children map[string]*node
}

// formTree splits the names of a form. Action and Version are no members of the input, nor is what a signature adds.
func formTree(form url.Values, items int) (*node, error) {
	if len(form) > items {
		return nil, malformed("more than %d parameters in one request", items)
	}
	root := &node{}
	for name, values := range form {
		if name == "Action" || name == "Version" || strings.HasPrefix(name, "X-Amz-") {
			continue
		}
		value := values[len(values)-1]
		if !utf8.ValidString(name) || !utf8.ValidString(value) {
			return nil, malformed("%.40q is not UTF-8", name)
		}
		if strings.Count(name, ".") >= maxDepth {
			return nil, malformed("%.40q is nested more than %d levels deep", name, maxDepth)
		}
		n := root
		for step := range strings.SplitSeq(name, ".") {
			n = n.child(step)
		}
		n.value, n.has = value, true
	}
	return root, nil
}

func (n *node) child(name string) *node {
	c, ok := n.children[name]
	if !ok {
		if n.children == nil {
			n.children = map[string]*node{}
		}
		c = &node{}
		n.children[name] = c
	}
	return c
}

// queryReader fills an input of a Query service from the tree of a form, by the names of Go's fields, which in the
// Query services are the wire's.
type queryReader struct {
	unknown func(path string) // may be nil
}

// readQuery fills the input that in points to.
func readQuery(form url.Values, in any, items int, unknown func(path string)) error {
	root, err := formTree(form, items)
	if err != nil {
		return err
	}
	r := queryReader{unknown: unknown}
	return r.structure(root, "", reflect.ValueOf(in).Elem())
}

func (r queryReader) structure(n *node, path string, v reflect.Value) error {
	for name, c := range n.children {
		f, ok := v.Type().FieldByName(goName(name)) // STS has a member that begins in lower case
		if !ok || !f.IsExported() || name == "ResultMetadata" {
			if r.unknown != nil {
				r.unknown(join(path, name))
			}
			continue
		}
		if err := r.value(c, join(path, name), v.FieldByIndex(f.Index)); err != nil {
			return err
		}
	}
	return nil
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

func (r queryReader) value(n *node, path string, v reflect.Value) error {
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		return r.value(n, path, v.Elem())
	case reflect.Slice:
		if v.Type() == blobType {
			return r.blob(n, path, v)
		}
		return r.list(n, path, v)
	case reflect.Map:
		return r.mapping(n, path, v)
	case reflect.Struct:
		if v.Type() == timeType {
			return r.time(n, path, v)
		}
		return r.structure(n, path, v)
	}
	return r.scalar(n, path, v)
}

func (r queryReader) scalar(n *node, path string, v reflect.Value) error {
	if !n.has {
		return malformed("%s has members where a single value is expected", path)
	}
	var err error
	switch v.Kind() {
	case reflect.String:
		v.SetString(n.value)
	case reflect.Bool:
		var x bool
		x, err = strconv.ParseBool(n.value)
		v.SetBool(x)
	case reflect.Int32, reflect.Int64:
		var x int64
		x, err = strconv.ParseInt(n.value, 10, v.Type().Bits())
		v.SetInt(x)
	case reflect.Float32, reflect.Float64:
		var x float64
		x, err = strconv.ParseFloat(n.value, v.Type().Bits())
		v.SetFloat(x)
	default:
		return fmt.Errorf("cannot read %s into %s", path, v.Type())
	}
	if err != nil {
		return malformed("%s: %.40q is not a valid %s", path, n.value, v.Kind())
	}
	return nil
}

func (r queryReader) time(n *node, path string, v reflect.Value) error {
	t, err := time.Parse(time.RFC3339Nano, n.value)
	if err != nil {
		return malformed("%s: %.40q is not a valid timestamp", path, n.value)
	}
	v.Set(reflect.ValueOf(t.UTC()))
	return nil
}

func (r queryReader) blob(n *node, path string, v reflect.Value) error {
	b, err := base64.StdEncoding.DecodeString(n.value)
	if err != nil {
		return malformed("%s: no base64: %v", path, err)
	}
	v.SetBytes(b)
	return nil
}

// list reads "Name.member.1", "Name.member.2"; "Name=" is how clients send an empty list.
func (r queryReader) list(n *node, path string, v reflect.Value) error {
	items, err := numbered(n, "member", path)
	if err != nil {
		return err
	}
	v.Set(reflect.MakeSlice(v.Type(), len(items), len(items)))
	for i, item := range items {
		if err := r.value(item, fmt.Sprintf("%s.member.%d", path, i+1), v.Index(i)); err != nil {
			return err
		}
	}
	return nil
}

// mapping reads "Name.entry.1.key" and "Name.entry.1.value".
func (r queryReader) mapping(n *node, path string, v reflect.Value) error {
	entries, err := numbered(n, "entry", path)
	if err != nil {
		return err
	}
	v.Set(reflect.MakeMapWithSize(v.Type(), len(entries)))
	for i, e := range entries {
		key := reflect.New(v.Type().Key()).Elem()
		value := reflect.New(v.Type().Elem()).Elem()
		at := fmt.Sprintf("%s.entry.%d", path, i+1)
		if err := r.value(e.child("key"), at+".key", key); err != nil {
			return err
		}
		if err := r.value(e.child("value"), at+".value", value); err != nil {
			return err
		}
		v.SetMapIndex(key, value)
	}
	return nil
}

// numbered returns the children of n's only child in the order of their numbers, which need not be without gaps.
func numbered(n *node, name, path string) ([]*node, error) {
	holder := n.children[name]
	if len(n.children) > 1 || holder == nil && (len(n.children) == 1 || n.value != "") || holder != nil && len(holder.children) == 0 {
		return nil, &refusal{
			json: codeSerialization, query: codeQueryMalformed,
			jsonMessage: fmt.Sprintf("%s: elements are named %s.%s.1 and so on", path, path, name),
		}
	}
	if holder == nil {
		return nil, nil
	}
	type item struct {
		number int
		node   *node
	}
	var items []item
	for text, c := range holder.children {
		number, err := strconv.Atoi(text)
		if err != nil || number < 1 || text[0] == '+' {
			return nil, malformed("%s.%s.%.40s: an element's number starts at 1", path, name, text)
		}
		items = append(items, item{number, c})
	}
	slices.SortFunc(items, func(a, b item) int { return a.number - b.number })
	nodes := make([]*node, len(items))
	for i, it := range items {
		nodes[i] = it.node
	}
	return nodes, nil
}

// formOf returns Action, Version and the input's parameters, from the query string and the body.
func formOf(rawQuery string, body []byte) (url.Values, error) {
	form, err := url.ParseQuery(rawQuery)
	if err == nil {
		var fromBody url.Values
		fromBody, err = url.ParseQuery(string(body))
		maps.Copy(form, fromBody)
	}
	if err != nil {
		return nil, malformed("the form cannot be read: %v", err)
	}
	return form, nil
}

// actionOf finds the operation that a form names.
func actionOf(form url.Values, services map[string]Service) (Service, *operation, error) {
	action, version := form.Get("Action"), form.Get("Version")
	if action == "" {
		return Service{}, nil, &smithy.GenericAPIError{
			Code: codeQueryNoAction, Fault: smithy.FaultClient,
			Message: "The request names no operation: neither a parameter Action nor a header X-Amz-Target is there.",
		}
	}
	if version == "" {
		version = "NO_VERSION_SPECIFIED"
	}
	s := services[version]
	op, ok := s.operations[action]
	if !ok {
		return s, nil, &smithy.GenericAPIError{
			Code: codeQueryAction, Fault: smithy.FaultClient,
			Message: fmt.Sprintf("Could not find operation %.100s for version %.40s", action, version),
		}
	}
	return s, op, nil
}
