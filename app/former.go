package app

import (
	"context"
	"net/netip"
	"strings"

	"github.com/slipway-cd/slipway/engine/images"
	"github.com/slipway-cd/slipway/engine/runtime"
	"github.com/slipway-cd/slipway/image"
)

// resident is a runtime whose engine has moved: task definitions name images by the addresses that its registry used to
// have, and those still mean its registry.
type resident struct {
	runtime.Runtime
	resolve func(ref string) string
}

// Pull makes the image present, from where it is now.
func (r resident) Pull(ctx context.Context, ref string) (runtime.Image, error) {
	return r.Runtime.Pull(ctx, r.resolve(ref))
}

// Create makes a container of the image, wherever it was pulled from.
func (r resident) Create(ctx context.Context, spec runtime.Spec) error {
	spec.Image = r.resolve(spec.Image)
	return r.Runtime.Create(ctx, spec)
}

// resolve returns the reference under which an image is found: that of this engine's registry for one that is named by an
// address which the engine had before, if it is there. Else somebody else's registry is meant, who has the address now.
func (e *Engine) resolve(text string) string {
	ref, err := image.Parse(text)
	if err != nil || !hadAddress(e.former, string(ref.Registry)) || !e.hasImage(ref) {
		return text
	}
	ref.Registry = image.Registry(e.Addr())
	return ref.String()
}

func (e *Engine) hasImage(ref image.Reference) bool {
	name, err := images.ParseName(string(ref.Repository))
	if err != nil {
		return false
	}
	in := images.Reference{Tag: images.Tag(ref.Tag), Digest: images.Digest(ref.Digest)}
	switch {
	case in.Digest != "":
		in.Tag = "" // the digest decides
	case in.Tag == "":
		in.Tag = "latest"
	}
	_, err = e.images.Image(name, in)
	return err == nil
}

// hadAddress reports whether a registry's name is one of the addresses. On this machine a port can be named by any
// loopback address.
func hadAddress(addresses []string, registry string) bool {
	for _, a := range addresses {
		if a == registry || (port(a) == port(registry) && onLoopback(a) && onLoopback(registry)) {
			return true
		}
	}
	return false
}

func port(address string) string { return address[strings.LastIndexByte(address, ':')+1:] }

// onLoopback reports whether host:port is on this machine.
func onLoopback(address string) bool {
	if host, _, ok := strings.Cut(address, ":"); ok && host == "localhost" {
		return true
	}
	at, err := netip.ParseAddrPort(address)
	return err == nil && at.Addr().IsLoopback()
}
