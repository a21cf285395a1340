//go:build linux

package process

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"syscall"
	"time"

	"github.com/slipway-cd/slipway/engine/runtime"
	"github.com/slipway-cd/slipway/fault"
)

// op is what a supervisor can be asked over its socket: one request and its answer a connection, as JSON.
type op string

const (
	opSignal    op = "signal"     // the program
	opSignalAll op = "signal-all" // every process
	opKill      op = "kill"       // everything in the container
	opAttach    op = "attach"     // to a command; frames go both ways. It is killed when the connection is closed
	opWatch     op = "watch"      // the connection is closed when the container has ended
	opFollow    op = "follow"     // and a byte is sent whenever there is more output
	opJoin      op = "join"       // have a container share the network; see join
)

type request struct {
	Op     op
	Signal syscall.Signal `json:",omitempty"`
	Argv   []string       `json:",omitempty"`
	TTY    bool           `json:",omitempty"`
	Stdin  bool           `json:",omitempty"`
	Dir    string         `json:",omitempty"` // of the container that joins
	Name   runtime.Name   `json:",omitempty"`
}

// dial connects to the supervisor. The detour keeps the path shorter than the 108 bytes that a socket's may have.
func (c *container) dial() (*net.UnixConn, error) {
	dir, err := os.Open(c.dir)
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	addr := &net.UnixAddr{Net: "unix", Name: fmt.Sprintf("/proc/self/fd/%d/%s", dir.Fd(), controlFile)}
	return net.DialUnix("unix", nil, addr)
}

// request sends a request, with files, and returns the connection that the answer comes from. It is closed when the context
// ends.
func (c *container) request(ctx context.Context, q request, files ...*os.File) (*net.UnixConn, func(), error) {
	conn, err := c.dial()
	if err != nil {
		return nil, nil, fault.New(fault.Unavailable, "the supervisor of container %q does not answer: %w", c.name, err)
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	release := func() { stop(); _ = conn.Close() }
	if err := send(conn, q, files); err != nil {
		release()
		return nil, nil, fault.New(fault.Unavailable, "the supervisor of container %q does not answer: %w", c.name, err)
	}
	return conn, release, nil
}

// ask sends a request and waits until it has been carried out.
func (c *container) ask(ctx context.Context, q request) error {
	conn, release, err := c.request(ctx, q)
	if err != nil {
		return err
	}
	defer release()
	_, err = io.Copy(io.Discard, conn)
	switch {
	case ctx.Err() != nil:
		return fault.New(fault.Timeout, "container %q did not answer in time: %w", c.name, ctx.Err())
	case err != nil:
		return fault.New(fault.Unavailable, "the supervisor of container %q went away: %w", c.name, err)
	}
	return nil
}

// ended waits until the container has ended.
func (c *container) ended(ctx context.Context) error {
	conn, release, err := c.request(ctx, request{Op: opWatch})
	if err == nil {
		_, _ = io.Copy(io.Discard, conn)
		release()
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return nil
}

// watch tells of the container's end when it comes.
func (r *Runtime) watch(c *container) {
	go func() {
		if c.ended(r.ctx) == nil {
			r.hub.Tell(c.name)
		}
	}()
}

// Stop sends the image's stop signal, waits, then kills.
func (r *Runtime) Stop(ctx context.Context, name runtime.Name, grace time.Duration) error {
	c, err := r.find(name)
	if err != nil {
		return err
	}
	if s, err := c.status(); err != nil || s.Phase != runtime.Running {
		return err
	}
	if grace > 0 {
		_ = c.ask(ctx, request{Op: opSignal, Signal: stopSignal(c.plan.Image.StopSignal)})
		patience, cancel := context.WithTimeout(ctx, grace)
		err := c.ended(patience)
		cancel()
		if err == nil {
			return c.settled(ctx)
		}
	}
	if ctx.Err() == nil {
		_ = c.ask(ctx, request{Op: opKill})
	}
	return c.settled(ctx)
}

// settled waits for the end, and sees that it is one.
func (c *container) settled(ctx context.Context) error {
	for {
		if err := c.ended(ctx); err != nil {
			return fault.New(fault.Timeout, "container %q has not stopped: %w", c.name, err)
		}
		if s, err := c.status(); err != nil || s.Phase != runtime.Running {
			return err
		}
		select { // the socket is closed a moment before the lock is let go of
		case <-ctx.Done():
		case <-time.After(2 * time.Millisecond):
		}
	}
}
