package descriptor

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/slipway-cd/slipway/fault"
)

// Difference is one thing that is not as wanted. Want and Have are JSON; empty means: not there.
type Difference struct {
	Path string `json:"path"` // containerDefinitions[hid-generator].memory
	Want string `json:"want,omitempty"`
	Have string `json:"have,omitempty"`
}

// String returns the difference on one line.
func (d Difference) String() string {
	switch {
	case d.Want == "":
		return fmt.Sprintf("%s: %s is to go", d.Path, d.Have)
	case d.Have == "":
		return fmt.Sprintf("%s: %s is to come", d.Path, d.Want)
	}
	return fmt.Sprintf("%s: %s becomes %s", d.Path, d.Have, d.Want)
}

// Compare says what would change if the wanted descriptor were put in force where AWS describes have: a taskDefinition
// of DescribeTaskDefinition for a task definition, a service of DescribeServices for the others. The answer is in the
// order of the paths, and empty when everything is already so.
//
// A task definition is compared as a whole: what it leaves out is to go. Of a service, only what the descriptor states
// is compared, as UpdateService leaves the rest alone; a list that is stated is compared as a whole. What AWS fills in,
// reorders or writes in another way does not count. A taskDefinition without a revision is the same as any revision of
// the family: whether the newest one is right is told by comparing the task definitions.
func Compare(kind Kind, want, have []byte) ([]Difference, error) {
	w, err := decodeObject(kind, "the wanted", want)
	if err != nil {
		return nil, err
	}
	h, err := decodeObject(kind, "the described", have)
	if err != nil {
		return nil, err
	}
	c := &comparison{rules: serviceRules}
	if kind == TaskDefinition {
		c.rules = taskRules
		alignTags(w, h)
		normaliseTask(w)
		normaliseTask(h)
		c.object("", w, h, true)
		return c.found, nil
	}
	h = described(w, h)
	serviceRules.stated("", w)
	serviceRules.stated("", h)
	c.object("", w, h, false)
	return c.found, nil
}

func decodeObject(kind Kind, which string, body []byte) (map[string]any, error) {
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	var v map[string]any
	if err := d.Decode(&v); err != nil || v == nil {
		return nil, fault.New(fault.Invalid, "cannot compare: %s %s is no JSON object", which, kind.Words())
	}
	return v, nil
}

type comparison struct {
	rules rules
	found []Difference
}

// object compares two objects; whole says whether what is not wanted is to go.
func (c *comparison) object(path string, want, have map[string]any, whole bool) {
	names := slices.Collect(maps.Keys(want))
	if whole {
		names = append(names, slices.Collect(maps.Keys(have))...)
	}
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		c.value(join(path, name), want[name], have[name], whole)
	}
}

func (c *comparison) value(path string, want, have any, whole bool) {
	if !whole && have == nil && c.rules.apply(path, want) == nil {
		return // what is stated is what AWS takes for granted
	}
	switch w := want.(type) {
	case map[string]any:
		if h, ok := have.(map[string]any); ok {
			c.object(path, w, h, whole)
			return
		}
	case keyed:
		if h, ok := have.(keyed); ok {
			c.keyed(path, w, h)
			return
		}
	case []any:
		if h, ok := have.([]any); ok && len(w) == len(h) {
			for i := range w {
				c.value(fmt.Sprintf("%s[%d]", path, i), w[i], h[i], true)
			}
			return
		}
	default:
		if same(want, have) {
			return
		}
	}
	if w, h := write(want), write(have); w != h {
		c.found = append(c.found, Difference{Path: path, Want: w, Have: h})
	}
}

// keyed is a list whose order says nothing: its elements by what tells them apart.
type keyed map[string]any

func (c *comparison) keyed(path string, want, have keyed) {
	keys := append(slices.Collect(maps.Keys(want)), slices.Collect(maps.Keys(have))...)
	slices.Sort(keys)
	for _, key := range slices.Compact(keys) {
		c.value(path+"["+key+"]", want[key], have[key], true)
	}
}

// same compares two scalars; numbers by what they are worth.
func same(a, b any) bool {
	x, isNumber := a.(json.Number)
	y, both := b.(json.Number)
	if !isNumber || !both {
		return a == nil && b == nil || isScalar(a) && isScalar(b) && a == b
	}
	if x == y {
		return true
	}
	m, errM := strconv.ParseFloat(string(x), 64)
	n, errN := strconv.ParseFloat(string(y), 64)
	return errM == nil && errN == nil && m == n
}

func isScalar(v any) bool {
	switch v.(type) {
	case string, bool, json.Number:
		return true
	}
	return false
}

// write returns a value as JSON, "" for none.
func write(v any) string {
	switch x := v.(type) {
	case nil:
		return ""
	case keyed:
		list := make([]any, 0, len(x))
		for _, key := range slices.Sorted(maps.Keys(x)) {
			list = append(list, x[key])
		}
		v = list
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(flatten(v)); err != nil {
		return fmt.Sprint(v)
	}
	return string(bytes.TrimRight(b.Bytes(), "\n"))
}

// flatten turns keyed lists inside a value into plain ones.
func flatten(v any) any {
	switch x := v.(type) {
	case map[string]any:
		plain := map[string]any{}
		for name, inner := range x {
			plain[name] = flatten(inner)
		}
		return plain
	case []any:
		plain := make([]any, len(x))
		for i, inner := range x {
			plain[i] = flatten(inner)
		}
		return plain
	case keyed:
		plain := make([]any, 0, len(x))
		for _, key := range slices.Sorted(maps.Keys(x)) {
			plain = append(plain, flatten(x[key]))
		}
		return plain
	}
	return v
}
