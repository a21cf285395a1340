package app

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway/engine/runtime"
	"github.com/slipway-cd/slipway/engine/runtime/docker"
	"github.com/slipway-cd/slipway/engine/runtime/process"
)

// metadataPath is where containers on the host's own network ask for metadata: below the engine's own paths.
const metadataPath = "/_slipway/metadata"

// metadataAccess is how containers reach their metadata.
type metadataAccess struct {
	listener net.Listener // nil: none of its own
	own      string       // the URL for containers in networks of their own; empty: out of reach
	host     string       // the URL for those on the host's network
}

// openMetadata opens the way to the metadata, as far as there is one: on Docker by a network whose host is at the address,
// from processes by their supervisors. Without, containers get no variables that say where it is.
func (e *Engine) openMetadata(ctx context.Context, r runtime.Runtime) (metadataAccess, error) {
	a := metadataAccess{host: e.Endpoint() + metadataPath}
	switch r := r.(type) {
	case *docker.Runtime:
		return e.onDocker(ctx, r, a), nil
	case *process.Runtime:
		if r.Isolation() != process.Network {
			a.own = a.host
			return a, nil
		}
		l, err := r.ListenMetadata()
		if err != nil {
			return a, err
		}
		a.listener, a.own = l, "http://"+runtime.MetadataAddress.String()
	default:
		return metadataAccess{}, nil
	}
	return a, nil
}

// onDocker has the engine answer at the host's address in the network that containers are in for that. An engine that
// listens at all addresses listens there already.
func (e *Engine) onDocker(ctx context.Context, r *docker.Runtime, a metadataAccess) metadataAccess {
	endpoint := e.listener.Addr().(*net.TCPAddr).AddrPort()
	at := netip.AddrPortFrom(runtime.MetadataAddress, endpoint.Port()).String()
	err := r.MetadataNetwork(ctx)
	switch {
	case err == nil && endpoint.Addr().IsUnspecified():
		a.own = "http://" + at + metadataPath
	case err == nil:
		if a.listener, err = new(net.ListenConfig).Listen(ctx, "tcp", at); err == nil {
			a.own = "http://" + at
		}
	}
	if err != nil { // Docker is on another machine, or in a virtual one
		e.options.Logger.Warn("containers cannot reach the task metadata endpoint", "address", at, "error", err)
	}
	return a
}

// url is where containers of a network mode reach their metadata.
func (a metadataAccess) url(mode types.NetworkMode) string {
	if mode == types.NetworkModeHost {
		return a.host
	}
	return a.own
}

// withMetadata serves metadata on the endpoint, too, for containers that share the host's network.
func withMetadata(metadata, next http.Handler) http.Handler {
	inner := http.StripPrefix(metadataPath, metadata)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, metadataPath+"/") {
			inner.ServeHTTP(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}
