package ecs

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/ecs"

	"github.com/slipway-cd/slipway/fault"
)

// setMember returns a JSON object with one of its own members set to a value. Everything else stays byte for byte as it
// was: a document is sent as it was published but for what only the scheduler knows.
func setMember(document []byte, name string, value any) ([]byte, error) {
	text, err := json.Marshal(value)
	if err != nil {
		return nil, fault.New(fault.Internal, "cannot write member %q: %w", name, err)
	}
	start, end, err := findMember(document, name)
	if err != nil {
		return nil, fault.New(fault.Invalid, "cannot set member %q: %w", name, err)
	}
	if end > 0 {
		return join(document[:start], text, document[end:]), nil
	}
	key, err := json.Marshal(name)
	if err != nil {
		return nil, fault.New(fault.Internal, "cannot write member %q: %w", name, err)
	}
	open := bytes.IndexByte(document, '{') + 1
	added := join(key, []byte(":"), text)
	if rest := bytes.TrimLeft(document[open:], " \t\r\n"); rest[0] != '}' {
		added = append(added, ',')
	}
	return join(document[:open], added, document[open:]), nil
}

// findMember returns where the value of a member begins and ends; zeros when the object has no such member.
func findMember(document []byte, name string) (start, end int, err error) {
	d := json.NewDecoder(bytes.NewReader(document))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return 0, 0, fault.New(fault.Invalid, "the document is no JSON object")
	}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return 0, 0, err
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return 0, 0, err
		}
		if key == name {
			start, end = int(d.InputOffset())-len(value), int(d.InputOffset())
		}
	}
	if _, err := d.Token(); err != nil {
		return 0, 0, err
	}
	return start, end, nil
}

func join(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

// members returns the members of a JSON object as they stand.
func members(object []byte) (map[string]json.RawMessage, error) {
	m := map[string]json.RawMessage{}
	if len(object) == 0 {
		return m, nil
	}
	if err := json.Unmarshal(object, &m); err != nil {
		return nil, fault.New(fault.Unavailable, "cannot read an answer: %w", err)
	}
	for name, value := range m {
		if string(value) == "null" {
			delete(m, name)
		}
	}
	return m, nil
}

// updatable returns the names of what UpdateService can change, besides what names the service.
func updatable() []string {
	var names []string
	for f := range reflect.TypeFor[ecs.UpdateServiceInput]().Fields() {
		name := strings.ToLower(f.Name[:1]) + f.Name[1:]
		switch name {
		case "cluster", "service", "taskDefinition", "forceNewDeployment", "desiredCount", "deploymentController":
			continue
		}
		if f.IsExported() {
			names = append(names, name)
		}
	}
	return names
}

// sameJSON compares two values as JSON: order of members and spaces do not count.
func sameJSON(a, b json.RawMessage) bool {
	var x, y any
	if json.Unmarshal(a, &x) != nil || json.Unmarshal(b, &y) != nil {
		return bytes.Equal(a, b)
	}
	return reflect.DeepEqual(x, y)
}
