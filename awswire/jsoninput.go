package awswire

import (
	"fmt"
	"reflect"
	"sync"
	"time"

	"github.com/aws/smithy-go"
)

// The SDK generates Deserialize for every type but inputs. inputReader reads those, by their fields, and leaves
// everything below to Deserialize.
type inputReader struct {
	fields sync.Map                // reflect.Type of an input → map[*smithy.Schema]int
	unions map[string]reflect.Type // "GatewayConfigurationMemberHostSharedAlb" → its struct type
}

// withUnions knows the members of unions that are themselves members of an input.
func withUnions(members []any) *inputReader {
	r := &inputReader{unions: map[string]reflect.Type{}}
	for _, m := range members {
		t := reflect.TypeOf(m).Elem()
		r.unions[t.Name()] = t
	}
	return r
}

// read fills the input that in points to from a JSON document.
func (ir *inputReader) read(body []byte, in any, items int, unknown func(path string)) error {
	if len(body) == 0 {
		body = []byte("{}")
	}
	v := reflect.ValueOf(in).Elem()
	schema, err := schemaOf(v.Type())
	if err != nil {
		return err
	}
	r := newJSONReader(body, items, unknown)
	fields := ir.fieldsOf(v.Type(), schema)
	err = smithy.ReadStruct(r, schema, func(m *smithy.Schema) error {
		i, ok := fields[m]
		if !ok {
			return fmt.Errorf("%s has no field for %q", v.Type(), m.MemberName())
		}
		return ir.value(r, m, v.Field(i))
	})
	if err != nil {
		return err
	}
	return r.end()
}

func (ir *inputReader) fieldsOf(t reflect.Type, schema *smithy.Schema) map[*smithy.Schema]int {
	if f, ok := ir.fields.Load(t); ok {
		return f.(map[*smithy.Schema]int)
	}
	fields := map[*smithy.Schema]int{}
	for i := range t.NumField() {
		if !t.Field(i).IsExported() {
			continue
		}
		if m := memberOf(schema, t.Field(i).Name); m != nil {
			fields[m] = i
		}
	}
	ir.fields.Store(t, fields)
	return fields
}

// value reads one value of an input; v is addressable.
func (ir *inputReader) value(r *jsonReader, s *smithy.Schema, v reflect.Value) error {
	switch p := v.Addr().Interface().(type) {
	case smithy.Deserializable:
		return p.Deserialize(r)
	case *time.Time:
		return r.ReadTime(s, p)
	case *[]byte:
		return r.ReadBlob(s, p)
	}
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		return ir.value(r, s, v.Elem())
	case reflect.Slice:
		return ir.list(r, s, v)
	case reflect.Map:
		return ir.mapping(r, s, v)
	case reflect.Interface:
		return ir.union(r, s, v)
	}
	return readScalar(r, s, v)
}

func readScalar(r *jsonReader, s *smithy.Schema, v reflect.Value) error {
	switch v.Kind() {
	case reflect.String:
		var x string
		err := r.ReadString(s, &x)
		v.SetString(x)
		return err
	case reflect.Bool:
		var x bool
		err := r.ReadBool(s, &x)
		v.SetBool(x)
		return err
	case reflect.Int32:
		var x int32
		err := r.ReadInt32(s, &x)
		v.SetInt(int64(x))
		return err
	case reflect.Int64:
		var x int64
		err := r.ReadInt64(s, &x)
		v.SetInt(x)
		return err
	case reflect.Float32, reflect.Float64:
		x, err := r.float(v.Type().Bits())
		v.SetFloat(x)
		return err
	}
	return fmt.Errorf("cannot read %s into %s", s.MemberName(), v.Type())
}

func (ir *inputReader) list(r *jsonReader, s *smithy.Schema, v reflect.Value) error {
	v.Set(reflect.MakeSlice(v.Type(), 0, 0))
	return smithy.ReadList(r, s, func() error {
		item := reflect.New(v.Type().Elem()).Elem()
		if null, err := r.ReadNil(s.ListMember()); err != nil {
			return err
		} else if !null {
			if err := ir.value(r, s.ListMember(), item); err != nil {
				return err
			}
		}
		v.Set(reflect.Append(v, item))
		return nil
	})
}

func (ir *inputReader) mapping(r *jsonReader, s *smithy.Schema, v reflect.Value) error {
	v.Set(reflect.MakeMap(v.Type()))
	return smithy.ReadMap(r, s, func(key string) error {
		item := reflect.New(v.Type().Elem()).Elem()
		if null, err := r.ReadNil(s.MapValue()); err != nil {
			return err
		} else if !null {
			if err := ir.value(r, s.MapValue(), item); err != nil {
				return err
			}
		}
		v.SetMapIndex(reflect.ValueOf(key).Convert(v.Type().Key()), item)
		return nil
	})
}

// union reads a union whose members were named to JSON: Go cannot list the types of an interface.
func (ir *inputReader) union(r *jsonReader, s *smithy.Schema, v reflect.Value) error {
	return smithy.ReadUnion(r, s, func(m *smithy.Schema) error {
		t, ok := ir.unions[v.Type().Name()+"Member"+goName(m.MemberName())]
		if !ok {
			return r.fail("the member %s of %s is not supported here", m.MemberName(), v.Type().Name())
		}
		p := reflect.New(t)
		v.Set(p)
		return p.Interface().(smithy.Deserializable).Deserialize(r)
	})
}
