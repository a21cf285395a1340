package awswire

import (
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancing/types"
	elbv2types "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// stored is a piece of state as a server keeps it: the SDK's types among its own.
type stored struct {
	ID            int64
	At            time.Time
	Delay         time.Duration
	Service       ecstypes.Service
	Definition    *ecstypes.TaskDefinition
	Revisions     []ecstypes.ServiceRevision
	Tasks         map[string]*ecstypes.Task
	Input         *ecs.RegisterTaskDefinitionInput
	Balancer      elbv2types.LoadBalancer
	Rules         []elbv2types.Rule
	Groups        map[string]elbv2types.TargetGroup
	Classic       *elbtypes.LoadBalancerDescription
	Blob          []byte
	Empty, Absent []string
}

// Identity, nil and empty told apart, times to the nanosecond.
func TestStoredValuesComeBackEqual(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		f := filler{rand.New(rand.NewPCG(rapid.Uint64().Draw(rt, "seed"), 1)), rapid.Bool().Draw(rt, "dense"), time.Nanosecond, false}
		var want, got stored
		f.value(reflect.ValueOf(&want).Elem(), 0)
		b, err := Marshal(&want)
		if err != nil {
			rt.Fatal(err)
		}
		if err := Unmarshal(b, &got); err != nil {
			rt.Fatalf("%v in %s", err, b)
		}
		if d := cmp.Diff(want, got, sameSDK); d != "" {
			rt.Fatalf("-want +got:\n%s\n%s", d, b)
		}
	})
}
