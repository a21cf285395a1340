package descriptor

import (
	"bytes"
	"slices"

	"github.com/tailscale/hujson"

	"github.com/slipway-cd/slipway/fault"
)

// Registrable turns a task definition as AWS describes it into a request that registers the same again. described is an
// answer of DescribeTaskDefinition, {"taskDefinition": …, "tags": …}, or the task definition alone, as it came.
//
// Only what describing adds is left out: taskDefinitionArn, revision, status, requiresAttributes, compatibilities,
// registeredAt, registeredBy, deregisteredAt. Everything else stays as it stands, also what this program's SDK doesn't know
// yet. The tags, which an answer has beside the task definition, become a member of the request.
func Registrable(described []byte) ([]byte, error) {
	tree, err := hujson.Parse(bytes.Clone(described))
	if err != nil {
		return nil, fault.New(fault.Invalid, "the task definition is no JSON: %w", err)
	}
	outer, ok := tree.Value.(*hujson.Object)
	if !ok {
		return nil, fault.New(fault.Invalid, "the task definition is no JSON object")
	}
	object, tags := outer, (*hujson.ObjectMember)(nil)
	for i := range outer.Members {
		m := &outer.Members[i]
		inner, isObject := m.Value.Value.(*hujson.Object)
		switch name := literal(m.Name.Value); {
		case name == "taskDefinition" && isObject:
			object = inner
		case name == "tags":
			tags = m
		}
	}
	members := slices.DeleteFunc(slices.Clone(object.Members), func(m hujson.ObjectMember) bool {
		return slices.Contains(returned, literal(m.Name.Value))
	})
	if list, ok := tagList(tags); ok && object != outer && len(list) > 0 {
		members = slices.DeleteFunc(members, func(m hujson.ObjectMember) bool { return literal(m.Name.Value) == "tags" })
		members = append(members, *tags)
	}
	return indented(hujson.Value{Value: &hujson.Object{Members: members}}), nil
}

func tagList(m *hujson.ObjectMember) ([]hujson.ArrayElement, bool) {
	if m == nil {
		return nil, false
	}
	list, ok := m.Value.Value.(*hujson.Array)
	if !ok {
		return nil, false
	}
	return list.Elements, true
}
