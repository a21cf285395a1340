package awswire

import (
	"math/rand/v2"
	"reflect"
	"strings"
	"time"

	logstypes "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	ecsdocument "github.com/aws/aws-sdk-go-v2/service/ecs/document"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/aws/smithy-go/document"
	"github.com/google/go-cmp/cmp"
)

// unionMembers are one member each of the unions that random values may hold.
var unionMembers = []any{
	&ecstypes.DescribeGatewayConfigurationMemberHostSharedAlb{},
	&ecstypes.GatewayConfigurationMemberHostSharedAlb{},
	&ecstypes.GatewayConnectionResourcesMemberHostSharedAlb{},
	&ecstypes.GatewayElbAccessLogDestinationMemberS3{},
	&ecstypes.GatewayInfrastructureResourcesMemberHostSharedAlb{},
	&ecstypes.GatewayRouteResourcesMemberHostSharedAlb{},
	&ecstypes.ServiceConnectContainerConfigurationMemberLogLevel{},
	&ecstypes.SharingStrategyMemberNvidiaMps{},
	&ecstypes.UpdateGatewayConfigurationMemberHostSharedAlb{},
	&logstypes.IntegrationDetailsMemberOpenSearchIntegrationDetails{},
	&logstypes.ResourceConfigMemberOpenSearchResourceConfig{},
}

// filler fills values of the SDK's types at random: every member present or absent, lists nil, empty or of a few.
type filler struct {
	*rand.Rand
	dense      bool          // leave no pointer nil and no list empty
	resolution time.Duration // of times
	query      bool          // make no structure without members: AWS Query cannot say that it is there
}

// blank tells whether AWS Query has nothing to send of a structure.
func blank(v reflect.Value) bool {
	if v.Kind() != reflect.Struct {
		return v.IsZero() && v.Kind() != reflect.String && v.Kind() != reflect.Bool && !v.CanInt() && !v.CanFloat()
	}
	for _, field := range v.Fields() {
		if !field.IsZero() {
			return false
		}
	}
	return true
}

const maxFill = 8

func (f filler) value(v reflect.Value, depth int) {
	switch v.Kind() {
	case reflect.Pointer:
		if depth < maxFill && (f.dense || f.IntN(3) > 0) {
			v.Set(reflect.New(v.Type().Elem()))
			f.value(v.Elem(), depth+1)
			if f.query && blank(v.Elem()) {
				v.SetZero()
			}
		}
	case reflect.Struct:
		f.structure(v, depth)
	case reflect.Slice:
		f.slice(v, depth)
	case reflect.Map:
		if f.dense || f.IntN(3) > 0 {
			v.Set(reflect.MakeMap(v.Type()))
			for range f.count() {
				key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
				f.value(key, depth+1)
				f.value(value, depth+1)
				v.SetMapIndex(key, value)
			}
		}
	case reflect.Interface:
		f.union(v, depth)
	default:
		f.scalar(v)
	}
}

func (f filler) count() int {
	if f.dense {
		return 1 + f.IntN(2)
	}
	return f.IntN(3)
}

func (f filler) structure(v reflect.Value, depth int) {
	if v.Type() == timeType {
		v.Set(reflect.ValueOf(time.Unix(f.Int64N(4e9), f.Int64N(1e9)).Truncate(f.resolution).UTC()))
		return
	}
	for i := range v.NumField() {
		if name := v.Type().Field(i).Name; v.Field(i).CanSet() && name != "ResultMetadata" && name != "ErrorCodeOverride" {
			f.value(v.Field(i), depth+1)
		}
	}
}

func (f filler) slice(v reflect.Value, depth int) {
	if !f.dense && f.IntN(4) == 0 {
		return
	}
	n := f.count()
	if depth >= maxFill {
		n = 0
	}
	v.Set(reflect.MakeSlice(v.Type(), n, n))
	for i := range n {
		item := v.Index(i)
		if item.Kind() == reflect.Pointer {
			item.Set(reflect.New(item.Type().Elem()))
			item = item.Elem()
		}
		if item.Kind() == reflect.Interface {
			filler{f.Rand, true, f.resolution, f.query}.union(item, 0) // a union in a list cannot be absent
			continue
		}
		f.value(item, depth+1)
		if f.query && blank(item) {
			filler{f.Rand, true, f.resolution, true}.value(item, depth)
		}
	}
}

func (f filler) union(v reflect.Value, depth int) {
	if !f.dense && f.IntN(3) == 0 || depth >= maxFill {
		return
	}
	if v.Type().Implements(documentType) {
		v.Set(reflect.ValueOf(ecsdocument.NewLazyDocument(map[string]any{"n": 1.5, "l": []any{true, nil, "x"}})))
		return
	}
	for _, m := range unionMembers {
		if t := reflect.TypeOf(m); t.Implements(v.Type()) {
			p := reflect.New(t.Elem())
			f.value(p.Elem().FieldByName("Value"), depth+1)
			if e := p.Elem().FieldByName("Value"); e.Kind() == reflect.Slice && e.IsNil() {
				e.Set(reflect.MakeSlice(e.Type(), 0, 0))
			}
			v.Set(p)
			return
		}
	}
}

func (f filler) scalar(v reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		v.SetString(f.text())
	case reflect.Bool:
		v.SetBool(f.IntN(2) == 0)
	case reflect.Uint8:
		v.SetUint(f.Uint64N(256))
	case reflect.Int32, reflect.Int64:
		v.SetInt(int64(int32(f.Uint32())) * int64(f.IntN(2)))
	case reflect.Float32, reflect.Float64:
		v.SetFloat(float64(float32(f.NormFloat64() * 1e6)))
	}
}

func (f filler) text() string {
	const letters = `abcXYZ019 <>&"'\/+=%;é世😀` + "\t\n"
	runes := []rune(letters)
	var b strings.Builder
	b.WriteByte('a') // leading and trailing white space is not kept in XML
	for range f.IntN(8) {
		b.WriteRune(runes[f.IntN(len(runes))])
	}
	b.WriteByte('z')
	return b.String()
}

// sameSDK compares values of the SDK's types: without metadata, documents by their JSON.
var sameSDK = cmp.Options{
	cmp.FilterPath(func(p cmp.Path) bool {
		f, ok := p.Last().(cmp.StructField)
		return ok && (f.Name() == "ResultMetadata" || strings.ToLower(f.Name()[:1]) == f.Name()[:1])
	}, cmp.Ignore()),
	cmp.FilterPath(func(p cmp.Path) bool {
		t := p.Last().Type()
		return t != nil && t.Kind() == reflect.Interface && t.Implements(documentType)
	}, cmp.Transformer("document", func(d document.Marshaler) string {
		if d == nil {
			return ""
		}
		b, err := d.MarshalSmithyDocument()
		if err != nil {
			return err.Error()
		}
		return string(b)
	})),
}
