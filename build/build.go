// Package build makes container images from the source of Go programs, with no Docker, the same source giving the same
// digest.
package build

import (
	"context"
	"io"
	"maps"
	"os"
	"path/filepath"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/slipway-cd/slipway/fault"
)

// GoOptions say what to compile and what the image shall be like. Only Dir is required.
type GoOptions struct {
	Dir      string      // a directory of the module
	Package  string      // main package as the go command names it from Dir; "." when empty
	Platform v1.Platform // OS, architecture and variant; linux and this machine's architecture when empty
	Ldflags  string      // added to -s -w
	Tags     string      // build tags, separated by commas
	BuildEnv []string    // NAME=value, added to the compiler's environment
	Stderr   io.Writer   // gets the compiler's words as they come; may be nil

	Entrypoint     []string // the program's path in the image when empty
	Args           []string // default arguments (CMD)
	Env            []string // NAME=value, the container's environment
	ExposedPorts   []string // "8080/tcp"
	User           string   // 65532:65532, which is nobody, when empty
	WorkingDir     string   // / when empty
	CACertificates bool     // put this host's certificate authorities in; the digest then depends on the host

	Labels Labels
}

// nobody is the user and group that has no name and no rights in any common image ("nonroot" of distroless images).
const nobody = "65532:65532"

// Go compiles a program without cgo and returns an image of one layer FROM scratch: the program in /app under its
// package's name, and a /tmp that everybody may write to. Nothing in it depends on time, user or machine, so the same
// source, Go version and options give the same digest. Errors are of kind Invalid with the compiler's words when the
// source doesn't compile, NotFound when there is no go command.
func Go(ctx context.Context, opts GoOptions) (v1.Image, error) {
	opts = opts.withDefaults()
	scratch, err := os.MkdirTemp("", "slipway-build-")
	if err != nil {
		return nil, fault.New(fault.Internal, "cannot build %s: %w", opts.Package, err)
	}
	defer os.RemoveAll(scratch)
	name, err := programName(ctx, opts)
	if err != nil {
		return nil, err
	}
	binary := filepath.Join(scratch, name)
	if err := compile(ctx, opts, binary); err != nil {
		return nil, err
	}
	img, err := assemble(opts, binary)
	if err != nil {
		return nil, fault.New(fault.KindOf(err), "cannot make an image of %s: %w", opts.Package, err)
	}
	return img, nil
}

// GoIndex compiles a program for several platforms and returns an index with an image for each, in the order given.
func GoIndex(ctx context.Context, opts GoOptions, platforms ...v1.Platform) (v1.ImageIndex, error) {
	index := mutate.IndexMediaType(empty.Index, types.OCIImageIndex)
	for _, platform := range platforms {
		opts.Platform = platform
		img, err := Go(ctx, opts)
		if err != nil {
			return nil, err
		}
		index = mutate.AppendManifests(index, mutate.IndexAddendum{
			Add:        img,
			Descriptor: v1.Descriptor{Platform: &platform},
		})
	}
	return index, nil
}

// assemble makes the image around a compiled program.
func assemble(opts GoOptions, binary string) (v1.Image, error) {
	path := "/app/" + filepath.Base(binary)
	if len(opts.Entrypoint) == 0 {
		opts.Entrypoint = []string{path}
	}
	layer, err := layerOf(opts, binary, path)
	if err != nil {
		return nil, err
	}
	base := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	img, err := mutate.Append(base, mutate.Addendum{
		Layer: layer,
		// The time is that of the source when the caller knows it: never the clock's.
		History: v1.History{Created: v1.Time{Time: opts.Labels.created()}, CreatedBy: "slipway build " + opts.Package},
	})
	if err != nil {
		return nil, err
	}
	config, err := img.ConfigFile()
	if err != nil {
		return nil, err
	}
	return mutate.ConfigFile(img, opts.configure(config.DeepCopy()))
}

// configure fills in how a container of the image is run.
func (o GoOptions) configure(config *v1.ConfigFile) *v1.ConfigFile {
	config.OS, config.Architecture, config.Variant = o.Platform.OS, o.Platform.Architecture, o.Platform.Variant
	config.Created = v1.Time{Time: o.Labels.created()}
	config.Config = v1.Config{
		Entrypoint: o.Entrypoint,
		Cmd:        o.Args,
		Env:        append([]string{"PATH=/app"}, o.Env...),
		User:       o.User,
		WorkingDir: o.WorkingDir,
		Labels:     o.Labels.all(),
	}
	for _, port := range o.ExposedPorts {
		if config.Config.ExposedPorts == nil {
			config.Config.ExposedPorts = map[string]struct{}{}
		}
		config.Config.ExposedPorts[port] = struct{}{}
	}
	return config
}

// Labels describe an image; empty ones are left out. Their keys are those of the OCI image specification, "Annotations".
type Labels struct {
	Title    string
	Version  string
	Revision string    // the commit
	Source   string    // where the source is found
	Created  time.Time // of the source; a time of building would make every image another
	Extra    map[string]string
}

func (l Labels) all() map[string]string {
	labels := map[string]string{}
	maps.Copy(labels, l.Extra)
	for key, value := range map[string]string{
		"org.opencontainers.image.title":    l.Title,
		"org.opencontainers.image.version":  l.Version,
		"org.opencontainers.image.revision": l.Revision,
		"org.opencontainers.image.source":   l.Source,
	} {
		if value != "" {
			labels[key] = value
		}
	}
	if !l.Created.IsZero() {
		labels["org.opencontainers.image.created"] = l.created().Format(time.RFC3339)
	}
	return labels
}

// created returns the time of the source in UTC and whole seconds, or 1970 when it isn't known.
func (l Labels) created() time.Time {
	if l.Created.IsZero() {
		return time.Unix(0, 0).UTC()
	}
	return l.Created.UTC().Truncate(time.Second)
}
