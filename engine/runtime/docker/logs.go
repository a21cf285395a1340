package docker

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"iter"
	"time"

	"github.com/moby/moby/client"

	"github.com/slipway-cd/slipway/engine/runtime"
	"github.com/slipway-cd/slipway/fault"
)

const (
	longest = 256 << 10 // of a line that is kept; the rest of it is dropped
	chunk   = 16 << 10  // the piece in which Docker keeps a longer line [moby daemon/logger/copier.go]
	largest = 1 << 20   // of a frame; Docker writes one chunk a frame
)

// Logs yields what a container printed.
func (r *Runtime) Logs(ctx context.Context, name runtime.Name, since time.Time, follow bool) iter.Seq2[runtime.Line, error] {
	return func(yield func(runtime.Line, error) bool) {
		err := r.logs(ctx, name, since, follow, func(line runtime.Line) bool {
			return !line.Time.After(since) || yield(line, nil)
		})
		if err != nil && !errors.Is(err, errEnough) && ctx.Err() == nil {
			yield(runtime.Line{}, err)
		}
	}
}

// errEnough says that whoever reads wants no more.
var errEnough = errors.New("enough")

func (r *Runtime) logs(ctx context.Context, name runtime.Name, since time.Time, follow bool, yield func(runtime.Line) bool) error {
	found, err := r.api.ContainerInspect(ctx, r.container(name), client.ContainerInspectOptions{})
	if err != nil {
		return failed(err, "cannot read the output of container %q", name)
	}
	options := client.ContainerLogsOptions{ShowStdout: true, ShowStderr: true, Timestamps: true, Follow: follow}
	if !since.IsZero() {
		options.Since = fmt.Sprintf("%d.%09d", since.Unix(), since.Nanosecond())
	}
	stream, err := r.api.ContainerLogs(ctx, r.container(name), options)
	if err != nil {
		return failed(err, "cannot read the output of container %q", name)
	}
	defer stream.Close()
	read := frames
	if found.Container.Config != nil && found.Container.Config.Tty {
		read = plain
	}
	if err := read(stream, yield); err != nil {
		if errors.Is(err, errEnough) {
			return err
		}
		return failed(err, "cannot read the output of container %q", name)
	}
	if follow {
		return r.ended(ctx, name) // the output ends a moment before Docker says that the container has
	}
	return nil
}

// frames reads the output of a container without a terminal: frames of 8 bytes that tell stream and size, and a piece of
// a line behind the time. [Docker Engine API, "Attach to a container", stream format]
func frames(from io.Reader, yield func(runtime.Line) bool) error {
	var open [2]*runtime.Line // the line that each stream has begun
	in, header := bufio.NewReader(from), make([]byte, 8)
	for {
		if _, err := io.ReadFull(in, header); err != nil {
			return finish(err, open, yield)
		}
		size := binary.BigEndian.Uint32(header[4:])
		if size > largest || header[0] > 2 {
			return fault.New(fault.Corrupt, "Docker sent a frame of %d bytes for stream %d", size, header[0])
		}
		payload := make([]byte, size)
		if _, err := io.ReadFull(in, payload); err != nil {
			return finish(err, open, yield)
		}
		stream := 0
		if header[0] == 2 {
			stream = 1
		}
		line, whole := piece(open[stream], stream == 1, payload)
		open[stream] = line
		if whole {
			open[stream] = nil
			if !yield(*line) {
				return errEnough
			}
		}
	}
}

// finish yields the lines that were begun and not ended.
func finish(err error, open [2]*runtime.Line, yield func(runtime.Line) bool) error {
	for _, line := range open {
		if line != nil && !yield(*line) {
			return errEnough
		}
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return nil
	}
	return err
}

// piece adds a frame's payload to the line begun, or begins one, and says whether that ends it.
func piece(line *runtime.Line, stderr bool, payload []byte) (*runtime.Line, bool) {
	stamp, text, _ := bytes.Cut(payload, []byte(" "))
	if line == nil {
		line = &runtime.Line{Time: instant(string(stamp)), Stderr: stderr}
	}
	rest, whole := bytes.CutSuffix(text, []byte("\n"))
	if room := longest - len(line.Text); room > 0 {
		line.Text += string(rest[:min(room, len(rest))])
	}
	return line, whole || len(rest) < chunk // a shorter piece without an end is the last before the program's end
}

// plain reads the output of a container with a terminal.
func plain(from io.Reader, yield func(runtime.Line) bool) error {
	in := bufio.NewReader(from)
	for {
		text, err := in.ReadBytes('\n')
		if len(text) > 0 {
			line, _ := piece(nil, false, text)
			line.Text = string(bytes.TrimSuffix([]byte(line.Text), []byte("\r")))
			if !yield(*line) {
				return errEnough
			}
		}
		if err != nil {
			return finish(err, [2]*runtime.Line{}, yield)
		}
	}
}
