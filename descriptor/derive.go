package descriptor

import (
	"bytes"
	"encoding/json"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/ecs/schemas"
	"github.com/tailscale/hujson"
)

// DeriveUpdate returns the service update that brings a service to its definition: the definition's members that
// UpdateService takes, as they stand, with the service named as UpdateService names it. Members that the SDK doesn't know
// stay: what AWS adds to one of the two it mostly adds to both.
//
// Without setCount it leaves desiredCount out, so that a service keeps the number of tasks that somebody, or autoscaling,
// has given it.
func DeriveUpdate(definition *Document, setCount bool) *Document {
	object, ok := definition.tree.Value.(*hujson.Object)
	if !ok {
		return nil
	}
	created, updated := schemas.CreateServiceRequest.Members(), schemas.UpdateServiceRequest.Members()
	var members []hujson.ObjectMember
	for _, m := range object.Members {
		name := literal(m.Name.Value)
		switch {
		case name == "serviceName":
			m.Name.Value = hujson.String("service")
		case name == "desiredCount" && !setCount:
			continue
		case created[name] != nil && updated[name] == nil:
			continue
		case slices.Contains(createOnly, name):
			continue
		}
		members = append(members, m)
	}
	tree := hujson.Value{Value: &hujson.Object{Members: members}}
	derived := *definition
	derived.Kind, derived.tree, derived.Body = ServiceUpdate, &tree, indented(tree)
	return &derived
}

// indented writes a value anew, without comments.
func indented(v hujson.Value) []byte {
	plain := v.Clone()
	plain.Minimize()
	var out bytes.Buffer
	if err := json.Indent(&out, plain.Pack(), "", "  "); err != nil {
		return append(plain.Pack(), '\n') // it has just been written as JSON
	}
	out.WriteByte('\n')
	return out.Bytes()
}

// createOnly are members that UpdateService takes and that would do something else there than set what the definition says:
// a change of the controller is a migration of its own. ("UpdateService" in the ECS API reference.)
var createOnly = []string{"deploymentController"}
