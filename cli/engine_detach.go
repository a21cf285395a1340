package cli

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"

	"github.com/slipway-cd/slipway/app"
	"github.com/slipway-cd/slipway/cli/terminal"
	"github.com/slipway-cd/slipway/fault"
)

// engineDetach starts this program again in a session of its own, waits until it tells its endpoint, and leaves it.
func (p *Program) engineDetach(ctx context.Context, o engineStartOptions) error {
	options, err := o.options(p)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(options.Dir, 0o755); err != nil {
		return fault.New(fault.Invalid, "cannot make the engine's directory: %w", err).WithHint("choose another with --data DIR")
	}
	log, err := openLog(options.Dir)
	if err != nil {
		return fault.New(fault.Internal, "cannot write the engine's log: %w", err)
	}
	defer log.Close()
	out, in, err := os.Pipe()
	if err != nil {
		return err
	}
	defer out.Close()
	child := exec.CommandContext(context.WithoutCancel(ctx), p.Self, o.arguments(options.Dir, p)...)
	child.Env, child.Stdout, child.Stderr, child.SysProcAttr = p.Environ, in, log.File, ownSession()
	if err := child.Start(); err != nil {
		_ = in.Close()
		return fault.New(fault.Internal, "cannot start the engine: %w", err)
	}
	_ = in.Close()
	status, err := firstWord(out)
	if errors.Is(err, io.EOF) {
		return fault.New(fault.Unavailable, "the engine did not start: %s", lastWords(log.Name(), log.before, child.Wait()))
	}
	if err != nil {
		return err
	}
	log.shorten()
	if err := p.engineDetached(status, options.Dir); err != nil {
		return err
	}
	return child.Process.Release()
}

// startLog is the log of an engine that is being started. Until that is ready, what is in the log already may belong to an
// engine that runs on the same directory.
type startLog struct {
	*os.File
	before int64 // bytes that were there before
}

func openLog(dir string) (startLog, error) {
	file, err := os.OpenFile(engineLog(dir), os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o644)
	if err != nil {
		return startLog{}, err
	}
	before, err := file.Seek(0, io.SeekEnd)
	return startLog{File: file, before: before}, err
}

// shorten drops what was there before: the engine that wrote it has ended, for another has its directory now. A log that
// cannot be shortened, such as a device, stays as it is.
func (l startLog) shorten() {
	if l.before == 0 {
		return
	}
	fresh, err := io.ReadAll(io.NewSectionReader(l, l.before, 1<<20))
	if err == nil && l.Truncate(0) == nil {
		_, _ = l.Write(fresh)
	}
}

// firstWord reads what an engine that was started with --output json says first: what it is, or the error that kept it
// from starting. That comes over a pipe, for its log may be on the very disk that is full. The error is io.EOF when it
// ended without a word.
func firstWord(out io.Reader) (app.EngineStatus, error) {
	var said struct {
		app.EngineStatus
		Error *terminal.Failure `json:"error"`
	}
	line, err := bufio.NewReader(out).ReadBytes('\n')
	if err != nil {
		return said.EngineStatus, err
	}
	if err := json.Unmarshal(line, &said); err != nil {
		return said.EngineStatus, fault.New(fault.Internal, "the engine says what is not understood: %w: %s", err, bytes.TrimSpace(line))
	}
	if f := said.Error; f != nil {
		return said.EngineStatus, &fault.Error{Kind: f.Kind, Message: f.Message, Hint: f.Hint}
	}
	return said.EngineStatus, nil
}

// engineDetached tells of an engine in the background what one in the foreground tells of itself.
func (p *Program) engineDetached(s app.EngineStatus, dir string) error {
	p.Say("stop it with `slipway engine stop --endpoint-url %s`; its log is %s", s.Endpoint, absolute(engineLog(dir)))
	if p.output == outputJSON {
		return p.JSONLine(s)
	}
	p.Printf("%s\n", s.Endpoint)
	return nil
}

func (o engineStartOptions) arguments(dir string, p *Program) []string {
	args := []string{
		"engine", "start", "--output", outputJSON, "--listen", o.listen, "--data", dir, "--speed", fmt.Sprint(o.speed), "--runtime", o.runtime,
		"--instances", fmt.Sprint(o.instances), "--zones", strings.Join(o.zones, ","), "--region", o.region,
		"--limits", o.limits,
	}
	if o.credentials != "" {
		args = append(args, "--credentials", o.credentials)
	}
	for _, hook := range o.hooks {
		args = append(args, "--hook", hook)
	}
	if o.checkRoles {
		args = append(args, "--check-roles")
	}
	for _, target := range o.eventTargets {
		args = append(args, "--event-target", target)
	}
	if p.verbose {
		args = append(args, "--verbose")
	}
	return args
}

// lastWords returns the end of a log, of what comes after so many bytes, for an error that nobody else tells; or else how the
// process ended.
func lastWords(path string, before int64, ended error) string {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Sprintf("%v, and its log cannot be read: %v", ended, err)
	}
	defer f.Close()
	const most = 2000
	size, _ := f.Seek(0, io.SeekEnd)
	_, _ = f.Seek(max(before, size-most), io.SeekStart)
	text, _ := io.ReadAll(f)
	if s := strings.TrimSpace(string(text)); s != "" {
		return s
	}
	return fmt.Sprintf("%v, without a word in its log %s", ended, path)
}
