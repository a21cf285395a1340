// Package registry pushes images to registries, pulls them, and resolves tags to digests.
package registry

import (
	"context"
	"net/http"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/slipway-cd/slipway/fault"
)

// Options are what a client needs to know. The zero value uses the credentials that `docker login` left behind.
type Options struct {
	Login     Login             // asked first, for each registry; nil to use the keychain alone
	Keychain  authn.Keychain    // asked when Login has nothing; nil means Docker's configuration and credential helpers
	Transport http.RoundTripper // carries the requests; nil means one of its own with system settings
	UserAgent string            // named to the registry; may be empty
}

// Client speaks to image registries: plain HTTP to those on a loopback address, HTTPS to all others. Its errors are of the
// kinds NotFound (no such image, tag or repository), Denied, Conflict (the tag is immutable and names another image),
// Unavailable (no answer, or one that asks to come again), Invalid, Timeout and Interrupted, and carry no secrets.
type Client struct {
	keychain  authn.Keychain
	transport http.RoundTripper
	userAgent string
}

// New returns a client.
func New(opts Options) *Client {
	if opts.Keychain == nil {
		opts.Keychain = authn.DefaultKeychain
	}
	if opts.Transport == nil {
		opts.Transport = remote.DefaultTransport
	}
	return &Client{
		keychain:  keychain{login: opts.Login, rest: opts.Keychain},
		transport: schemes{opts.Transport},
		userAgent: opts.UserAgent,
	}
}

// Push uploads an image, or an index with its images, to a reference (REGISTRY/REPOSITORY:TAG) and returns its digest
// ("sha256:…"). What the registry has already is not sent again. report, which may be nil, is called as bytes arrive,
// never twice at the same time.
func (c *Client) Push(ctx context.Context, reference string, image remote.Taggable, report func(Progress)) (string, error) {
	ref, err := parse(reference)
	if err != nil {
		return "", err
	}
	digest, err := digestOf(image)
	if err != nil {
		return "", fault.New(fault.Internal, "cannot push %s: %w", reference, err)
	}
	updates, reported := follow(report)
	err = remote.Push(ref, image, append(c.options(ctx), remote.WithProgress(updates))...)
	<-reported
	if err != nil {
		return "", explain(ctx, "push", ref, err)
	}
	return digest, nil
}

// Pull returns the image that a reference names; of an index, the one for the platform. Layers are read from the
// registry when they are asked for, with ctx.
func (c *Client) Pull(ctx context.Context, reference string, platform v1.Platform) (v1.Image, error) {
	ref, err := parse(reference)
	if err != nil {
		return nil, err
	}
	img, err := remote.Image(ref, append(c.options(ctx), remote.WithPlatform(platform))...)
	if err != nil {
		return nil, explain(ctx, "pull", ref, err)
	}
	return img, nil
}

// Resolve returns the digest ("sha256:…") that a reference names at this moment.
func (c *Client) Resolve(ctx context.Context, reference string) (string, error) {
	ref, err := parse(reference)
	if err != nil {
		return "", err
	}
	desc, err := remote.Head(ref, c.options(ctx)...)
	if err != nil {
		return "", explain(ctx, "resolve", ref, err)
	}
	return desc.Digest.String(), nil
}

// Exists tells whether a reference names an image. A registry that doesn't answer, or refuses, is an error, not a no.
func (c *Client) Exists(ctx context.Context, reference string) (bool, error) {
	_, err := c.Resolve(ctx, reference)
	if fault.KindOf(err) == fault.NotFound {
		return false, nil
	}
	return err == nil, err
}

func (c *Client) options(ctx context.Context) []remote.Option {
	return []remote.Option{
		remote.WithContext(ctx),
		remote.WithAuthFromKeychain(c.keychain),
		remote.WithTransport(c.transport),
		remote.WithUserAgent(c.userAgent),
	}
}

// parse reads a reference; a registry that is not named is Docker Hub, a tag that is not named is latest.
func parse(reference string) (name.Reference, error) {
	ref, err := name.ParseReference(reference)
	if err != nil {
		return nil, fault.New(fault.Invalid, "%q is no image reference: %w", reference, err).
			WithHint("write REGISTRY/REPOSITORY:TAG or REGISTRY/REPOSITORY@sha256:DIGEST")
	}
	return ref, nil
}

func digestOf(image remote.Taggable) (string, error) {
	if d, ok := image.(interface{ Digest() (v1.Hash, error) }); ok {
		hash, err := d.Digest()
		return hash.String(), err
	}
	manifest, err := image.RawManifest()
	if err != nil {
		return "", err
	}
	return sha256Of(manifest), nil
}
