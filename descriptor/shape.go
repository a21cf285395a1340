package descriptor

import (
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/schemas"
	"github.com/aws/smithy-go"
	"github.com/tailscale/hujson"

	"github.com/slipway-cd/slipway/fault"
	"github.com/slipway-cd/slipway/suggest"
)

// shapeOf returns the SDK's own description of a kind's input: the schema names members and types, unions included; the
// Go type knows the values of enumerations, which the schema leaves out.
func shapeOf(kind Kind) (*smithy.Schema, reflect.Type) {
	switch kind {
	case TaskDefinition:
		return schemas.RegisterTaskDefinitionRequest, reflect.TypeFor[ecs.RegisterTaskDefinitionInput]()
	case ServiceDefinition:
		return schemas.CreateServiceRequest, reflect.TypeFor[ecs.CreateServiceInput]()
	case ServiceUpdate:
		return schemas.UpdateServiceRequest, reflect.TypeFor[ecs.UpdateServiceInput]()
	case Autoscaling, ScheduledTasks:
		return besideShapes()[kind], besideTypes[kind]
	}
	return nil, nil
}

// CheckShape compares the document with the SDK's types: unknown members, wrong JSON types, unknown values of
// enumerations, members given twice.
func (d *Document) CheckShape(opts Options) fault.Problems {
	schema, typ := shapeOf(d.Kind)
	if schema == nil {
		return nil
	}
	c := &shapeCheck{doc: d, opts: opts}
	c.value(d.tree, schema, typ, "")
	return c.problems
}

type shapeCheck struct {
	doc      *Document
	opts     Options
	problems fault.Problems
}

func (c *shapeCheck) problem(v *hujson.Value, hint, format string, args ...any) {
	c.problems.Add(c.doc.pos(v.StartOffset), hint, format, args...)
}

// value checks one value. typ is nil where the Go type is not known, below unions.
func (c *shapeCheck) value(v *hujson.Value, s *smithy.Schema, typ reflect.Type, path string) {
	if v.Value.Kind() == 'n' {
		return // AWS takes null for a member that is not there
	}
	for typ != nil && typ.Kind() == reflect.Pointer {
		typ = typ.Elem()
	}
	switch s.Type() {
	case smithy.ShapeTypeStructure, smithy.ShapeTypeUnion:
		c.structure(v, s, typ, path)
	case smithy.ShapeTypeList, smithy.ShapeTypeSet:
		c.list(v, s, typ, path)
	case smithy.ShapeTypeMap:
		c.mapping(v, s, typ, path)
	case smithy.ShapeTypeDocument:
	default:
		c.scalar(v, s, typ, path)
	}
}

func (c *shapeCheck) structure(v *hujson.Value, s *smithy.Schema, typ reflect.Type, path string) {
	obj, ok := v.Value.(*hujson.Object)
	if !ok {
		c.wrong(v, path, "an object")
		return
	}
	seen := map[string]bool{}
	for i := range obj.Members {
		m := &obj.Members[i]
		name := literal(m.Name.Value)
		inner := join(path, name)
		member := s.Member(name)
		switch {
		case seen[name]:
			c.problem(&m.Name, "", "%s is given twice", inner)
		case member != nil:
			c.value(&m.Value, member, fieldType(typ, name), inner)
		case !c.opts.PassUnknown && !c.doc.skip(&m.Name):
			c.problem(&m.Name, c.unknownHint(name, path, s), "%s: %s has no such member", inner, c.doc.Kind.phrase())
		}
		seen[name] = true
	}
}

// returned are the members that AWS adds to a task definition when it describes one, and does not take back.
var returned = []string{
	"taskDefinitionArn", "revision", "status", "requiresAttributes", "compatibilities", "registeredAt", "registeredBy",
	"deregisteredAt",
}

func (c *shapeCheck) unknownHint(name, path string, s *smithy.Schema) string {
	if path == "" && c.doc.Kind == TaskDefinition && slices.Contains(returned, name) {
		return "AWS returns it but does not take it: remove it"
	}
	if why := putIn[name]; why != "" && (c.doc.Kind == Autoscaling || c.doc.Kind == ScheduledTasks) {
		return why + ": remove it"
	}
	if h := suggest.Hint(name, slices.Collect(maps.Keys(s.Members()))); h != "" {
		return h
	}
	return "remove it, or set passUnknown: true if AWS has added it lately"
}

// putIn are the members of requests that an installation puts into what stands beside a service.
var putIn = map[string]string{
	"ServiceNamespace": "it is always ecs", "ScalableDimension": "it is always ecs:service:DesiredCount",
	"ResourceId": "it is the service that is installed", "TaskDefinitionArn": "it is the revision that is installed",
	"Arn": "it is the cluster that is installed to", "Id": "Slipway names the target", "Input": "write Overrides in its place",
}

// fieldType returns the Go type of a member. The SDK's generator turns the first letter into a capital.
func fieldType(typ reflect.Type, member string) reflect.Type {
	if typ == nil || typ.Kind() != reflect.Struct || member == "" {
		return nil
	}
	if f, ok := typ.FieldByName(strings.ToUpper(member[:1]) + member[1:]); ok {
		return f.Type
	}
	return nil
}

func (c *shapeCheck) list(v *hujson.Value, s *smithy.Schema, typ reflect.Type, path string) {
	arr, ok := v.Value.(*hujson.Array)
	if !ok {
		c.wrong(v, path, "a list")
		return
	}
	for i := range arr.Elements {
		c.value(&arr.Elements[i], s.ListMember(), elementType(typ, reflect.Slice), fmt.Sprintf("%s[%d]", path, i))
	}
}

func (c *shapeCheck) mapping(v *hujson.Value, s *smithy.Schema, typ reflect.Type, path string) {
	obj, ok := v.Value.(*hujson.Object)
	if !ok {
		c.wrong(v, path, "an object of names and texts")
		return
	}
	seen := map[string]bool{}
	for i := range obj.Members {
		m := &obj.Members[i]
		name := literal(m.Name.Value)
		if seen[name] {
			c.problem(&m.Name, "", "%s is given twice", join(path, name))
		}
		seen[name] = true
		c.value(&m.Value, s.MapValue(), elementType(typ, reflect.Map), join(path, name))
	}
}

func elementType(typ reflect.Type, kind reflect.Kind) reflect.Type {
	if typ == nil || typ.Kind() != kind {
		return nil
	}
	return typ.Elem()
}

func (c *shapeCheck) scalar(v *hujson.Value, s *smithy.Schema, typ reflect.Type, path string) {
	kind := v.Value.Kind()
	switch s.Type() {
	case smithy.ShapeTypeString, smithy.ShapeTypeEnum, smithy.ShapeTypeBlob:
		if kind != '"' {
			c.wrong(v, path, "text")
			return
		}
		c.enumerated(v, typ, path)
	case smithy.ShapeTypeBoolean:
		if kind != 't' && kind != 'f' {
			c.wrong(v, path, "true or false")
		}
	case smithy.ShapeTypeByte, smithy.ShapeTypeShort, smithy.ShapeTypeInteger:
		c.integer(v, path, math.MinInt32, math.MaxInt32)
	case smithy.ShapeTypeLong, smithy.ShapeTypeIntEnum, smithy.ShapeTypeBigInteger:
		c.integer(v, path, math.MinInt64, math.MaxInt64)
	case smithy.ShapeTypeFloat, smithy.ShapeTypeDouble, smithy.ShapeTypeBigDecimal, smithy.ShapeTypeTimestamp:
		if kind != '0' {
			c.wrong(v, path, "a number")
		}
	}
}

func (c *shapeCheck) integer(v *hujson.Value, path string, least, most int64) {
	if v.Value.Kind() != '0' {
		c.wrong(v, path, "a number")
		return
	}
	text := string(v.Value.(hujson.Literal))
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < least || n > most {
		c.problem(v, "", "%s: expected a whole number from %d to %d, found %s", path, least, most, text)
	}
}

// enumerated checks a text against the values of its enumeration, where it has one.
func (c *shapeCheck) enumerated(v *hujson.Value, typ reflect.Type, path string) {
	if typ == nil || typ.Kind() != reflect.String || c.opts.PassUnknown || c.doc.skip(v) {
		return
	}
	method := reflect.Zero(typ).MethodByName("Values")
	if !method.IsValid() {
		return
	}
	known := method.Call(nil)[0]
	names := make([]string, known.Len())
	for i := range names {
		names[i] = known.Index(i).String()
	}
	if text := literal(v.Value); !slices.Contains(names, text) {
		c.problem(v, suggest.HintOrList(text, names), "%s: %q is none of its values", path, text)
	}
}

// wrong reports a value of the wrong JSON type.
func (c *shapeCheck) wrong(v *hujson.Value, path, expected string) {
	if c.doc.skip(v) {
		return
	}
	hint := c.remedy(v, expected)
	if path == "" {
		path = c.doc.Kind.phrase()
	}
	c.problem(v, hint, "%s: expected %s, found %s", path, expected, found(v))
}

func (c *shapeCheck) remedy(v *hujson.Value, expected string) string {
	kind, text := v.Value.Kind(), literal(v.Value)
	switch {
	case expected == "text" && kind != '{' && kind != '[':
		return "put it in double quotes"
	case expected == "a list":
		return "put it in [ ]"
	case kind != '"' || expected != "a number" && expected != "true or false":
		return ""
	case bareValue().MatchString(text):
		return fmt.Sprintf("write %s without the quotes", text)
	}
	return meant(text, expected)
}

// meant says how to write what some version of YAML takes for a number or a truth, and Slipway for text.
func meant(text, expected string) string {
	words := map[string]string{"on": "true", "yes": "true", "y": "true", "off": "false", "no": "false", "n": "false"}
	word := words[strings.ToLower(text)]
	n, err := strconv.ParseInt(strings.ReplaceAll(text, "_", ""), 10, 64)
	switch {
	case expected == "true or false" && word != "":
		return "write " + word
	case expected == "a number" && err == nil:
		return fmt.Sprintf("write %d, if that is meant", n)
	}
	return ""
}

// found says what a value is, for sentences of the form "expected x, found y".
func found(v *hujson.Value) string {
	switch v.Value.Kind() {
	case '{':
		return "an object"
	case '[':
		return "a list"
	case '"':
		return fmt.Sprintf("the text %q", literal(v.Value))
	case '0':
		return "the number " + string(v.Value.(hujson.Literal))
	default:
		return string(v.Value.(hujson.Literal))
	}
}

// literal returns the text of a string, without quotes and escapes; of anything else "".
func literal(v hujson.ValueTrimmed) string {
	if lit, ok := v.(hujson.Literal); ok && lit.Kind() == '"' {
		return lit.String()
	}
	return ""
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}
