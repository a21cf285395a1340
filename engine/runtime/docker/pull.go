package docker

import (
	"context"
	"strings"

	"github.com/distribution/reference"
	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/moby/moby/api/pkg/authconfig"
	"github.com/moby/moby/api/types/registry"
	"github.com/moby/moby/client"

	"github.com/slipway-cd/slipway/engine/runtime"
	"github.com/slipway-cd/slipway/fault"
)

// Pull makes the image present. A tag is asked for at its registry each time, since it may have moved; a digest that is
// present is not.
func (r *Runtime) Pull(ctx context.Context, ref string) (runtime.Image, error) {
	named, err := reference.ParseNormalizedNamed(ref)
	if err != nil {
		return runtime.Image{}, fault.New(fault.Invalid, "cannot pull image %q: %w", ref, err)
	}
	if digested, ok := named.(reference.Digested); ok {
		if img, err := r.image(ctx, ref, digested.Digest().String()); err == nil {
			return img, nil
		}
	}
	digest, err := r.pull(ctx, ref)
	if err != nil {
		return runtime.Image{}, failed(err, "cannot pull image %q", ref)
	}
	return r.image(ctx, ref, digest)
}

// pull returns the digest that Docker reports at the end of the pull.
func (r *Runtime) pull(ctx context.Context, ref string) (string, error) {
	stream, err := r.api.ImagePull(ctx, ref, client.ImagePullOptions{RegistryAuth: credentials(ctx, ref)})
	if err != nil {
		return "", err
	}
	defer stream.Close()
	var digest string
	for message, err := range stream.JSONMessages(ctx) {
		if err != nil {
			return "", err
		}
		if message.Error != nil {
			return "", message.Error
		}
		if d, ok := strings.CutPrefix(message.Status, "Digest: "); ok {
			digest = d
		}
	}
	return digest, ctx.Err()
}

func (r *Runtime) image(ctx context.Context, ref, digest string) (runtime.Image, error) {
	img, err := r.api.ImageInspect(ctx, ref)
	if err != nil {
		return runtime.Image{}, failed(err, "cannot inspect image %q", ref)
	}
	return runtime.Image{Digest: digest, Architecture: img.Architecture, OS: img.Os}, nil
}

// credentials are those of the user's Docker configuration for the image's registry; none when there are none.
func credentials(ctx context.Context, ref string) string {
	r, err := name.ParseReference(ref)
	if err != nil {
		return ""
	}
	auth, err := authn.Resolve(ctx, authn.DefaultKeychain, r.Context())
	if err != nil || auth == authn.Anonymous {
		return ""
	}
	config, err := authn.Authorization(ctx, auth)
	if err != nil {
		return ""
	}
	encoded, err := authconfig.Encode(registry.AuthConfig{
		Username: config.Username, Password: config.Password, Auth: config.Auth,
		IdentityToken: config.IdentityToken, RegistryToken: config.RegistryToken,
		ServerAddress: r.Context().RegistryStr(),
	})
	if err != nil {
		return ""
	}
	return encoded
}
