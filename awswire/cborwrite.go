package awswire

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"strings"
	"time"

	"github.com/fxamacker/cbor/v2"

	"github.com/aws/smithy-go/document"
)

// The major types of CBOR. [RFC 8949, section 3.1]
const (
	cborUint = iota
	cborNegative
	cborBytes
	cborText
	_ // list
	_ // map
	cborTag
	cborSimple
)

const (
	cborEpoch   = 1  // the tag of epoch seconds
	cborFalse   = 20 // simple values
	cborTrue    = 21
	cborFloat32 = 26
	cborFloat64 = 27
)

// cborSyntax writes maps and lists without their length, ended by a break, as AWS does.
var cborSyntax = &syntax{
	openMap: "\xbf", closeMap: "\xff", openList: "\x9f", closeList: "\xff", null: "\xf6",
	text: appendCBORText, scalar: cborScalarPlan, blob: appendCBORBlob, document: appendCBORDocument,
}

// appendHead writes a major type and its argument in the fewest bytes.
func appendHead(b []byte, major byte, n uint64) []byte {
	major <<= 5
	switch {
	case n < 24:
		return append(b, major|byte(n))
	case n <= math.MaxUint8:
		return append(b, major|24, byte(n))
	case n <= math.MaxUint16:
		return binary.BigEndian.AppendUint16(append(b, major|25), uint16(n))
	case n <= math.MaxUint32:
		return binary.BigEndian.AppendUint32(append(b, major|26), uint32(n))
	}
	return binary.BigEndian.AppendUint64(append(b, major|27), n)
}

// appendCBORText writes a string; bytes that are no UTF-8 become U+FFFD.
func appendCBORText(b []byte, s string) []byte {
	s = strings.ToValidUTF8(s, "\ufffd")
	return append(appendHead(b, cborText, uint64(len(s))), s...)
}

func appendCBORBlob(b []byte, v reflect.Value) ([]byte, error) {
	return append(appendHead(b, cborBytes, uint64(v.Len())), v.Bytes()...), nil
}

// appendCBORTime writes a time as epoch seconds to the millisecond. [Smithy RPC v2 CBOR: timestamp]
func appendCBORTime(b []byte, v reflect.Value) ([]byte, error) {
	at, _ := reflect.TypeAssert[time.Time](v)
	return appendCBORFloat(appendHead(b, cborTag, cborEpoch), float64(at.UnixMilli())/1000, 64), nil
}

func appendCBORFloat(b []byte, f float64, bits int) []byte {
	if bits == 32 {
		return binary.BigEndian.AppendUint32(append(b, cborSimple<<5|cborFloat32), math.Float32bits(float32(f)))
	}
	return binary.BigEndian.AppendUint64(append(b, cborSimple<<5|cborFloat64), math.Float64bits(f))
}

func appendCBORInt(b []byte, n int64) []byte {
	if n < 0 {
		return appendHead(b, cborNegative, uint64(-(n + 1)))
	}
	return appendHead(b, cborUint, uint64(n))
}

func appendCBORBool(b []byte, yes bool) []byte {
	if yes {
		return append(b, cborSimple<<5|cborTrue)
	}
	return append(b, cborSimple<<5|cborFalse)
}

func cborScalarPlan(t reflect.Type) (appender, error) {
	switch t.Kind() {
	case reflect.String:
		return func(b []byte, v reflect.Value) ([]byte, error) { return appendCBORText(b, v.String()), nil }, nil
	case reflect.Bool:
		return func(b []byte, v reflect.Value) ([]byte, error) { return appendCBORBool(b, v.Bool()), nil }, nil
	case reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return func(b []byte, v reflect.Value) ([]byte, error) { return appendCBORInt(b, v.Int()), nil }, nil
	case reflect.Float32, reflect.Float64:
		bits := t.Bits()
		return func(b []byte, v reflect.Value) ([]byte, error) { return appendCBORFloat(b, v.Float(), bits), nil }, nil
	}
	return nil, fmt.Errorf("cannot write a value of type %s", t)
}

// appendCBORDocument writes any value that JSON can say.
func appendCBORDocument(b []byte, v reflect.Value) ([]byte, error) {
	d, _ := reflect.TypeAssert[document.Marshaler](v)
	text, err := d.MarshalSmithyDocument()
	if err != nil {
		return b, err
	}
	var tree any
	if err := json.Unmarshal(text, &tree); err != nil {
		return b, err
	}
	tail, err := cbor.Marshal(tree)
	return append(b, tail...), err
}
