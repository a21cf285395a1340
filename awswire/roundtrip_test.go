package awswire

import (
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"
)

// Whatever an SDK client sends arrives, and whatever an operation returns arrives at the client: for every operation of
// every service that has a client here. (Times are eighths of a second: the SDK loses a millisecond of others.) Nil and empty lists and maps are the same on the wire.
func TestEveryOperationCarriesWhatItIsGiven(t *testing.T) {
	t.Parallel()
	for _, m := range slices.Concat(jsonModules, rpcModules, queryModules) {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			var sent, out any
			var seen []string
			service := m.service(func(_ *operation, in any) (any, error) {
				sent = in
				return out, nil
			})
			client := m.client(Handler(Options{UnknownMember: func(op, path string) { seen = append(seen, op+" "+path) }}, service))
			names := service.Operations()
			rapid.Check(t, func(rt *rapid.T) {
				op := service.operations[rapid.SampledFrom(names).Draw(rt, "operation")]
				f := filler{rand.New(rand.NewPCG(rapid.Uint64().Draw(rt, "seed"), 0)), rapid.Bool().Draw(rt, "dense"), 125 * time.Millisecond, m.schema == nil}
				in, want := reflect.New(op.in), reflect.New(op.out)
				f.value(in.Elem(), 0)
				f.value(want.Elem(), 0)
				out = want.Interface()
				got, err := call(t, client, op.name, in.Interface())
				if err != nil {
					rt.Fatalf("%s: %v", op.name, err)
				}
				if d := cmp.Diff(in.Interface(), sent, sameSDK, cmpopts.EquateEmpty()); d != "" {
					rt.Errorf("%s: input -sent +arrived:\n%s", op.name, d)
				}
				if d := cmp.Diff(out, got, sameSDK, cmpopts.EquateEmpty()); d != "" {
					rt.Errorf("%s: output -returned +arrived:\n%s", op.name, d)
				}
			})
			if len(seen) > 0 {
				t.Errorf("members of the SDK's own requests are unknown: %v", seen)
			}
		})
	}
}
