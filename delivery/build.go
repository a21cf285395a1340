package delivery

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/slipway-cd/slipway/build"
	"github.com/slipway-cd/slipway/config"
	"github.com/slipway-cd/slipway/fault"
	"github.com/slipway-cd/slipway/image"
	"github.com/slipway-cd/slipway/registry"
)

// Pushed is an image in a registry.
type Pushed struct {
	Reference image.Reference
	Digest    image.Digest
}

// BuildImage builds the version's image, with what the values of the environment say. The image names the revision (a
// commit). The compiler's words go to talk.
func (w *Workspace) BuildImage(ctx context.Context, env config.Environment, revision string, talk io.Writer) (v1.Image, error) {
	how := w.Project.Image.Build
	if how == nil {
		return nil, fault.New(fault.Invalid, "%s does not say how to build the image", w.Project.File).
			WithHint("add image.build with {go: ./cmd/NAME}")
	}
	if how.Go.IsZero() {
		return nil, fault.Problems{{
			Position: how.Dockerfile.Position, Message: "images are built from Go programs only by this version",
			Hint: "set image.build.go, or push the image yourself and use `slipway publish` and `slipway install`",
		}}
	}
	values := w.Values(env, w.Version, "")
	flags, err := w.expandText(ctx, env, how.LDFlags, values)
	if err != nil {
		return nil, err
	}
	environ, err := w.expandAll(ctx, env, how.Env, values)
	if err != nil {
		return nil, err
	}
	return build.Go(ctx, build.GoOptions{
		Dir: w.Dir, Package: how.Go.String(), Ldflags: flags, Env: environ, Stderr: talk,
		Labels: build.Labels{Title: string(w.Project.Name), Version: w.Version.String(), Revision: revision},
	})
}

func (w *Workspace) expandAll(ctx context.Context, env config.Environment, texts map[string]config.Text, values config.Values) ([]string, error) {
	var list []string
	for _, name := range slices.Sorted(maps.Keys(texts)) {
		value, err := w.expandText(ctx, env, texts[name], values)
		if err != nil {
			return nil, err
		}
		list = append(list, fmt.Sprintf("%s=%s", name, value))
	}
	return list, nil
}

// PushImage pushes the version's image under its name.
func (w *Workspace) PushImage(ctx context.Context, env config.Environment, img v1.Image, report func(registry.Progress)) (Pushed, error) {
	ref, err := w.ImageName(ctx, env)
	if err != nil {
		return Pushed{}, err
	}
	digest, err := registry.New(registry.Options{UserAgent: "slipway"}).Push(ctx, ref.String(), img, report)
	if err != nil {
		return Pushed{}, err
	}
	return Pushed{Reference: ref, Digest: image.Digest(digest)}, nil
}
