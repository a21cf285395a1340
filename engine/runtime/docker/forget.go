package docker

import (
	"context"
	"errors"
	"strings"

	"github.com/moby/moby/client"

	"github.com/slipway-cd/slipway/fault"
)

// ForgetImages removes the names of all images that were pulled from a registry ("127.0.0.1:4566"), and the images with
// them unless something else needs them. It is for a registry that goes away for good.
func ForgetImages(ctx context.Context, options Options, registry string) error {
	r, err := Open(ctx, options)
	if err != nil {
		return err
	}
	defer r.Close()
	list, err := r.api.ImageList(ctx, client.ImageListOptions{})
	if err != nil {
		return failed(err, "cannot list the images from %s", registry)
	}
	var errs []error
	for _, image := range list.Items {
		for _, name := range append(image.RepoTags, image.RepoDigests...) {
			if !strings.HasPrefix(name, registry+"/") {
				continue
			}
			if _, err := r.api.ImageRemove(ctx, name, client.ImageRemoveOptions{}); err != nil && kindOf(err) != fault.NotFound {
				errs = append(errs, failed(err, "cannot remove image %q", name))
			}
		}
	}
	return errors.Join(errs...)
}
