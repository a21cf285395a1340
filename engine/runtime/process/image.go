//go:build linux

package process

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	goruntime "runtime"
	"strings"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"

	"github.com/slipway-cd/slipway/engine/runtime"
	"github.com/slipway-cd/slipway/fault"
)

// stored is an unpacked image.
type stored struct {
	runtime.Image
	Config v1.Config
	root   string // where it is unpacked
}

// here is the platform that this program was built for, which is the one that programs can run on.
var here = v1.Platform{OS: "linux", Architecture: goruntime.GOARCH}

// Pull makes the image present. A tag is asked for at its registry each time, since it may have moved; a digest that is
// present is not.
func (r *Runtime) Pull(ctx context.Context, ref string) (runtime.Image, error) {
	parsed, err := name.ParseReference(ref)
	if err != nil {
		return runtime.Image{}, fault.New(fault.Invalid, "cannot pull image %q: %w", ref, err)
	}
	if _, ok := parsed.(name.Digest); ok {
		if s, err := r.unpacked(ref); err == nil {
			return s.Image, nil
		}
	}
	img, err := remote.Image(parsed, remote.WithContext(ctx), remote.WithPlatform(here), remote.WithAuthFromKeychain(authn.DefaultKeychain))
	if err != nil {
		return runtime.Image{}, fault.New(refusal(err), "cannot pull image %q: %w", ref, err)
	}
	s, err := r.store(ctx, ref, img)
	if err != nil {
		return runtime.Image{}, fault.New(refusal(err), "cannot pull image %q: %w", ref, err)
	}
	return s.Image, nil
}

// store unpacks an image, unless it is there, and remembers what the reference stands for.
func (r *Runtime) store(ctx context.Context, ref string, img v1.Image) (stored, error) {
	config, err := img.ConfigFile()
	if err != nil {
		return stored{}, err
	}
	if config.OS != "" && config.OS != here.OS || config.Architecture != "" && config.Architecture != here.Architecture {
		return stored{}, fault.New(fault.Invalid, "no matching manifest for %s: the image is for %s/%s", here, config.OS, config.Architecture)
	}
	digest, err := img.Digest()
	if err != nil {
		return stored{}, err
	}
	r.pulls.Lock()
	defer r.pulls.Unlock()
	dir := r.path("images", strings.Replace(digest.String(), ":", "-", 1))
	if _, err := os.Lstat(dir); err != nil {
		if err := r.unpackTo(ctx, dir, img, stored{
			Image:  runtime.Image{Digest: digest.String(), Architecture: config.Architecture, OS: config.OS},
			Config: config.Config,
		}); err != nil {
			return stored{}, err
		}
	}
	references, err := os.OpenRoot(r.path("references"))
	if err != nil {
		return stored{}, err
	}
	defer references.Close()
	if err := writeJSON(references, key(ref), filepath.Base(dir)); err != nil {
		return stored{}, err
	}
	return r.unpacked(ref)
}

// unpackTo unpacks beside the directory and renames when all is there.
func (r *Runtime) unpackTo(ctx context.Context, dir string, img v1.Image, s stored) error {
	tmp, err := os.MkdirTemp(r.path("tmp"), "image-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	files := filepath.Join(tmp, rootDir)
	if err := errors.Join(os.Chmod(tmp, 0o711), os.Mkdir(files, 0o755)); err != nil {
		return err
	}
	if err := unpack(ctx, img, files, r.bounds); err != nil {
		return err
	}
	top, err := os.OpenRoot(tmp)
	if err != nil {
		return err
	}
	defer top.Close()
	if err := writeJSON(top, "image.json", s); err != nil {
		return err
	}
	return os.Rename(tmp, dir)
}

// unpacked finds an image that was pulled: under this reference, or, for a reference that names a digest, under any.
func (r *Runtime) unpacked(ref string) (stored, error) {
	var dir string
	if _, digest, ok := strings.Cut(ref, "@sha256:"); ok && isHex(digest) {
		dir = "sha256-" + digest
	}
	if _, err := os.Lstat(r.path("images", dir, "image.json")); dir == "" || err != nil {
		if err := readJSON(r.path("references", key(ref)), &dir); err != nil {
			return stored{}, fault.New(fault.NotFound, "image %q was not pulled", ref)
		}
	}
	s := stored{root: r.path("images", dir, rootDir)}
	if err := readJSON(r.path("images", dir, "image.json"), &s); err != nil {
		return stored{}, fault.New(fault.NotFound, "image %q was not pulled: %w", ref, err)
	}
	return s, nil
}

func isHex(s string) bool {
	_, err := hex.DecodeString(s)
	return err == nil && s != ""
}

// key is a reference as a file name.
func key(ref string) string {
	sum := sha256.Sum256([]byte(ref))
	return hex.EncodeToString(sum[:])
}

// refusal tells why a registry did not give an image.
func refusal(err error) fault.Kind {
	if f, ok := errors.AsType[*fault.Error](err); ok {
		return f.Kind
	}
	if errors.Is(err, context.Canceled) {
		return fault.Interrupted
	}
	if t, ok := errors.AsType[*transport.Error](err); ok {
		switch {
		case t.StatusCode == http.StatusNotFound:
			return fault.NotFound
		case t.StatusCode == http.StatusUnauthorized, t.StatusCode == http.StatusForbidden:
			return fault.Denied
		case t.StatusCode == http.StatusTooManyRequests, t.StatusCode >= 500:
			return fault.Unavailable
		}
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return fault.Timeout
	}
	_, dial := errors.AsType[*net.OpError](err)
	if _, ask := errors.AsType[*url.Error](err); ask || dial {
		return fault.Unavailable
	}
	if strings.Contains(err.Error(), "no child with platform") { // [go-containerregistry remote/index.go]
		return fault.Invalid
	}
	return fault.Internal
}
