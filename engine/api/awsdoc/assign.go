package awsdoc

import (
	"reflect"
	"slices"
	"sync"
)

// Assign copies every exported field of src that is set into the field of dst with the same name and type, a pointer
// counting as the value it points to, and skips the named ones. So a member that AWS adds to a request and to what it
// describes travels from one to the other by itself. dst and src are pointers to structs.
func Assign(dst, src any, except ...string) {
	to, from := reflect.ValueOf(dst).Elem(), reflect.ValueOf(src).Elem()
	for _, p := range pairsOf(to.Type(), from.Type()) {
		if value := from.Field(p.from); !value.IsZero() && !slices.Contains(except, p.name) {
			p.set(to.FieldByIndex(p.to), value)
		}
	}
}

// pair is two fields of the same name, one of which can be set to the other.
type pair struct {
	name string
	from int
	to   []int
	set  func(target, value reflect.Value)
}

type structs struct{ to, from reflect.Type }

// pairs have what was found for two types before: finding fields by their names is what takes time.
var pairs sync.Map // structs → []pair

func pairsOf(to, from reflect.Type) []pair {
	if known, ok := pairs.Load(structs{to, from}); ok {
		return known.([]pair) //nolint:forcetypeassert // nothing else is stored
	}
	var list []pair
	for i := range from.NumField() {
		field := from.Field(i)
		target, ok := to.FieldByName(field.Name)
		if !ok || !field.IsExported() {
			continue
		}
		if set := setter(target.Type, field.Type); set != nil {
			list = append(list, pair{field.Name, i, target.Index, set})
		}
	}
	pairs.Store(structs{to, from}, list)
	return list
}

// setter returns what sets a field of one type to a value of the other; nil for types that don't go together.
func setter(target, value reflect.Type) func(target, value reflect.Value) {
	switch {
	case value == target:
		return reflect.Value.Set
	case value.Kind() == reflect.Pointer && value.Elem() == target:
		return func(target, value reflect.Value) { target.Set(value.Elem()) }
	case target.Kind() == reflect.Pointer && target.Elem() == value:
		return func(target, value reflect.Value) {
			p := reflect.New(value.Type())
			p.Elem().Set(value)
			target.Set(p)
		}
	}
	return nil
}
