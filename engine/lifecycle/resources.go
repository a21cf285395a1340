package lifecycle

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// resources sees that everything that the containers take from elsewhere is there, and their volumes, before anything is pulled. Without, the
// whole task doesn't come to life, whichever container asks for it. [agent, taskresource]
func (w *work) resources(ctx context.Context) error {
	if err := w.createVolumes(ctx); err != nil {
		return errors.New(volumeFailed + err.Error())
	}
	for _, c := range w.task.Containers {
		d := w.merged(c.Name)
		if _, err := w.environment(d); err != nil {
			return err
		}
		if d.LogConfiguration == nil {
			continue
		}
		for _, s := range d.LogConfiguration.SecretOptions {
			if _, err := secret(w.snap, aws.ToString(s.ValueFrom)); err != nil {
				return errors.New(secretsFailed + err.Error())
			}
		}
	}
	return nil
}
