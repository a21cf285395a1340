//go:build linux

package process

import "github.com/slipway-cd/slipway/engine/runtime"

// Limits tells whether memory can be limited here.
func Limits() bool { return findLimiter() != nil }

// Shoot kills a container's supervisor.
func Shoot(r *Runtime, name runtime.Name) {
	if c, err := r.find(name); err == nil {
		c.shoot()
	}
}

// WithoutRoot has the runtime use a user namespace, as it does for users other than root.
func WithoutRoot(r *Runtime) { r.grant.User = true }
