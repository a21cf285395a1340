package runtimetest

import (
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway/engine/runtime"
	"github.com/slipway-cd/slipway/fault"
)

// keeper describes a container that keeps a network. Its ports 8080, 8081, … are at the host addresses.
func (b *bench) keeper(hosts ...netip.AddrPort) runtime.Spec {
	spec := b.spec("")
	spec.Idle, spec.Image, spec.Definition.Command, spec.Network = true, "", nil, types.NetworkModeAwsvpc
	for i, host := range hosts {
		spec.Ports = append(spec.Ports, runtime.Port{Container: containerPort + i, Host: host, Protocol: types.TransportProtocolTcp})
	}
	return spec
}

// member describes a container in that network, which does what the command says.
func (b *bench) member(keeper runtime.Name, command ...string) runtime.Spec {
	spec := b.spec("", command...)
	spec.Network, spec.Join = types.NetworkModeAwsvpc, keeper
	return spec
}

// serving is a member that answers with its name.
func (b *bench) serving(keeper runtime.Name, name, at string) runtime.Name {
	spec := b.member(keeper, "trap", "0", "serve", at, "wait")
	spec.Env = []string{"NAME=" + name}
	started := b.start(spec)
	b.printed(started, "listening")
	return started
}

var shared = []rule{
	{"containers that share a network reach each other at localhost, and the host reaches each of them", func(b *bench) {
		if !b.Shares() {
			b.Fatal("the runtime says that containers cannot share a network")
		}
		hosts := b.addresses(2)
		keeper := b.start(b.keeper(hosts...))
		b.serving(keeper, "app", ":8080")
		b.serving(keeper, "sidecar", "localhost:8082")
		b.serving(keeper, "second", ":8081")
		b.prints(b.member(keeper, "get", "http://localhost:8080/", "get", "http://127.0.0.1:8082/"), "app", "sidecar")
		b.answers(hosts[0], "app")
		b.answers(hosts[1], "second")
	}},
	{"containers that don't share a network don't meet at localhost", func(b *bench) {
		b.serving(b.start(b.keeper()), "app", ":8080")
		other := b.start(b.keeper())
		if s := b.exited(b.start(b.member(other, "get", "http://localhost:8080/"))); s.ExitCode != 70 {
			b.Errorf("%+v", s)
		}
	}},
	{"a shared network outlives every container that joins it, and can be joined again", func(b *bench) {
		host := b.addresses(1)[0]
		keeper := b.start(b.keeper(host))
		first := b.serving(keeper, "first", ":8080")
		b.must(b.Stop(b.ctx, first, patience))
		b.must(b.Remove(b.ctx, first))
		second := b.serving(keeper, "second", ":8080")
		b.answers(host, "second")
		b.must(b.Stop(b.ctx, second, patience))
		b.must(b.Start(b.ctx, second)) // as its restart policy has it
		b.prints(b.member(keeper, "after", "100ms", "get", "http://localhost:8080/"), "second")
	}},
	{"an engine that is started again has containers join what the one before it has begun", func(b *bench) {
		keeper := b.start(b.keeper())
		b.serving(keeper, "before", ":8080")
		b.must(b.Close())
		b.Runtime = b.open()
		b.prints(b.member(keeper, "get", "http://localhost:8080/"), "before")
		all, err := b.List(b.ctx, map[string]string{"group": b.group})
		b.must(err)
		if !slices.ContainsFunc(all, func(s runtime.Status) bool { return s.Name == keeper && s.Phase == runtime.Running }) {
			b.Errorf("%+v", all)
		}
	}},
	{"containers that share a network have one host name and the same names of others", func(b *bench) {
		spec := b.keeper()
		spec.Hostname = "shared"
		spec.Definition.ExtraHosts = []types.HostEntry{{Hostname: new("neighbour"), IpAddress: new("127.0.0.1")}}
		keeper := b.start(spec)
		b.serving(keeper, "app", ":8080")
		b.prints(b.member(keeper, "hostname", "get", "http://neighbour:8080/"), "shared", "app")
	}},
	{"what is not running cannot be joined", func(b *bench) {
		keeper := b.keeper()
		b.must(b.Create(b.ctx, keeper))
		member := b.member(keeper.Name, "print", "never")
		b.must(b.Create(b.ctx, member))
		b.wantKind(b.Start(b.ctx, member.Name), fault.Conflict)
	}},
	{"what keeps a network stops, and its ports are free", func(b *bench) {
		host := b.addresses(1)[0]
		keeper := b.start(b.keeper(host))
		b.must(b.Stop(b.ctx, keeper, patience))
		if s := b.status(keeper); s.Phase != runtime.Exited {
			b.Errorf("%+v", s)
		}
		b.must(b.Remove(b.ctx, keeper))
		b.serving(b.start(b.keeper(host)), "next", ":8080")
		b.answers(host, "next")
	}},
	{"a host port that is taken keeps a shared network from being made", func(b *bench) {
		host := b.addresses(1)[0]
		b.start(b.keeper(host))
		second := b.keeper(host)
		b.must(b.Create(b.ctx, second))
		b.wantKind(b.Start(b.ctx, second.Name), fault.Conflict)
	}},
}

var sharedMetadata = []rule{
	{"containers that share a network reach the engine where they ask for metadata", func(b *bench) {
		url := b.suite.Answer(b.T, b.Runtime, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprint(w, "answer to "+r.URL.Path)
		}))
		spec := b.keeper()
		spec.Metadata = true
		member := b.member(b.start(spec), "get", url+"/v4/x", "exit", "0")
		member.Metadata = true
		b.exited(b.start(member))
		if got := strings.Join(b.lines(member.Name), "|"); got != "answer to /v4/x" {
			b.Errorf("%q", got)
		}
	}},
}

// unshared are the rules for runtimes whose containers have no networks of their own.
var unshared = []rule{
	{"that containers cannot share a network is said, and nothing is pretended", func(b *bench) {
		if b.Shares() {
			b.Error("the runtime says that containers can share a network")
		}
		b.wantKind(b.Create(b.ctx, b.keeper()), fault.Refused)
	}},
}
