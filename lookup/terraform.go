package lookup

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/slipway-cd/slipway/config"
	"github.com/slipway-cd/slipway/fault"
	"github.com/slipway-cd/slipway/suggest"
)

const s3Scheme = "s3://"

// state is what is read of a Terraform state in format version 4. ("statefile" in Terraform's source, version4.go.)
type state struct {
	Version   int
	Encrypted json.RawMessage `json:"encrypted_data"` // OpenTofu's
	Outputs   map[string]struct {
		Value     any
		Sensitive bool
	}
	Resources []struct {
		Module, Mode, Type, Name string
		Instances                []instance
	}
}

type instance struct {
	Index      any            `json:"index_key"` // none, a number (count) or a text (for_each)
	Attributes map[string]any `json:"attributes"`
	Sensitive  [][]struct {   // paths
		Type  string
		Value any
	} `json:"sensitive_attributes"`
}

func (l *Lookups) terraform(ctx context.Context, region string, what config.Lookup) (string, error) {
	name := what.Name.Text
	s, err := l.states.do(region+" "+name, func() (*state, error) { return l.state(ctx, region, name) })
	if err != nil {
		return "", err
	}
	if what.Resource.IsZero() {
		return s.output(name, what.Output.Text, what.Sensitive)
	}
	return s.attribute(name, what)
}

func (l *Lookups) state(ctx context.Context, region, name string) (*state, error) {
	var content []byte
	var err error
	if strings.HasPrefix(name, s3Scheme) {
		content, err = l.object(ctx, region, name)
	} else {
		content, err = l.read(name)
	}
	if err != nil {
		return nil, err
	}
	return readState(name, content)
}

func readState(name string, content []byte) (*state, error) {
	s := &state{}
	d := json.NewDecoder(bytes.NewReader(content))
	d.UseNumber()
	err := d.Decode(s)
	switch {
	case err != nil:
		return nil, fault.New(fault.Invalid, "%q is no Terraform state: %w", name, err)
	case s.Encrypted != nil:
		return nil, fault.New(fault.Invalid, "the Terraform state %q is encrypted", name)
	case s.Version != 4:
		return nil, fault.New(fault.Invalid, "the Terraform state %q has format version %d: only 4 can be read", name, s.Version)
	}
	return s, nil
}

func (s *state) output(file, path string, sensitive bool) (string, error) {
	name, rest, _ := strings.Cut(path, ".")
	o, ok := s.Outputs[name]
	if !ok {
		return "", missing(fmt.Sprintf("Terraform state %q has no output %q", file, name), name, slices.Collect(maps.Keys(s.Outputs)))
	}
	what := fmt.Sprintf("output %q of Terraform state %q", path, file)
	if o.Sensitive && !sensitive {
		return "", secret(what)
	}
	return pick(what, o.Value, rest)
}

func (s *state) attribute(file string, l config.Lookup) (string, error) {
	address, path := l.Resource.Text, l.Attribute.Text
	i, known := s.find(address)
	if i == nil {
		return "", missing(fmt.Sprintf("Terraform state %q has no resource %q", file, address), address, known)
	}
	what := fmt.Sprintf("%s of %s in Terraform state %q", path, address, file)
	name, rest, _ := strings.Cut(path, ".")
	value, ok := i.Attributes[name]
	if !ok {
		return "", missing(fmt.Sprintf("%s in Terraform state %q has no attribute %q", address, file, name), name,
			slices.Collect(maps.Keys(i.Attributes)))
	}
	if i.hides(name) && !l.Sensitive {
		return "", secret(what)
	}
	return pick(what, value, rest)
}

// find returns the resource at an address, or nil and the addresses there are.
func (s *state) find(address string) (found *instance, known []string) {
	for _, r := range s.Resources {
		base := r.Type + "." + r.Name
		if r.Mode == "data" {
			base = "data." + base
		}
		if r.Module != "" {
			base = r.Module + "." + base
		}
		for i := range r.Instances {
			have := base + r.Instances[i].suffix()
			if have == address {
				return &r.Instances[i], nil
			}
			known = append(known, have)
		}
	}
	return nil, known
}

func (i instance) suffix() string {
	switch key := i.Index.(type) {
	case json.Number:
		return "[" + key.String() + "]"
	case string:
		return "[" + strconv.Quote(key) + "]"
	}
	return ""
}

// hides reports whether an attribute, or a part of it, is sensitive.
func (i instance) hides(attribute string) bool {
	for _, path := range i.Sensitive {
		if len(path) > 0 && path[0].Value == attribute {
			return true
		}
	}
	return false
}

// pick follows a path of members and indexes, and returns the text, number or truth at its end.
func pick(what string, value any, path string) (string, error) {
	for path != "" {
		var step string
		step, path, _ = strings.Cut(path, ".")
		switch v := value.(type) {
		case map[string]any:
			inner, ok := v[step]
			if !ok {
				return "", missing(fmt.Sprintf("%s: there is no %q", what, step), step, slices.Collect(maps.Keys(v)))
			}
			value = inner
		case []any:
			n, err := strconv.Atoi(step)
			if err != nil || n < 0 || n >= len(v) {
				return "", fault.New(fault.NotFound, "%s: %q is not the number of one of %d elements", what, step, len(v))
			}
			value = v[n]
		default:
			return "", fault.New(fault.NotFound, "%s: there is nothing below %v", what, value)
		}
	}
	switch v := value.(type) {
	case string:
		return v, nil
	case json.Number:
		return v.String(), nil
	case bool:
		return strconv.FormatBool(v), nil
	case nil:
		return "", fault.New(fault.NotFound, "%s has no value", what)
	}
	return "", fault.New(fault.Invalid, "%s is no single value", what).WithHint("name a part of it, as in subnet_ids.0 or tags.Name")
}

func secret(what string) error {
	return fault.New(fault.Invalid, "%s is sensitive, and would be readable in the document", what).
		WithHint("name a secret's ARN in the container's secrets instead, or say sensitive: true if it is no secret")
}

func missing(sentence, name string, known []string) error {
	const listed = 20 // a state may have thousands of resources
	hint := suggest.Hint(name, known)
	if len(known) > 0 && len(known) <= listed {
		hint = suggest.HintOrList(name, known)
	}
	return fault.New(fault.NotFound, "%s", sentence).WithHint("%s", hint)
}
