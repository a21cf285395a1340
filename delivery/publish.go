package delivery

import (
	"context"
	"time"

	"github.com/slipway-cd/slipway/artifact"
	"github.com/slipway-cd/slipway/config"
	"github.com/slipway-cd/slipway/fault"
	"github.com/slipway-cd/slipway/image"
	"github.com/slipway-cd/slipway/registry"
)

// Publication is what publishing a version came to.
type Publication struct {
	artifact.Receipt
	Origin string          // what this publication is made from; Manifest.Origin is of the first one
	Names  []artifact.Name // everything that the version consists of, the manifest last
}

// Publish renders the version for every environment and puts it into the store. The digest is that of the version's
// image; empty when nobody knows it.
func (w *Workspace) Publish(ctx context.Context, store artifact.Store, digest image.Digest) (Publication, error) {
	bundle, err := w.bundle(ctx, store, digest)
	if err != nil {
		return Publication{}, err
	}
	receipt, err := artifact.Publish(ctx, store, bundle)
	if err != nil {
		return Publication{}, err
	}
	return Publication{Receipt: receipt, Origin: bundle.Manifest.Origin(), Names: bundle.Names()}, nil
}

// Publishable says whether Publish would refuse the version for its content, before anything is pushed under the name of
// an image that runs somewhere: a fault.Conflict when it is published already with other descriptors or another image.
func (w *Workspace) Publishable(ctx context.Context, store artifact.Store, digest image.Digest) error {
	bundle, err := w.bundle(ctx, store, digest)
	if err != nil {
		return err
	}
	return artifact.Check(ctx, store, bundle.Manifest)
}

// Revision returns the commit that the version's image is to name: the one that the version was first published from, so
// that the same sources make the same image from whatever commit they are built again, else the one that is checked out.
func (w *Workspace) Revision(ctx context.Context, store artifact.Store) (string, error) {
	first, err := artifact.FetchManifest(ctx, store, w.Project.Name, w.Version)
	switch {
	case fault.KindOf(err) == fault.NotFound:
		return w.State.Commit, nil
	case err != nil:
		return "", err
	}
	return first.Commit, nil
}

// bundle is the version as it would be published.
func (w *Workspace) bundle(ctx context.Context, store artifact.Store, digest image.Digest) (artifact.Bundle, error) {
	if w.Version.IsZero() {
		return artifact.Bundle{}, fault.New(fault.Invalid, "there is no version to publish: %s", w.Match.Reason)
	}
	environments := w.Project.AllEnvironments()
	rendered, err := w.Render(ctx, environments, digest)
	if err != nil {
		return artifact.Bundle{}, err
	}
	ref, err := w.ImageName(ctx, environments[0])
	if err != nil {
		return artifact.Bundle{}, err
	}
	bundle, err := artifact.NewBundle(artifact.Manifest{
		Project: w.Project.Name, Version: w.Version, Branch: w.State.Branch, Commit: w.State.Commit, Dirty: w.State.Dirty(),
		Time:  w.options.Now().UTC().Truncate(time.Second),
		Image: artifact.ManifestImage{Reference: ref.String(), Digest: digest},
	}, files(rendered))
	if err != nil {
		return artifact.Bundle{}, err
	}
	return agree(ctx, store, bundle)
}

func files(rendered []Rendered) []artifact.File {
	var list []artifact.File
	for _, r := range rendered {
		for _, doc := range r.Documents {
			list = append(list, artifact.File{Environment: r.Environment, File: string(doc.Kind) + ".json", Content: doc.Body})
		}
	}
	return list
}

// agree takes over what an earlier publication of the same version knew and this one doesn't, or the other way round:
// the digest of an image that was pushed between the two. The rest of the content must be the same, which Publish checks.
func agree(ctx context.Context, store artifact.Store, b artifact.Bundle) (artifact.Bundle, error) {
	old, err := artifact.FetchManifest(ctx, store, b.Manifest.Project, b.Manifest.Version)
	if fault.KindOf(err) == fault.NotFound {
		return b, nil
	}
	if err != nil {
		return b, err
	}
	if old.Image.Digest == "" || b.Manifest.Image.Digest == "" {
		b.Manifest.Image.Digest = old.Image.Digest
	}
	return b, nil
}

// patience is how long a registry may take to say which image a tag names, when that is only asked to record it.
const patience = 5 * time.Second

// ImageDigest asks the registry which image the version's name stands for. The error tells why that isn't known.
func (w *Workspace) ImageDigest(ctx context.Context, env config.Environment) (image.Digest, error) {
	ref, err := w.ImageName(ctx, env)
	if err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	digest, err := registry.New(registry.Options{UserAgent: "slipway"}).Resolve(ctx, ref.String())
	return image.Digest(digest), err
}
