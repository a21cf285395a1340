package awswire

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"sync"
	"time"

	"github.com/aws/smithy-go"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Marshal turns a Go value that holds values of the SDK's types into JSON that Unmarshal turns back into an equal value,
// unions and documents included, times to the nanosecond, nil told from empty. It is for storage, not for the wire.
//
// Types of the SDK with a schema (all of ECS, ECR and Logs but inputs) are written by their schema's names, everything
// else as encoding/json/v2 does, with zero members left out. A struct that embeds such a type without a json name is
// an error: the type's methods would stand for the whole. So is, when it is read, a union that is a member of one of
// the caller's own structs or of an input: Go cannot tell its type.
//
// Not kept: the location and the monotonic reading of a time; the metadata of an output; the Go types within a
// document, which come back as maps, lists, strings, booleans and json.Numbers; bytes in a string that are no UTF-8,
// which become U+FFFD as they do on the wire.
func Marshal(v any) ([]byte, error) { return json.Marshal(v, storeOptions) }

// Unmarshal reads what Marshal wrote into the value that v points to. Members that v's type does not have are ignored,
// so that an older program can read what a newer one wrote.
func Unmarshal(b []byte, v any) error { return json.Unmarshal(b, v, storeOptions) }

// schemaed are the SDK's types that can be written and read by their schema. Inputs can only be written.
type schemaed interface {
	smithy.Serializable
	smithy.Deserializable
}

var (
	storeWriter  = &jsonWriter{stored: true}
	storeOptions = json.JoinOptions(
		json.OmitZeroStructFields(true),
		json.FormatNilSliceAsNull(true),
		json.FormatNilMapAsNull(true),
		json.Deterministic(true),
		jsontext.AllowInvalidUTF8(true),
		json.WithMarshalers(json.JoinMarshalers(
			json.MarshalToFunc(marshalSchemaed), json.MarshalToFunc(marshalDuration),
		)),
		json.WithUnmarshalers(json.JoinUnmarshalers(
			json.UnmarshalFromFunc(unmarshalSchemaed), json.UnmarshalFromFunc(unmarshalDuration),
		)),
	)
)

func marshalSchemaed(enc *jsontext.Encoder, v schemaed) error {
	if own, err := hasOwnSchema(reflect.TypeOf(v).Elem()); err != nil {
		return err
	} else if !own {
		return errors.ErrUnsupported
	}
	b, err := storeWriter.write(enc.AvailableBuffer(), v)
	if err != nil {
		return err
	}
	return enc.WriteValue(b)
}

func unmarshalSchemaed(dec *jsontext.Decoder, v schemaed) error {
	if own, err := hasOwnSchema(reflect.TypeOf(v).Elem()); err != nil {
		return err
	} else if !own || dec.PeekKind() == jsontext.KindNull {
		return errors.ErrUnsupported
	}
	return v.Deserialize(&jsonReader{dec: dec, items: math.MaxInt})
}

// Durations have no form of their own in encoding/json/v2; here it is Go's, "1m30s".

func marshalDuration(enc *jsontext.Encoder, d time.Duration) error {
	return enc.WriteToken(jsontext.String(d.String()))
}

func unmarshalDuration(dec *jsontext.Decoder, d *time.Duration) error {
	token, err := dec.ReadToken()
	if err != nil {
		return err
	}
	*d, err = time.ParseDuration(token.String())
	return err
}

var ownSchemas sync.Map // reflect.Type → bool or error

// hasOwnSchema tells a type of the SDK from one that has its methods by embedding it.
func hasOwnSchema(t reflect.Type) (bool, error) {
	result, ok := ownSchemas.Load(t)
	if !ok {
		result = ownSchema(t)
		ownSchemas.Store(t, result)
	}
	if err, failed := result.(error); failed {
		return false, err
	}
	return result.(bool), nil
}

func ownSchema(t reflect.Type) any {
	if t.Kind() != reflect.Struct {
		return false
	}
	for f := range t.Fields() {
		if !f.Anonymous || !f.IsExported() {
			continue
		}
		promotes := f.Type.Implements(reflect.TypeFor[schemaed]()) ||
			reflect.PointerTo(f.Type).Implements(reflect.TypeFor[schemaed]())
		if !promotes {
			continue
		}
		if f.Tag.Get("json") == "" {
			return fmt.Errorf("%s embeds %s, whose methods stand for the whole: make it a field, or give it a json name", t, f.Type)
		}
		return false
	}
	return true
}
