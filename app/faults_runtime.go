package app

import (
	"context"
	"time"

	"github.com/slipway-cd/slipway/engine/faults"
	"github.com/slipway-cd/slipway/engine/runtime"
	"github.com/slipway-cd/slipway/engine/state"
	"github.com/slipway-cd/slipway/fault"
)

// troubled is a runtime on which faults act.
type troubled struct {
	runtime.Runtime
	engine *Engine
}

// Pull makes the image present, unless images cannot be pulled.
func (t troubled) Pull(ctx context.Context, ref string) (runtime.Image, error) {
	for _, f := range t.engine.faults.set.Hit(ref, time.Now(), faults.Pull) {
		return runtime.Image{}, cannotPull(ref, f.Cause)
	}
	return t.Runtime.Pull(ctx, ref)
}

// cannotPull words a failure as a Docker Engine does.
func cannotPull(ref string, cause faults.Cause) error {
	switch cause {
	case faults.Missing:
		return fault.New(fault.NotFound, "cannot pull image %q: manifest for %s not found: manifest unknown", ref, ref)
	case faults.Denied:
		return fault.New(fault.Denied, "cannot pull image %q: pull access denied: repository does not exist or may require authorization", ref)
	}
	return fault.New(fault.Unavailable, "cannot pull image %q: net/http: request canceled while waiting for connection (Client.Timeout exceeded)", ref)
}

// Create makes a container, unless the disk of its instance is full.
func (t troubled) Create(ctx context.Context, spec runtime.Spec) error {
	for range t.engine.faults.set.Hit(t.engine.instanceOf(spec), time.Now(), faults.Disk) {
		return fault.New(fault.Refused, "cannot create container %q: no space left on device", spec.Name)
	}
	return t.Runtime.Create(ctx, spec)
}

// instanceOf returns the id of the container instance that a container is made on; empty on Fargate.
func (e *Engine) instanceOf(spec runtime.Spec) string {
	id := state.TaskID(lastPart(spec.Labels["com.amazonaws.ecs.task-arn"]))
	if task, ok := e.engine.DB().Read().Task(id); ok {
		return string(task.Instance)
	}
	return ""
}

// Exec runs a command in a container. In one that stands still none comes to an end.
func (t troubled) Exec(ctx context.Context, name runtime.Name, argv []string) (int, string, error) {
	if t.engine.isFrozen(name) {
		<-ctx.Done()
		return 0, "", fault.New(fault.Timeout, "cannot run a command in container %q: it does not answer: %w", name, ctx.Err())
	}
	return t.Runtime.Exec(ctx, name, argv)
}
