// Package docker runs containers on a Docker Engine, API 1.41 or later.
package docker

import (
	"context"
	"time"

	"github.com/moby/moby/client"

	"github.com/slipway-cd/slipway/engine/runtime"
	"github.com/slipway-cd/slipway/fault"
)

// Options say which Docker Engine is used, and for whom.
type Options struct {
	Host     string        // "unix:///var/run/docker.sock"; empty: DOCKER_HOST and its companions, or Docker's default
	Scope    string        // tells this engine's containers from those of other engines on the same Docker; may be empty
	Patience time.Duration // how long Docker may take for its first answer; 0: two seconds
}

// Runtime runs containers on a Docker Engine.
type Runtime struct {
	api     *client.Client
	scope   string
	version string
	arch    string // "amd64"; empty: unknown
}

// Open finds a Docker Engine, or returns a fault of the kind Unavailable.
func Open(ctx context.Context, options Options) (*Runtime, error) {
	opts := []client.Opt{client.FromEnv}
	if options.Host != "" {
		opts = append(opts, client.WithHost(options.Host))
	}
	api, err := client.New(opts...)
	if err != nil {
		return nil, fault.New(fault.Invalid, "cannot use the Docker Engine as DOCKER_HOST and its companions say: %w", err)
	}
	if options.Patience == 0 {
		options.Patience = 2 * time.Second
	}
	ping, cancel := context.WithTimeout(ctx, options.Patience)
	defer cancel()
	answer, err := api.Ping(ping, client.PingOptions{NegotiateAPIVersion: true})
	if err != nil {
		_ = api.Close()
		return nil, fault.New(fault.Unavailable, "no Docker Engine answers at %s: %w", api.DaemonHost(), err).
			WithHint("start Docker, point DOCKER_HOST at it, or use another runtime")
	}
	if answer.OSType != "linux" && answer.OSType != "" {
		_ = api.Close()
		return nil, fault.New(fault.Unavailable, "the Docker Engine at %s runs %s containers, not linux", api.DaemonHost(), answer.OSType)
	}
	r := &Runtime{api: api, scope: options.Scope, version: api.ClientVersion()}
	if v, err := api.ServerVersion(ping, client.ServerVersionOptions{}); err == nil {
		r.version, r.arch = v.Version+", API "+r.version, v.Arch
	}
	return r, nil
}

// Kind returns "docker".
func (r *Runtime) Kind() string { return "docker" }

// Describe names the Docker Engine and its version.
func (r *Runtime) Describe() string {
	return "containers on Docker Engine " + r.version + " at " + r.api.DaemonHost()
}

// Close closes the connections to Docker.
func (r *Runtime) Close() error { return r.api.Close() }

// container is what Docker calls a container of ours.
func (r *Runtime) container(name runtime.Name) string {
	if r.scope == "" {
		return "slipway-" + string(name)
	}
	return "slipway-" + r.scope + "-" + string(name)
}
