package awswire

import (
	"encoding/base64"
	"fmt"
	"maps"
	"math"
	"math/big"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/fxamacker/cbor/v2"
)

// A request in CBOR is read by first making it JSON: RPC v2 CBOR carries what AWS JSON carries, member for member, with
// blobs as bytes and times as tagged numbers. So both are held to the same bounds and refused in the same words.

// cborModes are the decoders by how many elements a list or map may have: there is one for each Options.MaxItems.
var cborModes sync.Map

func cborMode(items int) (cbor.DecMode, error) {
	if mode, ok := cborModes.Load(items); ok {
		return mode.(cbor.DecMode), nil
	}
	bound := min(max(items, 16), math.MaxInt32) // the library takes no smaller one
	mode, err := cbor.DecOptions{
		DupMapKey: cbor.DupMapKeyEnforcedAPF, MaxNestedLevels: maxDepth, MaxArrayElements: bound, MaxMapPairs: bound,
		DefaultMapType: reflect.TypeFor[map[string]any](), BignumTag: cbor.BignumTagForbidden,
	}.DecMode()
	if err != nil {
		return nil, err
	}
	cborModes.Store(items, mode)
	return mode, nil
}

// jsonOfCBOR returns the JSON that says what a CBOR document says; an empty one for no document.
func jsonOfCBOR(body []byte, items int) ([]byte, error) {
	if len(body) == 0 {
		return nil, nil
	}
	mode, err := cborMode(items)
	if err != nil {
		return nil, err
	}
	var tree any
	if err := mode.Unmarshal(body, &tree); err != nil {
		return nil, malformed("%s", strings.TrimPrefix(err.Error(), "cbor: "))
	}
	return appendTree(nil, tree)
}

func appendTree(b []byte, tree any) ([]byte, error) {
	switch v := tree.(type) {
	case nil:
		return append(b, "null"...), nil
	case bool:
		return fmt.Appendf(b, "%t", v), nil
	case string:
		return appendString(b, v), nil
	case []byte:
		return append(base64.StdEncoding.AppendEncode(append(b, '"'), v), '"'), nil
	case float64:
		return appendFloat(b, v, 64), nil
	case float32:
		return appendFloat(b, float64(v), 32), nil
	case int64, uint64, big.Int, *big.Int:
		return appendWhole(b, v), nil
	case time.Time:
		return appendFloat(b, float64(v.Round(time.Millisecond).UnixMilli())/1000, 64), nil
	case []any:
		return appendTrees(b, v)
	case map[string]any:
		return appendTreeMap(b, v)
	}
	return b, malformed("a CBOR value of type %T has no place in a request", tree)
}

func appendWhole(b []byte, v any) []byte {
	if n, ok := v.(big.Int); ok {
		return n.Append(b, 10)
	}
	return fmt.Append(b, v)
}

func appendTrees(b []byte, list []any) (_ []byte, err error) {
	b = append(b, '[')
	for i, item := range list {
		if i > 0 {
			b = append(b, ',')
		}
		if b, err = appendTree(b, item); err != nil {
			return b, err
		}
	}
	return append(b, ']'), nil
}

func appendTreeMap(b []byte, tree map[string]any) (_ []byte, err error) {
	b = append(b, '{')
	for i, name := range slices.Sorted(maps.Keys(tree)) {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(appendString(b, name), ':')
		if b, err = appendTree(b, tree[name]); err != nil {
			return b, err
		}
	}
	return append(b, '}'), nil
}
