package awswire

import (
	"fmt"
	"math/big"
	"reflect"
	"strings"
	"sync"
	"time"

	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/document"
)

// The SDK's types do not tell their schema, but Serialize names it in the first thing it writes.

var schemas sync.Map // reflect.Type of a struct → *smithy.Schema

// schemaOf returns the schema of a struct type of the SDK; of a union's member type, the schema of that member.
func schemaOf(t reflect.Type) (*smithy.Schema, error) {
	if s, ok := schemas.Load(t); ok {
		return s.(*smithy.Schema), nil
	}
	v, ok := reflect.TypeAssert[smithy.Serializable](reflect.New(t))
	if !ok {
		return nil, fmt.Errorf("%s has no schema: its SDK module still has generated serializers", t)
	}
	var p probe
	v.Serialize(&p)
	if p.schema == nil { // an output without members
		p.schema = smithy.NewSchema(smithy.ShapeID{Name: t.Name()}, smithy.ShapeTypeStructure, 0)
	}
	schemas.Store(t, p.schema)
	return p.schema, nil
}

// memberOf returns the member of a schema that a Go field stands for: the SDK's names differ in case only.
func memberOf(s *smithy.Schema, field string) *smithy.Schema {
	if m := s.Member(strings.ToLower(field[:1]) + field[1:]); m != nil {
		return m
	}
	if m := s.Member(field); m != nil {
		return m
	}
	for name, m := range s.Members() {
		if strings.EqualFold(name, field) {
			return m
		}
	}
	return nil
}

// goName is the SDK's Go name of a member.
func goName(member string) string {
	if member == "" {
		return ""
	}
	return strings.ToUpper(member[:1]) + member[1:]
}

// probe is a serializer that remembers the first schema that it is given.
type probe struct{ schema *smithy.Schema }

func (p *probe) see(s *smithy.Schema) {
	if p.schema == nil {
		p.schema = s
	}
}

func (p *probe) WriteInt8(s *smithy.Schema, _ int8)               { p.see(s) }
func (p *probe) WriteInt16(s *smithy.Schema, _ int16)             { p.see(s) }
func (p *probe) WriteInt32(s *smithy.Schema, _ int32)             { p.see(s) }
func (p *probe) WriteInt64(s *smithy.Schema, _ int64)             { p.see(s) }
func (p *probe) WriteFloat32(s *smithy.Schema, _ float32)         { p.see(s) }
func (p *probe) WriteFloat64(s *smithy.Schema, _ float64)         { p.see(s) }
func (p *probe) WriteBool(s *smithy.Schema, _ bool)               { p.see(s) }
func (p *probe) WriteString(s *smithy.Schema, _ string)           { p.see(s) }
func (p *probe) WriteBigInt(s *smithy.Schema, _ *big.Int)         { p.see(s) }
func (p *probe) WriteBigFloat(s *smithy.Schema, _ *big.Float)     { p.see(s) }
func (p *probe) WriteBlob(s *smithy.Schema, _ []byte)             { p.see(s) }
func (p *probe) WriteTime(s *smithy.Schema, _ time.Time)          { p.see(s) }
func (p *probe) WriteUnion(s, _ *smithy.Schema)                   { p.see(s) }
func (p *probe) WriteDocument(s *smithy.Schema, _ document.Value) { p.see(s) }
func (p *probe) WriteNil(s *smithy.Schema)                        { p.see(s) }
func (p *probe) WriteStruct(s *smithy.Schema)                     { p.see(s) }
func (p *probe) WriteList(s *smithy.Schema)                       { p.see(s) }
func (p *probe) WriteMap(s *smithy.Schema)                        { p.see(s) }
func (p *probe) WriteKey(*smithy.Schema, string)                  {}
func (p *probe) Bytes() []byte                                    { return nil }
func (p *probe) CloseUnion()                                      {}
func (p *probe) CloseStruct()                                     {}
func (p *probe) CloseList()                                       {}
func (p *probe) CloseMap()                                        {}
