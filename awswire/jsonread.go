package awswire

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/aws/smithy-go"
	"github.com/go-json-experiment/json/jsontext"
)

// jsonReader gives the SDK's Deserialize methods JSON to read. The SDK has such a reader of its own, out of reach in an
// internal package; this one also reports unknown members, says where an error is, and bounds what it allocates.
type jsonReader struct {
	dec     *jsontext.Decoder
	stack   []frame
	items   int               // list elements and map entries that may still come
	unknown func(path string) // may be nil
}

var _ smithy.ShapeDeserializer = (*jsonReader)(nil)

type frame struct {
	schema *smithy.Schema
	union  bool
	seen   bool // a union has had its member
}

func newJSONReader(body []byte, items int, unknown func(path string)) *jsonReader {
	return &jsonReader{dec: jsontext.NewDecoder(bytes.NewBuffer(body)), items: items, unknown: unknown}
}

// end fails unless the document ends here.
func (r *jsonReader) end() error {
	if _, err := r.dec.ReadToken(); !errors.Is(err, io.EOF) {
		return malformed("the body holds more than one JSON document")
	}
	return nil
}

// path returns where in the document the reader is, as "containerDefinitions.0.cpu".
func (r *jsonReader) path() string {
	return strings.ReplaceAll(strings.TrimPrefix(string(r.dec.StackPointer()), "/"), "/", ".")
}

// fail words an error; what is no JSON at all is worded by the decoder, with its offset.
func (r *jsonReader) fail(format string, args ...any) error {
	message := fmt.Sprintf(format, args...)
	if path := r.path(); path != "" {
		message = path + ": " + message
	}
	return malformed("%s", message)
}

func (r *jsonReader) syntax(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return malformed("the body ends in the middle of a JSON document")
	}
	return malformed("%s", strings.TrimPrefix(err.Error(), "jsontext: "))
}

// kindNames are the words of AWS's own parser for what it found.
var kindNames = map[jsontext.Kind]string{
	jsontext.KindString: "STRING_VALUE", jsontext.KindNumber: "NUMBER_VALUE", jsontext.KindNull: "NULL_VALUE",
	jsontext.KindTrue: "TRUE_VALUE", jsontext.KindFalse: "FALSE_VALUE",
	jsontext.KindBeginObject: "START_OBJECT", jsontext.KindBeginArray: "START_ARRAY",
}

// scalar reads one value of the given kind, without copying it.
func (r *jsonReader) scalar(want jsontext.Kind, name string) (jsontext.Value, error) {
	found := r.dec.PeekKind()
	if found != want {
		return nil, r.mismatch(found, name)
	}
	v, err := r.dec.ReadValue()
	if err != nil {
		return nil, r.syntax(err)
	}
	return v, nil
}

// mismatch reads over a value of the wrong kind, so that the path in the error is the value's.
func (r *jsonReader) mismatch(found jsontext.Kind, name string) error {
	if err := r.dec.SkipValue(); err != nil {
		return r.syntax(err)
	}
	return r.fail("%s cannot be converted to %s", kindNames[found], name)
}

// open enters an object or a list.
func (r *jsonReader) open(want jsontext.Kind, name string, f frame) error {
	if found := r.dec.PeekKind(); found != want {
		return r.mismatch(found, name)
	}
	if _, err := r.dec.ReadToken(); err != nil {
		return r.syntax(err)
	}
	if len(r.stack) == maxDepth {
		return r.fail("nested more than %d levels deep", maxDepth)
	}
	r.stack = append(r.stack, f)
	return nil
}

// closes leaves the innermost object or list if it ends here.
func (r *jsonReader) closes(end jsontext.Kind) (bool, error) {
	if r.dec.PeekKind() != end {
		return false, nil
	}
	if _, err := r.dec.ReadToken(); err != nil {
		return false, r.syntax(err)
	}
	r.stack = r.stack[:len(r.stack)-1]
	return true, nil
}

func (r *jsonReader) countItem() error {
	if r.items--; r.items < 0 {
		return r.fail("too many list elements and map entries in one request")
	}
	return nil
}

// member reads names until one that the schema knows comes with a value that is not null; nil when there is none left.
func (r *jsonReader) member(schema *smithy.Schema) (*smithy.Schema, error) {
	for {
		if done, err := r.closes(jsontext.KindEndObject); done || err != nil {
			return nil, err
		}
		name, err := r.dec.ReadValue()
		if err != nil {
			return nil, r.syntax(err)
		}
		m := schema.Members()[string(name[1:len(name)-1])] // no copy; names of members need no escapes
		if m != nil && r.dec.PeekKind() != jsontext.KindNull {
			return m, nil
		}
		if m == nil && r.unknown != nil {
			r.unknown(r.path())
		}
		if err := r.dec.SkipValue(); err != nil {
			return nil, r.syntax(err)
		}
	}
}

func (r *jsonReader) ReadStruct(s *smithy.Schema) error {
	return r.open(jsontext.KindBeginObject, "structure", frame{schema: s})
}

func (r *jsonReader) ReadStructMember() (*smithy.Schema, error) {
	return r.member(r.stack[len(r.stack)-1].schema)
}

// ReadUnion is called once to enter a union, and once more to leave it.
func (r *jsonReader) ReadUnion(s *smithy.Schema) (*smithy.Schema, error) {
	top := len(r.stack) - 1
	if top < 0 || !r.stack[top].union || r.stack[top].schema != s {
		if err := r.open(jsontext.KindBeginObject, "union", frame{schema: s, union: true}); err != nil {
			return nil, err
		}
		top++
	}
	seen := r.stack[top].seen
	m, err := r.member(s)
	if err != nil || m == nil && seen {
		return nil, err
	}
	if m == nil || seen {
		return nil, r.fail("needs exactly one of the members of %s", s.ID().Name)
	}
	r.stack[top].seen = true
	return m, nil
}

func (r *jsonReader) ReadList(*smithy.Schema) error {
	return r.open(jsontext.KindBeginArray, "list", frame{})
}

// ReadListItem says true with an error: its caller in the SDK looks at the error only then.
func (r *jsonReader) ReadListItem(*smithy.Schema) (bool, error) {
	if done, err := r.closes(jsontext.KindEndArray); err != nil || done {
		return !done, err
	}
	return true, r.countItem()
}

func (r *jsonReader) ReadMap(*smithy.Schema) error {
	return r.open(jsontext.KindBeginObject, "map", frame{})
}

func (r *jsonReader) ReadMapKey(*smithy.Schema) (string, bool, error) {
	if done, err := r.closes(jsontext.KindEndObject); err != nil || done {
		return "", !done, err
	}
	if err := r.countItem(); err != nil {
		return "", true, err
	}
	var key string
	err := r.ReadString(nil, &key)
	return key, true, err
}

func (r *jsonReader) ReadNil(*smithy.Schema) (bool, error) {
	if r.dec.PeekKind() != jsontext.KindNull {
		return false, nil
	}
	if _, err := r.dec.ReadToken(); err != nil {
		return false, r.syntax(err)
	}
	return true, nil
}
