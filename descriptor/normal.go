package descriptor

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// rule says how AWS treats the value at a path, so that two ways to write the same compare equal.
type rule struct {
	otherwise any      // what AWS fills in where nothing is given
	key       []string // of a list whose order says nothing: the members that tell its elements apart; {""}: the element itself
	keep      bool     // false and "" mean something else here than nothing
	verbatim  bool     // an object of the user's own names and texts, in which nothing is like nothing
	rewrite   func(any) any
}

// rules are by path, [] for any element of a list.
type rules map[string]rule

func number(n string) json.Number { return json.Number(n) }

// apply brings a value into the form in which it is compared, and returns nil for what is the same as nothing: null,
// false, empty text, empty lists and objects, and what AWS would fill in anyway.
func (r rules) apply(path string, v any) any {
	this := r[path]
	switch x := v.(type) {
	case nil:
		return nil
	case map[string]any:
		if !this.verbatim {
			r.object(path, x)
		}
		if len(x) == 0 {
			return nil
		}
		return x
	case []any:
		if len(x) == 0 {
			return nil
		}
		return r.list(path, x, this)
	case keyed:
		if len(x) == 0 {
			return nil
		}
		return x
	}
	v = this.rewritten(v)
	if !this.keep && (v == false || v == "" || this.otherwise != nil && same(v, this.otherwise)) {
		return nil
	}
	return v
}

func (t rule) rewritten(v any) any {
	if t.rewrite == nil {
		return v
	}
	return t.rewrite(v)
}

func (r rules) object(path string, members map[string]any) {
	for name, value := range members {
		if plain := r.apply(join(path, name), value); plain == nil {
			delete(members, name)
		} else {
			members[name] = plain
		}
	}
}

// stated is apply for a document of which only what is stated counts: there nothing that is stated is like nothing,
// except inside lists, which are compared as a whole.
func (r rules) stated(path string, v any) any {
	this := r[path]
	switch x := v.(type) {
	case nil:
		return nil
	case map[string]any:
		for name, value := range x {
			if plain := r.stated(join(path, name), value); plain == nil {
				delete(x, name)
			} else {
				x[name] = plain
			}
		}
		return x
	case []any:
		return r.list(path, x, this)
	}
	return this.rewritten(v)
}

func (r rules) list(path string, list []any, this rule) any {
	plain := make([]any, len(list))
	for i, e := range list {
		plain[i] = r.element(path, e)
	}
	if this.key == nil {
		return plain
	}
	// Elements that their keys don't tell apart get a number each, in an order that does not depend on AWS's.
	slices.SortFunc(plain, func(a, b any) int { return strings.Compare(write(a), write(b)) })
	elements := keyed{}
	for _, e := range plain {
		key := keyOf(e, this.key)
		for n := 2; elements[key] != nil; n++ {
			key = fmt.Sprintf("%s#%d", keyOf(e, this.key), n)
		}
		elements[key] = e
	}
	return elements
}

// element is apply for what stands in a list, where nothing is still an element.
func (r rules) element(path string, e any) any {
	if plain := r.apply(path+"[]", e); plain != nil {
		return plain
	}
	if _, ok := e.(map[string]any); ok {
		return map[string]any{}
	}
	return e
}

// keyOf returns what tells an element of a list apart.
func keyOf(e any, members []string) string {
	m, ok := e.(map[string]any)
	if !ok {
		return fmt.Sprint(flatten(e))
	}
	var parts []string
	for _, name := range members {
		if v := m[name]; v != nil {
			parts = append(parts, fmt.Sprint(flatten(v)))
		}
	}
	return strings.Join(parts, ",")
}

// roleName makes a role's ARN and its name compare equal: both are taken, the ARN is returned.
func roleName(v any) any {
	if s, ok := v.(string); ok && strings.Contains(s, ":role/") {
		return lastPart(s)
	}
	return v
}
