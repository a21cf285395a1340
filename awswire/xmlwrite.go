package awswire

import (
	"bytes"
	"encoding/base64"
	"encoding/xml"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// xmlWriter writes answers of Query services, by the same rule as jsonWriter: element names are those of Go's fields.
type xmlWriter struct {
	omitEmpty []string
	plans     sync.Map // reflect.Type of a struct → []xmlMember
}

type xmlMember struct {
	field int
	name  string
	omits bool // a nil slice is left out
}

// answer writes <OpResponse><OpResult>…</OpResult><ResponseMetadata>…</ResponseMetadata></OpResponse>.
func (w *xmlWriter) answer(xmlns, operation string, out any, requestID string) ([]byte, error) {
	var b bytes.Buffer
	fmt.Fprintf(&b, "<%sResponse xmlns=%q><%sResult>", operation, xmlns, operation)
	if err := w.members(&b, reflect.ValueOf(out).Elem()); err != nil {
		return nil, err
	}
	fmt.Fprintf(&b, "</%sResult><ResponseMetadata><RequestId>%s</RequestId></ResponseMetadata></%sResponse>\n",
		operation, requestID, operation)
	return b.Bytes(), nil
}

func (w *xmlWriter) plan(t reflect.Type) []xmlMember {
	if p, ok := w.plans.Load(t); ok {
		return p.([]xmlMember)
	}
	var plan []xmlMember
	for i := range t.NumField() {
		f := t.Field(i)
		if !f.IsExported() || f.Name == "ResultMetadata" || f.Name == "ErrorCodeOverride" {
			continue
		}
		omits := slices.ContainsFunc(w.omitEmpty, func(s string) bool {
			return strings.EqualFold(s, f.Name) || s == t.Name()+"."+f.Name
		})
		plan = append(plan, xmlMember{i, f.Name, omits || f.Type == blobType})
	}
	w.plans.Store(t, plan)
	return plan
}

func (w *xmlWriter) members(b *bytes.Buffer, v reflect.Value) error {
	for _, m := range w.plan(v.Type()) {
		f := v.Field(m.field)
		switch f.Kind() {
		case reflect.Pointer, reflect.Map, reflect.Interface:
			if f.IsNil() {
				continue
			}
		case reflect.String:
			if f.Len() == 0 {
				continue
			}
		case reflect.Slice:
			if m.omits && f.IsNil() {
				continue
			}
		}
		if err := w.element(b, m.name, f); err != nil {
			return err
		}
	}
	return nil
}

func (w *xmlWriter) element(b *bytes.Buffer, name string, v reflect.Value) error {
	b.WriteString("<" + name + ">")
	if err := w.value(b, v); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	b.WriteString("</" + name + ">")
	return nil
}

func (w *xmlWriter) value(b *bytes.Buffer, v reflect.Value) error {
	switch v.Kind() {
	case reflect.Pointer:
		return w.value(b, v.Elem())
	case reflect.Struct:
		if v.Type() == timeType {
			b.WriteString(v.Interface().(time.Time).UTC().Format(iso8601))
			return nil
		}
		return w.members(b, v)
	case reflect.Slice:
		if v.Type() == blobType {
			b.WriteString(base64.StdEncoding.EncodeToString(v.Bytes()))
			return nil
		}
		return w.list(b, v)
	case reflect.Map:
		return w.mapping(b, v)
	case reflect.String:
		return xml.EscapeText(b, []byte(v.String()))
	case reflect.Bool:
		b.WriteString(strconv.FormatBool(v.Bool()))
		return nil
	case reflect.Int32, reflect.Int64:
		b.WriteString(strconv.FormatInt(v.Int(), 10))
		return nil
	case reflect.Float32, reflect.Float64:
		b.WriteString(strconv.FormatFloat(v.Float(), 'g', -1, v.Type().Bits()))
		return nil
	}
	return fmt.Errorf("cannot write a value of type %s", v.Type())
}

func (w *xmlWriter) list(b *bytes.Buffer, v reflect.Value) error {
	for i := range v.Len() {
		if err := w.element(b, "member", v.Index(i)); err != nil {
			return err
		}
	}
	return nil
}

func (w *xmlWriter) mapping(b *bytes.Buffer, v reflect.Value) error {
	keys := v.MapKeys()
	slices.SortFunc(keys, func(x, y reflect.Value) int { return strings.Compare(x.String(), y.String()) })
	for _, k := range keys {
		b.WriteString("<entry>")
		if err := w.element(b, "key", k); err != nil {
			return err
		}
		if err := w.element(b, "value", v.MapIndex(k)); err != nil {
			return err
		}
		b.WriteString("</entry>")
	}
	return nil
}

// failure writes an error as Query services do.
func (w *xmlWriter) failure(xmlns string, a answer, requestID string) []byte {
	var b bytes.Buffer
	b.WriteString("<ErrorResponse")
	if xmlns != "" {
		fmt.Fprintf(&b, " xmlns=%q", xmlns)
	}
	fmt.Fprintf(&b, "><Error><Type>%s</Type><Code>", a.sender())
	_ = xml.EscapeText(&b, []byte(a.queryCode())) // a bytes.Buffer takes all
	b.WriteString("</Code><Message>")
	_ = xml.EscapeText(&b, []byte(a.message))
	fmt.Fprintf(&b, "</Message></Error><RequestId>%s</RequestId></ErrorResponse>\n", requestID)
	return b.Bytes()
}
