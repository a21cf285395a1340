package docker

import (
	"context"
	"io"

	"github.com/moby/moby/api/pkg/stdcopy"
	"github.com/moby/moby/client"

	"github.com/slipway-cd/slipway/engine/runtime"
)

// excerpt is how much of a command's output is kept.
const excerpt = 4 << 10

// Exec runs a command in a running container. When the context ends, the command is left alone in the container: Docker
// has no way to end it.
func (r *Runtime) Exec(ctx context.Context, name runtime.Name, argv []string) (int, string, error) {
	made, err := r.api.ExecCreate(ctx, r.container(name), client.ExecCreateOptions{Cmd: argv, AttachStdout: true, AttachStderr: true})
	if err != nil {
		return 0, "", failed(err, "cannot run a command in container %q", name)
	}
	attached, err := r.api.ExecAttach(ctx, made.ID, client.ExecAttachOptions{})
	if err != nil {
		return 0, "", failed(err, "cannot run a command in container %q", name)
	}
	defer attached.Close()
	defer context.AfterFunc(ctx, attached.Close)()
	var out beginning
	if _, err := stdcopy.StdCopy(&out, &out, attached.Reader); err != nil && ctx.Err() == nil {
		return 0, "", failed(err, "cannot read the output of a command in container %q", name)
	}
	if err := ctx.Err(); err != nil {
		return 0, string(out), failed(err, "a command in container %q did not end in time", name)
	}
	done, err := r.api.ExecInspect(ctx, made.ID, client.ExecInspectOptions{})
	if err != nil {
		return 0, "", failed(err, "cannot learn the exit code of a command in container %q", name)
	}
	return done.ExitCode, string(out), nil
}

// beginning keeps the first bytes written to it and takes the rest.
type beginning []byte

var _ io.Writer = (*beginning)(nil)

func (b *beginning) Write(p []byte) (int, error) {
	*b = append(*b, p[:min(len(p), excerpt-len(*b))]...)
	return len(p), nil
}
