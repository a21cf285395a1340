package engine

import (
	"log/slog"
	"net/netip"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway/engine/runtime"
	"github.com/slipway-cd/slipway/fault"
)

// Options say what an engine is made of. Dir, Runtime and Addresses are required.
type Options struct {
	Dir      string          // where the state and the output of containers are kept
	Runtime  runtime.Runtime // the engine closes it when it stops
	Identity Identity        // account 000000000000 in us-east-1 unless told otherwise

	// Speed divides the waits that AWS fixes, and those that documents name but a user's program doesn't feel; 1 is
	// AWS's own pace, and what 0 means.
	Speed float64

	Instances      int      // container instances of a new cluster: 4 unless told otherwise; negative: none
	Zones          []string // letters of the availability zones they are spread over: a, b
	InstanceCPU    int      // CPU units of an instance: 2048
	InstanceMemory int      // MiB of an instance: 3884

	// Addresses is the network that instances, load balancers and tasks with an address of their own get theirs from:
	// a /24 on the loopback network. Engines on one machine must not share it.
	Addresses netip.Prefix

	// Metadata returns the URL at which containers of a network mode reach what engine/metadata serves; empty when they
	// cannot. Nil: they cannot.
	Metadata func(types.NetworkMode) string

	// Object returns the content of an object of Amazon S3, of at most limit bytes; a fault of the kind NotFound for one
	// that isn't there. Nil: there are none.
	Object func(bucket, key string, limit int64) ([]byte, error)

	// Cleared is called when Clear has removed all containers, while the directory is still this engine's alone. Nil:
	// nothing more is to be done.
	Cleared func() error

	Hooks Hooks // what lifecycle hooks call

	CheckRoles bool // roles that are named must exist, and those of tasks must trust ECS

	Logger *slog.Logger // silent when nil
}

func (o Options) complete() (Options, error) {
	if o.Dir == "" {
		return o, fault.New(fault.Invalid, "the engine has no directory for its state")
	}
	if o.Runtime == nil {
		return o, fault.New(fault.Invalid, "the engine has no container runtime")
	}
	if !o.Addresses.IsValid() || !o.Addresses.Addr().Is4() || o.Addresses.Bits() > 24 {
		return o, fault.New(fault.Invalid, "cannot give out addresses of %q", o.Addresses).
			WithHint("name an IPv4 network of at least 256 addresses, such as 127.66.1.0/24")
	}
	if o.Speed < 0 {
		return o, fault.New(fault.Invalid, "the speed %v is negative", o.Speed)
	}
	o.Addresses = o.Addresses.Masked()
	orElse(&o.Speed, 1)
	orElse(&o.Identity.Account, "000000000000")
	orElse(&o.Identity.Region, "us-east-1")
	orElse(&o.Instances, 4)
	orElse(&o.InstanceCPU, 2048)
	orElse(&o.InstanceMemory, 3884) // what a t3.medium registers
	if len(o.Zones) == 0 {
		o.Zones = []string{"a", "b"}
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o, nil
}

func orElse[T comparable](value *T, otherwise T) {
	var zero T
	if *value == zero {
		*value = otherwise
	}
}
