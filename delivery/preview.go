package delivery

import (
	"context"

	"github.com/slipway-cd/slipway/artifact"
	"github.com/slipway-cd/slipway/config"
	"github.com/slipway-cd/slipway/descriptor"
	"github.com/slipway-cd/slipway/version"
)

// Preview returns what an environment should run of this working tree, as if its version were published now, and the documents
// that say so, which know where in the templates everything comes from. An image that is in no registry yet has no digest.
func (w *Workspace) Preview(ctx context.Context, env config.Environment) (Wish, []*descriptor.Document, error) {
	at := *w
	if at.Version.IsZero() {
		at.Version, _ = version.Parse("0.0.0.NONE")
	}
	digest, err := at.ImageDigest(ctx, env)
	if err != nil {
		digest = "" // the templates need it, or they don't: rendering says so
	}
	rendered, err := at.Render(ctx, []config.Environment{env}, digest)
	if err != nil {
		return Wish{}, nil, err
	}
	bundle, err := artifact.NewBundle(artifact.Manifest{
		Project: at.Project.Name, Version: at.Version, Image: artifact.ManifestImage{Digest: digest},
	}, files(rendered))
	if err != nil {
		return Wish{}, nil, err
	}
	wish, err := at.Wanted(ctx, bundle, env)
	return wish, rendered[0].Documents, err
}
