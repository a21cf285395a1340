package bus

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"

	"github.com/slipway-cd/slipway/engine/state"
)

// Input returns what a target of a rule receives of an event: all of it unless it asks for a constant text, a part, or
// parts put into a template. [EventBridge User Guide, "Input transformation"]
func Input(r *state.EventRule, t types.Target, event []byte) ([]byte, error) {
	switch {
	case t.Input != nil:
		return []byte(*t.Input), nil
	case t.InputPath == nil && t.InputTransformer == nil:
		return event, nil
	}
	var tree any
	if err := json.Unmarshal(event, &tree); err != nil {
		return nil, err
	}
	if t.InputPath != nil {
		part, err := find(tree, *t.InputPath)
		if err != nil {
			return nil, err
		}
		return json.Marshal(part)
	}
	values := map[string]any{
		"aws.events.rule-arn": aws.ToString(r.Doc.Arn), "aws.events.rule-name": r.Name, "aws.events.event.json": tree,
		"aws.events.event": without(tree, "detail"), "aws.events.event.ingestion-time": time.Now().UTC().Format("2006-01-02T15:04:05Z"),
	}
	for name, path := range t.InputTransformer.InputPathsMap {
		value, err := find(tree, path)
		if err != nil {
			return nil, err
		}
		values[name] = value
	}
	return expand(*t.InputTransformer.InputTemplate, values), nil
}

func without(tree any, name string) any {
	rest := map[string]any{}
	object, _ := tree.(map[string]any)
	for k, v := range object {
		if k != name {
			rest[k] = v
		}
	}
	return rest
}

// CheckInput refuses a target whose input nobody could make.
func CheckInput(t types.Target) error {
	given := 0
	for _, there := range []bool{t.Input != nil, t.InputPath != nil, t.InputTransformer != nil} {
		if there {
			given++
		}
	}
	if given > 1 {
		return errors.New("only one of Input, InputPath and InputTransformer must be specified")
	}
	if t.Input != nil && !json.Valid([]byte(*t.Input)) {
		return errors.New("Input is no JSON")
	}
	paths := []string{}
	if t.InputPath != nil {
		paths = append(paths, *t.InputPath)
	}
	if t.InputTransformer != nil {
		for name, path := range t.InputTransformer.InputPathsMap {
			if strings.HasPrefix(strings.ToLower(name), "aws.") || strings.ContainsAny(name, "<>\"") {
				return fmt.Errorf("%q is no name for a part of an event", name)
			}
			paths = append(paths, path)
		}
	}
	for _, path := range paths {
		if _, err := steps(path); err != nil {
			return err
		}
	}
	return nil
}

// steps splits a path like $.detail.containers[0].name into names and indexes.
func steps(path string) ([]any, error) {
	rest, ok := strings.CutPrefix(path, "$")
	if !ok {
		return nil, fmt.Errorf("%q is no path: it begins with $", path)
	}
	var list []any
	for rest != "" {
		var step any
		switch {
		case strings.HasPrefix(rest, "['"):
			name, after, ok := strings.Cut(rest[2:], "']")
			if !ok {
				return nil, fmt.Errorf("%q is no path: a bracket is not closed", path)
			}
			step, rest = name, after
		case rest[0] == '[':
			number, after, _ := strings.Cut(rest[1:], "]")
			n, err := strconv.Atoi(number)
			if err != nil || n < 0 {
				return nil, fmt.Errorf("%q is no path: [%s] is no index", path, number)
			}
			step, rest = n, after
		case rest[0] == '.':
			end := strings.IndexAny(rest[1:], ".[")
			if end < 0 {
				end = len(rest) - 1
			}
			step, rest = rest[1:end+1], rest[end+1:]
			if step == "" || strings.ContainsAny(step.(string), "*?@()") {
				return nil, fmt.Errorf("%q is no path that is served: names and indexes only", path)
			}
		default:
			return nil, fmt.Errorf("%q is no path: a dot or a bracket is expected at %q", path, rest)
		}
		list = append(list, step)
	}
	return list, nil
}

// find returns the part of an event at a path; nothing when it has none.
func find(tree any, path string) (any, error) {
	list, err := steps(path)
	if err != nil {
		return nil, err
	}
	for _, step := range list {
		switch s := step.(type) {
		case string:
			object, _ := tree.(map[string]any)
			tree = object[s]
		case int:
			elements, _ := tree.([]any)
			if s >= len(elements) {
				return nil, nil
			}
			tree = elements[s]
		}
	}
	return tree, nil
}

// expand puts values in the place of their names: <name>. Within quotes a text stands for itself, elsewhere for its JSON.
func expand(template string, values map[string]any) []byte {
	var out []byte
	quoted := false
	for i := 0; i < len(template); i++ {
		c := template[i]
		if c == '<' {
			if name, _, ok := strings.Cut(template[i+1:], ">"); ok {
				if value, known := values[name]; known {
					out = append(out, written(value, quoted)...)
					i += len(name) + 1
					continue
				}
			}
		}
		if c == '"' && !escaped(out) {
			quoted = !quoted
		}
		out = append(out, c)
	}
	return out
}

// escaped reports whether an odd number of backslashes stands at the end.
func escaped(text []byte) bool {
	n := 0
	for n < len(text) && text[len(text)-1-n] == '\\' {
		n++
	}
	return n%2 == 1
}

func written(value any, quoted bool) []byte {
	text, err := json.Marshal(value)
	if err != nil || quoted && value == nil {
		return nil
	}
	if !quoted {
		return text
	}
	if _, ok := value.(string); !ok {
		text, _ = json.Marshal(string(text))
	}
	return slices.Clone(text[1 : len(text)-1])
}
