package awswire

import (
	"encoding/base64"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/document"
	"github.com/aws/smithy-go/traits"
	"github.com/go-json-experiment/json/jsontext"
)

// jsonWriter writes values of the SDK's types as JSON, or as CBOR. The SDK's Serialize is no use for answers: it leaves
// out zero numbers and false, where AWS sends them, so that a service without tasks would have no runningCount.
//
// The rule: a nil pointer, an empty enum and a nil map are left out; numbers and booleans that are no pointers are
// always there; a nil slice is an empty list unless its name says that AWS leaves it out.
type jsonWriter struct {
	omitEmpty []string
	stored    bool     // for storage: leave out every zero value, write times in full
	cbor      bool     // CBOR in place of JSON
	iso       bool     // times in ISO 8601
	plans     sync.Map // reflect.Type of a struct → appender
}

// syntax is what differs between the two forms that values are written in.
type syntax struct {
	openMap, closeMap, openList, closeList string
	comma, null                            string
	text                                   func(b []byte, s string) []byte
	colon                                  string // between a key and its value
	scalar                                 func(reflect.Type) (appender, error)
	blob, document                         appender
}

var jsonSyntax = &syntax{
	openMap: "{", closeMap: "}", openList: "[", closeList: "]", comma: ",", colon: ":", null: "null",
	text: appendString, scalar: scalarPlan, blob: appendBlob, document: appendDocument,
}

func (w *jsonWriter) syntax() *syntax {
	if w.cbor {
		return cborSyntax
	}
	return jsonSyntax
}

// appender appends a value in the writer's form.
type appender func(b []byte, v reflect.Value) ([]byte, error)

// write appends a struct of the SDK, or what a pointer to one points to.
func (w *jsonWriter) write(b []byte, value any) ([]byte, error) {
	v := reflect.ValueOf(value)
	if v.Kind() == reflect.Pointer {
		v = v.Elem()
	}
	f, err := w.structPlan(v.Type())
	if err != nil {
		return b, err
	}
	return f(b, v)
}

type memberPlan struct {
	field  int
	key    string // `"name":`, in the writer's form
	absent func(reflect.Value) bool
	append appender
}

func (w *jsonWriter) structPlan(t reflect.Type) (appender, error) {
	if f, ok := w.plans.Load(t); ok {
		return f.(appender), nil
	}
	schema, err := schemaOf(t)
	if err != nil {
		return nil, err
	}
	var plan []memberPlan
	// A type may contain itself, and others may ask for it meanwhile: they wait until it is built. The wait is on a lock
	// rather than a channel, because plans are shared by tests that each live in a synctest bubble of their own.
	var building sync.RWMutex
	building.Lock()
	pending := appender(func(b []byte, v reflect.Value) ([]byte, error) {
		building.RLock()
		defer building.RUnlock()
		if err != nil {
			return b, err
		}
		return w.appendMembers(b, v, plan)
	})
	if other, loaded := w.plans.LoadOrStore(t, pending); loaded {
		return other.(appender), nil
	}
	defer building.Unlock()
	if plan, err = w.members(t, schema); err != nil {
		w.plans.Delete(t)
		return nil, err
	}
	f := appender(func(b []byte, v reflect.Value) ([]byte, error) { return w.appendMembers(b, v, plan) })
	w.plans.Store(t, f)
	return f, nil
}

func (w *jsonWriter) members(t reflect.Type, schema *smithy.Schema) ([]memberPlan, error) {
	var plan []memberPlan
	for i := range t.NumField() {
		field := t.Field(i)
		if !field.IsExported() {
			continue
		}
		m := memberOf(schema, field.Name)
		if m == nil {
			continue // ResultMetadata, ErrorCodeOverride
		}
		f, err := w.valuePlan(field.Type, m)
		if err != nil {
			return nil, fmt.Errorf("%s.%s: %w", t.Name(), field.Name, err)
		}
		key := string(w.syntax().text(nil, m.MemberName())) + w.syntax().colon
		plan = append(plan, memberPlan{i, key, w.absence(t, field, m), f})
	}
	return plan, nil
}

// absence returns what decides that a member is left out; nil means never.
func (w *jsonWriter) absence(t reflect.Type, field reflect.StructField, m *smithy.Schema) func(reflect.Value) bool {
	switch field.Type.Kind() {
	case reflect.Pointer, reflect.Interface, reflect.Map:
		return reflect.Value.IsNil
	case reflect.String:
		return reflect.Value.IsZero
	case reflect.Slice:
		if w.stored || m.Type() == smithy.ShapeTypeBlob || w.omits(t, m.MemberName()) {
			return reflect.Value.IsNil
		}
	default:
		if w.stored {
			return reflect.Value.IsZero
		}
	}
	return nil
}

func (w *jsonWriter) omits(t reflect.Type, member string) bool {
	return slices.Contains(w.omitEmpty, member) || slices.Contains(w.omitEmpty, t.Name()+"."+member)
}

func (w *jsonWriter) appendMembers(b []byte, v reflect.Value, plan []memberPlan) ([]byte, error) {
	form := w.syntax()
	b = append(b, form.openMap...)
	start := len(b)
	var err error
	for i := range plan {
		m := &plan[i]
		f := v.Field(m.field)
		if m.absent != nil && m.absent(f) {
			continue
		}
		if len(b) > start {
			b = append(b, form.comma...)
		}
		b = append(b, m.key...)
		if b, err = m.append(b, f); err != nil {
			return b, err
		}
	}
	return append(b, form.closeMap...), nil
}

var (
	timeType     = reflect.TypeFor[time.Time]()
	blobType     = reflect.TypeFor[[]byte]()
	documentType = reflect.TypeFor[document.Marshaler]()
)

func (w *jsonWriter) valuePlan(t reflect.Type, s *smithy.Schema) (appender, error) {
	switch t {
	case timeType:
		return w.timePlan(s), nil
	case blobType:
		return w.syntax().blob, nil
	}
	switch t.Kind() {
	case reflect.Pointer:
		f, err := w.valuePlan(t.Elem(), s)
		return func(b []byte, v reflect.Value) ([]byte, error) { return f(b, v.Elem()) }, err
	case reflect.Struct:
		return w.structPlan(t)
	case reflect.Slice:
		return w.listPlan(t, s)
	case reflect.Map:
		return w.mapPlan(t, s)
	case reflect.Interface:
		if t.Implements(documentType) {
			return w.syntax().document, nil
		}
		return w.appendUnion, nil
	}
	return w.syntax().scalar(t)
}

func scalarPlan(t reflect.Type) (appender, error) {
	switch t.Kind() {
	case reflect.String:
		return func(b []byte, v reflect.Value) ([]byte, error) { return appendString(b, v.String()), nil }, nil
	case reflect.Bool:
		return func(b []byte, v reflect.Value) ([]byte, error) { return strconv.AppendBool(b, v.Bool()), nil }, nil
	case reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return func(b []byte, v reflect.Value) ([]byte, error) { return strconv.AppendInt(b, v.Int(), 10), nil }, nil
	case reflect.Float32, reflect.Float64:
		bits := t.Bits()
		return func(b []byte, v reflect.Value) ([]byte, error) { return appendFloat(b, v.Float(), bits), nil }, nil
	}
	return nil, fmt.Errorf("cannot write a value of type %s", t)
}

func (w *jsonWriter) listPlan(t reflect.Type, s *smithy.Schema) (appender, error) {
	item, err := w.valuePlan(t.Elem(), s.ListMember())
	if err != nil {
		return nil, err
	}
	form := w.syntax()
	return func(b []byte, v reflect.Value) (_ []byte, err error) {
		b = append(b, form.openList...)
		for i := range v.Len() {
			if i > 0 {
				b = append(b, form.comma...)
			}
			if b, err = form.appendItem(b, v.Index(i), item); err != nil {
				return b, err
			}
		}
		return append(b, form.closeList...), nil
	}, nil
}

func (w *jsonWriter) mapPlan(t reflect.Type, s *smithy.Schema) (appender, error) {
	item, err := w.valuePlan(t.Elem(), s.MapValue())
	if err != nil {
		return nil, err
	}
	form := w.syntax()
	return func(b []byte, v reflect.Value) (_ []byte, err error) {
		keys := v.MapKeys()
		slices.SortFunc(keys, func(x, y reflect.Value) int { return strings.Compare(x.String(), y.String()) })
		b = append(b, form.openMap...)
		for i, k := range keys {
			if i > 0 {
				b = append(b, form.comma...)
			}
			b = append(form.text(b, k.String()), form.colon...)
			if b, err = form.appendItem(b, v.MapIndex(k), item); err != nil {
				return b, err
			}
		}
		return append(b, form.closeMap...), nil
	}, nil
}

// appendItem writes an element of a list or map, which unlike a member cannot be left out.
func (form *syntax) appendItem(b []byte, v reflect.Value, f appender) ([]byte, error) {
	if (v.Kind() == reflect.Pointer || v.Kind() == reflect.Interface) && v.IsNil() {
		return append(b, form.null...), nil
	}
	return f(b, v)
}

// appendUnion writes {"member": value}; the member's name is in the schema that the Go type stands for.
func (w *jsonWriter) appendUnion(b []byte, v reflect.Value) ([]byte, error) {
	t := v.Elem().Type()
	if t.Kind() != reflect.Pointer {
		return b, fmt.Errorf("cannot write %s: no member of a union", t)
	}
	schema, err := schemaOf(t.Elem())
	if err != nil {
		return b, err
	}
	value := v.Elem().Elem().FieldByName("Value")
	if schema.MemberName() == "" || !value.IsValid() {
		return b, fmt.Errorf("cannot write %s: no member of a union", t)
	}
	f, err := w.valuePlan(value.Type(), schema)
	if err != nil {
		return b, err
	}
	form := w.syntax()
	b = append(form.text(append(b, form.openMap...), schema.MemberName()), form.colon...)
	if b, err = form.appendItem(b, value, f); err != nil {
		return b, err
	}
	return append(b, form.closeMap...), nil
}

func appendDocument(b []byte, v reflect.Value) ([]byte, error) {
	d, err := v.Interface().(document.Marshaler).MarshalSmithyDocument()
	return append(b, d...), err
}

func appendBlob(b []byte, v reflect.Value) ([]byte, error) {
	return append(base64.StdEncoding.AppendEncode(append(b, '"'), v.Bytes()), '"'), nil
}

// appendString writes a string; bytes that are no UTF-8, as in a container's output, become U+FFFD.
func appendString(b []byte, s string) []byte {
	b, _ = jsontext.AppendQuote(b, s)
	return b
}

func appendFloat(b []byte, f float64, bits int) []byte {
	switch {
	case math.IsNaN(f):
		return append(b, `"NaN"`...)
	case math.IsInf(f, 1):
		return append(b, `"Infinity"`...)
	case math.IsInf(f, -1):
		return append(b, `"-Infinity"`...)
	case f != 0 && (math.Abs(f) < 1e-6 || math.Abs(f) >= 1e21):
		return strconv.AppendFloat(b, f, 'e', -1, bits)
	}
	return strconv.AppendFloat(b, f, 'f', -1, bits)
}

func (w *jsonWriter) timePlan(s *smithy.Schema) appender {
	if w.cbor {
		return appendCBORTime
	}
	if w.stored {
		return appendTime(time.RFC3339Nano, func(t time.Time) time.Time { return t })
	}
	if f, ok := smithy.SchemaTrait[*traits.TimestampFormat](s); w.iso || ok && f.Format == "date-time" {
		return appendTime(iso8601, time.Time.UTC)
	}
	return func(b []byte, v reflect.Value) ([]byte, error) {
		return appendFloat(b, float64(v.Interface().(time.Time).UnixMilli())/1000, 64), nil
	}
}

// iso8601 is how AWS writes times in XML and EventBridge.
const iso8601 = "2006-01-02T15:04:05.999Z"

func appendTime(layout string, zone func(time.Time) time.Time) appender {
	return func(b []byte, v reflect.Value) ([]byte, error) {
		return append(zone(v.Interface().(time.Time)).AppendFormat(append(b, '"'), layout), '"'), nil
	}
}

// failure writes an error: its code as __type, its message, and the other members that its exception is modeled with.
func (w *jsonWriter) failure(a answer) []byte {
	form := w.syntax()
	b := append(form.text([]byte(form.openMap), "__type"), form.colon...)
	b = form.text(b, a.code)
	if a.members != nil {
		if members, err := w.write(nil, a.members); err == nil && len(members) > len(form.openMap)+len(form.closeMap) {
			return append(append(b, form.comma...), members[len(form.openMap):]...)
		}
		if a.message == "" { // some of AWS's exceptions say nothing but their name
			return append(b, form.closeMap...)
		}
	}
	b = append(form.text(append(b, form.comma...), "message"), form.colon...)
	return append(form.text(b, a.message), form.closeMap...)
}
