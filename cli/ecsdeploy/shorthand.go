package ecsdeploy

import (
	"encoding/json"
	"os"
	"strings"

	"github.com/slipway-cd/slipway/fault"
)

// networkConfiguration reads what the AWS CLI takes for --network-configuration: JSON, its shorthand, or file:// and a
// path to a file with JSON.
func networkConfiguration(value string) (json.RawMessage, error) {
	if path, ok := strings.CutPrefix(value, "file://"); ok {
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, fault.New(fault.Invalid, "--network-configuration: %w", err)
		}
		value = string(text)
	}
	value = strings.TrimSpace(value)
	if strings.HasPrefix(value, "{") {
		members, err := object([]byte(value))
		if err != nil {
			return nil, fault.New(fault.Invalid, "--network-configuration is no JSON: %w", err)
		}
		return written(members)
	}
	members, err := shorthand(value)
	if err != nil {
		return nil, fault.New(fault.Invalid, "--network-configuration: %w", err).
			WithHint("write it as awsvpcConfiguration={subnets=[subnet-1,subnet-2],securityGroups=[sg-1],assignPublicIp=DISABLED}, or as JSON")
	}
	return written(members)
}

// shorthand reads the AWS CLI's shorthand: name=value,… with {…} for objects, […] for lists, and quotes around what
// contains their characters. [AWS CLI: Using shorthand syntax]
func shorthand(text string) (map[string]any, error) {
	r := &shorthandReader{text: text}
	members, err := r.members(0)
	if err == nil && r.at < len(text) {
		err = r.unexpected("the end")
	}
	return members, err
}

type shorthandReader struct {
	text string
	at   int
}

// deepest is how deep values may stand in each other: no document of AWS goes so deep.
const deepest = 16

func (r *shorthandReader) members(depth int) (map[string]any, error) {
	members := map[string]any{}
	for {
		name := r.word()
		if name == "" || !r.take('=') {
			return nil, r.unexpected("name=value")
		}
		value, err := r.value(depth + 1)
		if err != nil {
			return nil, err
		}
		members[name] = value
		if !r.take(',') {
			return members, nil
		}
	}
}

func (r *shorthandReader) value(depth int) (any, error) {
	switch {
	case depth > deepest:
		return nil, r.unexpected("an end to so many { and [")
	case r.take('{'):
		members, err := r.members(depth)
		if err == nil && !r.take('}') {
			err = r.unexpected("}")
		}
		return members, err
	case r.take('['):
		return r.list(depth)
	case r.take('\''):
		return r.quoted('\'')
	case r.take('"'):
		return r.quoted('"')
	}
	return r.word(), nil
}

func (r *shorthandReader) list(depth int) (any, error) {
	list := []any{}
	if r.take(']') {
		return list, nil
	}
	for {
		value, err := r.value(depth + 1)
		if err != nil {
			return nil, err
		}
		list = append(list, value)
		if r.take(']') {
			return list, nil
		}
		if !r.take(',') {
			return nil, r.unexpected(", or ]")
		}
	}
}

func (r *shorthandReader) quoted(quote byte) (any, error) {
	var b strings.Builder
	for r.at < len(r.text) {
		c := r.text[r.at]
		r.at++
		switch {
		case c == quote:
			r.space()
			return b.String(), nil
		case c == '\\' && r.at < len(r.text):
			c = r.text[r.at]
			r.at++
		}
		b.WriteByte(c)
	}
	return nil, r.unexpected("a closing " + string(quote))
}

// word reads up to what has a meaning of its own.
func (r *shorthandReader) word() string {
	r.space()
	end := strings.IndexAny(r.text[r.at:], "=,{}[]")
	if end < 0 {
		end = len(r.text) - r.at
	}
	word := r.text[r.at : r.at+end]
	r.at += end
	return strings.TrimSpace(word)
}

func (r *shorthandReader) take(c byte) bool {
	r.space()
	if r.at < len(r.text) && r.text[r.at] == c {
		r.at++
		return true
	}
	return false
}

func (r *shorthandReader) space() {
	for r.at < len(r.text) && strings.IndexByte(" \t\r\n", r.text[r.at]) >= 0 {
		r.at++
	}
}

func (r *shorthandReader) unexpected(expected string) error {
	found := "the end"
	if r.at < len(r.text) {
		found = "`" + r.text[r.at:] + "`"
	}
	return fault.New(fault.Invalid, "expected %s at character %d, found %s", expected, r.at+1, found)
}
