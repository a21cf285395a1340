package lifecycle

import (
	"context"
	"maps"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway/engine/runtime"
	"github.com/slipway-cd/slipway/engine/state"
	"github.com/slipway-cd/slipway/fault"
)

// pull makes the images of all containers present. A container whose image is not to be had doesn't come to life.
func (w *work) pull(ctx context.Context) Outcome {
	if err := w.resources(ctx); err != nil {
		if ctx.Err() == nil {
			w.failAll(err.Error())
		}
		return Outcome{Next: Again}
	}
	type pulled struct {
		image runtime.Image
		err   error
	}
	results := make([]pulled, len(w.task.Containers))
	var group sync.WaitGroup
	for i, c := range w.task.Containers {
		group.Go(func() { results[i].image, results[i].err = w.image(ctx, c) })
	}
	group.Wait()
	if ctx.Err() != nil {
		return Outcome{Next: Again}
	}
	for i, c := range w.task.Containers {
		if err := results[i].err; err != nil {
			w.fail(c, "CannotPullContainerError: "+err.Error())
			continue
		}
		digest := results[i].image.Digest
		w.editContainer(c.Name, func(c *state.Container) { c.Digest = digest })
		w.pin(c, digest)
	}
	at := now()
	w.edit(func(t *state.Task) { t.PullStoppedAt = at })
	return Outcome{Next: Again}
}

// image pulls the image of one container: by the digest that the deployment's first task resolved, or by its tag.
// The tasks of a deployment that start together resolve a tag once. [ecs-behaviour 1.2, image digests]
func (w *work) image(ctx context.Context, c state.Container) (runtime.Image, error) {
	if !w.consistent(c) {
		return w.pullPatiently(ctx, c.Image)
	}
	if digest := w.digest(w.snap, c); digest != "" {
		return w.pullPinned(ctx, c, digest)
	}
	p := w.pins.of(w.task.Deployment, c.Name)
	select {
	case p.turn <- struct{}{}:
	case <-ctx.Done():
		return runtime.Image{}, ctx.Err()
	}
	defer func() { <-p.turn }()
	if p.digest == "" { // it may have been written down, and dropped here, since this step's snapshot
		p.digest = w.digest(w.DB.Read(), c)
	}
	if p.digest != "" {
		return w.pullPinned(ctx, c, p.digest)
	}
	image, err := w.pullPatiently(ctx, c.Image)
	p.digest = image.Digest
	return image, err
}

// pullPinned pulls the image with that digest, which it keeps, whatever the runtime would call it by itself.
func (w *work) pullPinned(ctx context.Context, c state.Container, digest string) (runtime.Image, error) {
	image, err := w.pullPatiently(ctx, byDigest(c.Image, digest))
	image.Digest = digest
	return image, err
}

func (w *work) consistent(c state.Container) bool {
	d, _ := w.definition.Container(c.Name)
	return w.task.Deployment != "" && d.VersionConsistency != types.VersionConsistencyDisabled && !strings.Contains(c.Image, "@")
}

// digest returns what the deployment's tasks run; empty when none has resolved it yet.
func (w *work) digest(snap state.Snapshot, c state.Container) string {
	if d, ok := snap.Deployment(w.task.Deployment); ok && d.Digests[c.Name] != "" {
		return d.Digests[c.Name]
	}
	return c.Digest
}

// pin writes down which image the deployment's tasks run from now on.
func (w *work) pin(c state.Container, digest string) {
	if digest == "" || !w.consistent(c) {
		return
	}
	if d, ok := w.snap.Deployment(w.task.Deployment); ok && d.Digests[c.Name] != "" {
		return
	}
	w.write(func(tx *state.Tx) {
		d, ok := tx.Deployment(w.task.Deployment)
		if !ok || d.Digests[c.Name] != "" {
			return
		}
		changed := *d
		changed.Digests = map[string]string{c.Name: digest}
		maps.Copy(changed.Digests, d.Digests)
		tx.Put(&changed)
		pinRevision(tx, d.Revision, c.Name, digest)
	})
}

// pinRevision tells the digest in the service revision too, where DescribeServiceRevisions shows it.
func pinRevision(tx *state.Tx, arn, container, digest string) {
	r, ok := tx.Revision(arn)
	if !ok {
		return
	}
	changed := *r
	changed.Doc.ContainerImages = append([]types.ContainerImage(nil), r.Doc.ContainerImages...)
	for i := range changed.Doc.ContainerImages {
		if image := &changed.Doc.ContainerImages[i]; aws.ToString(image.ContainerName) == container {
			image.ImageDigest = &digest
		}
	}
	tx.Put(&changed)
}

// pullTries is how often a registry that doesn't answer is asked.
const pullTries = 3

func (w *work) pullPatiently(ctx context.Context, ref string) (image runtime.Image, err error) {
	wait := time.Second
	for try := range pullTries {
		if try > 0 {
			select {
			case <-time.After(wait):
				wait *= 2
			case <-ctx.Done():
				return image, ctx.Err()
			}
		}
		release, ok := w.slot(ctx)
		if !ok {
			return image, ctx.Err()
		}
		image, err = w.Runtime.Pull(ctx, ref)
		release()
		if err == nil || fault.KindOf(err) != fault.Unavailable {
			break
		}
	}
	return image, err
}

// byDigest returns the reference with the digest in the place of its tag.
func byDigest(ref, digest string) string {
	slash := strings.LastIndexByte(ref, '/')
	if colon := strings.LastIndexByte(ref, ':'); colon > slash {
		ref = ref[:colon]
	}
	return ref + "@" + digest
}

// pins hold the digests that tasks starting at the same time resolve, until the deployment's record has them.
type pins struct {
	mu  sync.Mutex
	all map[string]*pinned
}

type pinned struct {
	turn   chan struct{} // holds one token while somebody resolves
	digest string
}

func (p *pins) of(d state.DeploymentID, container string) *pinned {
	p.mu.Lock()
	defer p.mu.Unlock()
	key := string(d) + "|" + container
	if p.all == nil {
		p.all = map[string]*pinned{}
	}
	if p.all[key] == nil {
		p.all[key] = &pinned{turn: make(chan struct{}, 1)}
	}
	return p.all[key]
}

// drop forgets what a deployment's record has itself.
func (p *pins) drop(d *state.Deployment) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for container := range d.Digests {
		delete(p.all, string(d.ID)+"|"+container)
	}
}
