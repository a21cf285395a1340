// Package schematest holds what commands really write against the schemas in the manual.
package schematest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// Check reads JSON documents, one after the other, and returns what is wrong with the first that is not as the schema says,
// and how many there were. A member that the schema doesn't name is wrong here, though readers should expect some.
func Check(schema string, documents io.Reader) (count int, err error) {
	compiled, err := compile(schema)
	if err != nil {
		return 0, err
	}
	for d := json.NewDecoder(documents); ; count++ {
		var raw json.RawMessage
		if err := d.Decode(&raw); errors.Is(err, io.EOF) {
			return count, nil
		} else if err != nil {
			return count, err
		}
		value, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
		if err == nil {
			err = compiled.Validate(value)
		}
		if err != nil {
			return count, fmt.Errorf("%w\n%s", err, raw)
		}
	}
}

func compile(path string) (*jsonschema.Schema, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	schema, err := jsonschema.UnmarshalJSON(bytes.NewReader(content))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	seal(schema)
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	name := filepath.Base(path)
	if err := c.AddResource(name, schema); err != nil {
		return nil, err
	}
	return c.Compile(name)
}

// seal forbids all members that a schema doesn't name.
func seal(schema any) {
	switch s := schema.(type) {
	case map[string]any:
		if _, ok := s["properties"]; ok && s["type"] == "object" {
			s["additionalProperties"] = false
		}
		for _, part := range s {
			seal(part)
		}
	case []any:
		for _, part := range s {
			seal(part)
		}
	}
}
