package docker

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"syscall"
	"time"

	"github.com/moby/moby/api/pkg/stdcopy"
	"github.com/moby/moby/client"

	"github.com/slipway-cd/slipway/engine/runtime"
)

// excerpt is how much of a command's output is kept.
const excerpt = 4 << 10

// Exec runs a command in a running container.
func (r *Runtime) Exec(ctx context.Context, name runtime.Name, argv []string) (int, string, error) {
	var out beginning
	code, err := r.Attach(ctx, name, runtime.Session{Argv: argv, Stdout: &out, Stderr: &out})
	return code, string(out), err
}

// Attach runs a command in a running container, with a session's streams.
func (r *Runtime) Attach(ctx context.Context, name runtime.Name, s runtime.Session) (int, error) {
	made, err := r.api.ExecCreate(ctx, r.container(name), client.ExecCreateOptions{
		Cmd: s.Argv, AttachStdin: s.Stdin != nil, AttachStdout: true, AttachStderr: true, TTY: s.TTY,
	})
	if err != nil {
		return 0, failed(err, "cannot run a command in container %q", name)
	}
	attached, err := r.api.ExecAttach(ctx, made.ID, client.ExecAttachOptions{TTY: s.TTY})
	if err != nil {
		return 0, failed(err, "cannot run a command in container %q", name)
	}
	defer attached.Close()
	ended := make(chan struct{})
	defer close(ended)
	go r.resize(ctx, made.ID, s.Resize, ended)
	if s.Stdin != nil {
		go typeIn(attached, s)
	}
	defer context.AfterFunc(ctx, func() {
		r.kill9(context.WithoutCancel(ctx), made.ID)
		attached.Close()
	})()
	err = copyOutput(s, attached.Reader)
	switch {
	case ctx.Err() != nil:
		return 0, failed(ctx.Err(), "a command in container %q did not end in time", name)
	case err != nil:
		return 0, failed(err, "cannot read the output of a command in container %q", name)
	}
	done, err := r.api.ExecInspect(ctx, made.ID, client.ExecInspectOptions{})
	if err != nil {
		return 0, failed(err, "cannot learn the exit code of a command in container %q", name)
	}
	return done.ExitCode, nil
}

const endOfTransmission = "\x04" // what Ctrl-D types

// typeIn hands over what the session's owner types. At its end a terminal is told so by a character: when this side is
// closed, Docker lets go of what a command with a terminal prints. [moby container/stream/attach.go]
func typeIn(to client.ExecAttachResult, s runtime.Session) {
	_, _ = io.Copy(to.Conn, s.Stdin)
	if s.TTY {
		_, _ = io.WriteString(to.Conn, endOfTransmission)
		return
	}
	_ = to.CloseWrite()
}

func copyOutput(s runtime.Session, from io.Reader) error {
	stdout, stderr := s.Stdout, s.Stderr
	if stdout == nil {
		stdout = io.Discard
	}
	if stderr == nil {
		stderr = io.Discard
	}
	var err error
	if s.TTY {
		_, err = io.Copy(stdout, from)
	} else {
		_, err = stdcopy.StdCopy(stdout, stderr, from)
	}
	return err
}

// resize passes on the sizes of the terminal while the command runs.
func (r *Runtime) resize(ctx context.Context, exec string, sizes <-chan runtime.Size, ended <-chan struct{}) {
	for {
		select {
		case size, ok := <-sizes:
			if !ok {
				return
			}
			_, _ = r.api.ExecResize(ctx, exec, client.ExecResizeOptions{Height: uint(size.Rows), Width: uint(size.Columns)})
		case <-ended:
			return
		}
	}
}

// kill9 kills a command that nobody waits for any more. Docker has no way to do that: it tells the process, and this
// kills it where Docker runs on this machine for somebody with the right to do so. Elsewhere it is left alone. That it is
// the container's own process, and not another one that has got its number, its control group says.
func (r *Runtime) kill9(ctx context.Context, exec string) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	found, err := r.api.ExecInspect(ctx, exec, client.ExecInspectOptions{})
	if err != nil || !found.Running || found.PID <= 1 {
		return
	}
	group, err := os.ReadFile(fmt.Sprintf("/proc/%d/cgroup", found.PID))
	if err != nil || !bytes.Contains(group, []byte(found.ContainerID)) {
		return
	}
	if process, err := os.FindProcess(found.PID); err == nil {
		_ = process.Signal(syscall.SIGKILL)
	}
}

// beginning keeps the first bytes written to it and takes the rest.
type beginning []byte

var _ io.Writer = (*beginning)(nil)

func (b *beginning) Write(p []byte) (int, error) {
	*b = append(*b, p[:min(len(p), excerpt-len(*b))]...)
	return len(p), nil
}
