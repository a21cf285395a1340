package registry

import (
	"context"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/slipway-cd/slipway/fault"
)

// Platforms returns what an image is made for, as linux/amd64; of an index, every platform that it has an image for. None
// means that the image doesn't say. No layer is read.
func (c *Client) Platforms(ctx context.Context, reference string) ([]string, error) {
	ref, err := parse(reference)
	if err != nil {
		return nil, err
	}
	found, err := remote.Get(ref, c.options(ctx)...)
	if err != nil {
		return nil, explain(ctx, "look at", ref, err)
	}
	platforms, err := platformsOf(found)
	if err != nil {
		return nil, fault.New(fault.KindOf(explain(ctx, "look at", ref, err)), "cannot look at %s: %w", reference, err)
	}
	var names []string
	for _, p := range platforms {
		if p.OS != "" && p.OS != "unknown" && p.Architecture != "" { // what build tools attest is unknown/unknown
			names = append(names, p.OS+"/"+p.Architecture)
		}
	}
	return names, nil
}

func platformsOf(found *remote.Descriptor) ([]v1.Platform, error) {
	if !found.MediaType.IsIndex() {
		img, err := found.Image()
		if err != nil {
			return nil, err
		}
		config, err := img.ConfigFile()
		if err != nil {
			return nil, err
		}
		return []v1.Platform{{OS: config.OS, Architecture: config.Architecture}}, nil
	}
	index, err := found.ImageIndex()
	if err != nil {
		return nil, err
	}
	manifest, err := index.IndexManifest()
	if err != nil {
		return nil, err
	}
	var all []v1.Platform
	for _, m := range manifest.Manifests {
		if m.Platform != nil {
			all = append(all, *m.Platform)
		}
	}
	return all, nil
}
