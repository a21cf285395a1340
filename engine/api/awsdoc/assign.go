package awsdoc

import (
	"reflect"
	"slices"
)

// Assign copies every exported field of src that is set into the field of dst with the same name and type, a pointer
// counting as the value it points to, and skips the named ones. So a member that AWS adds to a request and to what it
// describes travels from one to the other by itself. dst and src are pointers to structs.
func Assign(dst, src any, except ...string) {
	to, from := reflect.ValueOf(dst).Elem(), reflect.ValueOf(src).Elem()
	for i := range from.NumField() {
		field := from.Type().Field(i)
		if !field.IsExported() || from.Field(i).IsZero() || slices.Contains(except, field.Name) {
			continue
		}
		if target := to.FieldByName(field.Name); target.IsValid() && target.CanSet() {
			set(target, from.Field(i))
		}
	}
}

func set(target, value reflect.Value) {
	switch {
	case value.Type() == target.Type():
		target.Set(value)
	case value.Kind() == reflect.Pointer && value.Type().Elem() == target.Type():
		target.Set(value.Elem())
	case target.Kind() == reflect.Pointer && target.Type().Elem() == value.Type():
		p := reflect.New(value.Type())
		p.Elem().Set(value)
		target.Set(p)
	}
}
