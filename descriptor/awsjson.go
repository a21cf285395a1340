package descriptor

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/slipway-cd/slipway/fault"
)

// Encode writes a value of the AWS SDK, for example a types.TaskDefinition that DescribeTaskDefinition returned, as the
// JSON in which AWS sends it: members begin with a small letter, times are seconds since 1970, unions are objects of
// one member. Members without a value are left out; numbers and booleans that have no such state are always there.
func Encode(v any) ([]byte, error) {
	plain, err := plainValue(reflect.ValueOf(v))
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(plain); err != nil {
		return nil, fault.New(fault.Internal, "cannot write %T as JSON: %w", v, err)
	}
	return bytes.TrimRight(b.Bytes(), "\n"), nil
}

// unionMember stands in the names of the SDK's union types between the union's and the member's: the generator writes
// SharingStrategyMemberNvidiaMps for the member nvidiaMps.
const unionMember = "Member"

func plainValue(v reflect.Value) (any, error) {
	switch v.Kind() {
	case reflect.Invalid:
		return nil, nil //nolint:nilnil // JSON's null
	case reflect.Pointer:
		if v.IsNil() {
			return nil, nil //nolint:nilnil // JSON's null
		}
		return plainValue(v.Elem())
	case reflect.Interface:
		if v.IsNil() {
			return nil, nil //nolint:nilnil // JSON's null
		}
		return plainUnion(v)
	case reflect.Struct:
		if t, ok := reflect.TypeAssert[time.Time](v); ok {
			return json.Number(fmt.Sprintf("%d.%03d", t.Unix(), t.Nanosecond()/int(time.Millisecond))), nil
		}
		return plainStruct(v)
	case reflect.Slice:
		if b, ok := reflect.TypeAssert[[]byte](v); ok {
			return b, nil
		}
		list := make([]any, v.Len())
		for i := range list {
			e, err := plainValue(v.Index(i))
			if err != nil {
				return nil, err
			}
			list[i] = e
		}
		return list, nil
	case reflect.Map:
		return plainMap(v)
	case reflect.String, reflect.Bool, reflect.Int, reflect.Int32, reflect.Int64, reflect.Float32, reflect.Float64:
		return v.Interface(), nil
	default:
		return nil, fault.New(fault.Internal, "cannot write a value of the type %s as JSON", v.Type())
	}
}

func plainStruct(v reflect.Value) (any, error) {
	members := map[string]any{}
	for i := range v.NumField() {
		field, value := v.Type().Field(i), v.Field(i)
		if !field.IsExported() || field.Name == "ResultMetadata" || isAbsent(value) {
			continue
		}
		plain, err := plainValue(value)
		if err != nil {
			return nil, err
		}
		members[memberName(field.Name)] = plain
	}
	return members, nil
}

// isAbsent reports whether a value says that its member is not there. An empty enumeration says so too, as no
// enumeration has an empty value.
func isAbsent(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Map, reflect.Interface:
		return v.IsNil()
	case reflect.String:
		return v.Len() == 0
	default:
		return false
	}
}

func plainMap(v reflect.Value) (any, error) {
	members := map[string]any{}
	for _, key := range v.MapKeys() {
		plain, err := plainValue(v.MapIndex(key))
		if err != nil {
			return nil, err
		}
		members[key.String()] = plain
	}
	return members, nil
}

func plainUnion(v reflect.Value) (any, error) {
	inner := v.Elem()
	for inner.Kind() == reflect.Pointer {
		inner = inner.Elem()
	}
	name, ok := strings.CutPrefix(inner.Type().Name(), v.Type().Name()+unionMember)
	if !ok || inner.NumField() == 0 {
		return nil, fault.New(fault.Internal, "cannot write a value of the type %s as JSON", inner.Type())
	}
	plain, err := plainValue(inner.Field(0))
	return map[string]any{memberName(name): plain}, err
}

func memberName(goName string) string {
	r, n := utf8.DecodeRuneInString(goName)
	return string(unicode.ToLower(r)) + goName[n:]
}
