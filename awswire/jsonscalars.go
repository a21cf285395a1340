package awswire

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"math"
	"math/big"
	"strconv"
	"time"

	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/document"
	"github.com/go-json-experiment/json/jsontext"
)

func (r *jsonReader) ReadString(_ *smithy.Schema, v *string) error {
	raw, err := r.scalar(jsontext.KindString, "String")
	if err != nil {
		return err
	}
	if bytes.IndexByte(raw, '\\') < 0 {
		*v = string(raw[1 : len(raw)-1])
		return nil
	}
	b, err := jsontext.AppendUnquote(nil, raw)
	*v = string(b)
	return err
}

func (r *jsonReader) ReadBool(_ *smithy.Schema, v *bool) error {
	found := r.dec.PeekKind()
	if found != jsontext.KindTrue && found != jsontext.KindFalse {
		return r.mismatch(found, "Boolean")
	}
	*v = found == jsontext.KindTrue
	if _, err := r.dec.ReadToken(); err != nil {
		return r.syntax(err)
	}
	return nil
}

func (r *jsonReader) ReadInt8(_ *smithy.Schema, v *int8) error { return readInt(r, v, 8, "Byte") }

func (r *jsonReader) ReadInt16(_ *smithy.Schema, v *int16) error { return readInt(r, v, 16, "Short") }

func (r *jsonReader) ReadInt32(_ *smithy.Schema, v *int32) error { return readInt(r, v, 32, "Integer") }

func (r *jsonReader) ReadInt64(_ *smithy.Schema, v *int64) error { return readInt(r, v, 64, "Long") }

func readInt[T int8 | int16 | int32 | int64](r *jsonReader, v *T, bits int, name string) error {
	raw, err := r.scalar(jsontext.KindNumber, name)
	if err != nil {
		return err
	}
	n, err := strconv.ParseInt(string(raw), 10, bits)
	if err != nil {
		return r.fail("%.40s is no %s", raw, name)
	}
	*v = T(n)
	return nil
}

func (r *jsonReader) ReadFloat32(_ *smithy.Schema, v *float32) error {
	n, err := r.float(32)
	*v = float32(n)
	return err
}

func (r *jsonReader) ReadFloat64(_ *smithy.Schema, v *float64) error {
	n, err := r.float(64)
	*v = n
	return err
}

// float reads a number, or one of the words that stand for what JSON cannot say.
func (r *jsonReader) float(bits int) (float64, error) {
	if r.dec.PeekKind() == jsontext.KindString {
		var word string
		if err := r.ReadString(nil, &word); err != nil {
			return 0, err
		}
		switch word {
		case "NaN", "Infinity", "-Infinity":
			return strconv.ParseFloat(word, bits)
		}
		return 0, r.fail("%.40q is no Double", word)
	}
	raw, err := r.scalar(jsontext.KindNumber, "Double")
	if err != nil {
		return 0, err
	}
	n, err := strconv.ParseFloat(string(raw), bits)
	if err != nil {
		return 0, r.fail("%.40s is no Double", raw)
	}
	return n, nil
}

// maxEpoch is the end of the year 9999, the last that RFC 3339 can write.
const maxEpoch = 253402300799

// ReadTime reads epoch seconds, to the millisecond, or RFC 3339: either is unambiguous wherever it stands.
func (r *jsonReader) ReadTime(_ *smithy.Schema, v *time.Time) error {
	if r.dec.PeekKind() == jsontext.KindString {
		var text string
		if err := r.ReadString(nil, &text); err != nil {
			return err
		}
		t, err := time.Parse(time.RFC3339Nano, text)
		if err != nil {
			return r.fail("%.40q is no timestamp", text)
		}
		*v = t
		return nil
	}
	seconds, err := r.float(64)
	if err != nil {
		return err
	}
	if math.Abs(seconds) > maxEpoch {
		return r.fail("%g is no timestamp", seconds)
	}
	*v = time.UnixMilli(int64(math.Round(seconds * 1000))).UTC()
	return nil
}

func (r *jsonReader) ReadBlob(_ *smithy.Schema, v *[]byte) error {
	var text string
	if err := r.ReadString(nil, &text); err != nil {
		return err
	}
	b, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return r.fail("no base64: %v", err)
	}
	*v = b
	return nil
}

func (r *jsonReader) ReadBigInt(_ *smithy.Schema, v *big.Int) error {
	raw, err := r.scalar(jsontext.KindNumber, "BigInteger")
	if err != nil {
		return err
	}
	if _, ok := v.SetString(string(raw), 10); !ok {
		return r.fail("%.40s is no BigInteger", raw)
	}
	return nil
}

func (r *jsonReader) ReadBigFloat(_ *smithy.Schema, v *big.Float) error {
	raw, err := r.scalar(jsontext.KindNumber, "BigDecimal")
	if err != nil {
		return err
	}
	if _, ok := v.SetString(string(raw)); !ok {
		return r.fail("%.40s is no BigDecimal", raw)
	}
	return nil
}

// ReadDocument reads any JSON, with numbers as they are written: the form in which the SDK holds a document.
func (r *jsonReader) ReadDocument(_ *smithy.Schema, v *document.Value) error {
	tree, err := r.tree()
	*v = document.Opaque{Value: tree}
	return err
}

func (r *jsonReader) tree() (any, error) {
	switch r.dec.PeekKind() {
	case jsontext.KindBeginObject:
		return r.object()
	case jsontext.KindBeginArray:
		return r.array()
	case jsontext.KindString:
		var text string
		err := r.ReadString(nil, &text)
		return text, err
	case jsontext.KindTrue, jsontext.KindFalse:
		var b bool
		err := r.ReadBool(nil, &b)
		return b, err
	case jsontext.KindNull:
		_, err := r.ReadNil(nil)
		return nil, err
	}
	raw, err := r.scalar(jsontext.KindNumber, "document")
	return json.Number(raw), err
}

func (r *jsonReader) object() (map[string]any, error) {
	tree := map[string]any{}
	return tree, smithy.ReadMap(r, nil, func(key string) (err error) {
		tree[key], err = r.tree()
		return err
	})
}

func (r *jsonReader) array() ([]any, error) {
	tree := []any{}
	return tree, smithy.ReadList(r, nil, func() error {
		item, err := r.tree()
		tree = append(tree, item)
		return err
	})
}
