package cli

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"

	"github.com/slipway-cd/slipway/app"
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
	log, err := os.OpenFile(engineLog(options.Dir), os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o644)
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
	child.Env, child.Stdout, child.Stderr, child.SysProcAttr = p.Environ, in, log, ownSession()
	if err := child.Start(); err != nil {
		_ = in.Close()
		return fault.New(fault.Internal, "cannot start the engine: %w", err)
	}
	_ = in.Close()
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		_ = child.Wait()
		return fault.New(fault.Unavailable, "the engine did not start: %s", lastWords(engineLog(options.Dir)))
	}
	if err := p.engineDetached(ctx, strings.TrimSpace(line), options.Dir); err != nil {
		return err
	}
	return child.Process.Release()
}

// engineDetached tells of an engine in the background what one in the foreground tells of itself.
func (p *Program) engineDetached(ctx context.Context, endpoint, dir string) error {
	p.Say("stop it with `slipway engine stop --endpoint-url %s`; its log is %s", endpoint, absolute(engineLog(dir)))
	if p.output != outputJSON {
		p.Printf("%s\n", endpoint)
		return nil
	}
	s, err := app.AskEngine(ctx, endpoint)
	if err != nil {
		return err
	}
	return p.JSONLine(s)
}

func (o engineStartOptions) arguments(dir string, p *Program) []string {
	args := []string{
		"engine", "start", "--listen", o.listen, "--data", dir, "--speed", fmt.Sprint(o.speed), "--runtime", o.runtime,
		"--instances", fmt.Sprint(o.instances), "--zones", strings.Join(o.zones, ","), "--region", o.region,
	}
	if o.credentials != "" {
		args = append(args, "--credentials", o.credentials)
	}
	if p.verbose {
		args = append(args, "--verbose")
	}
	return args
}

// lastWords returns the end of a log, for an error that nobody else tells.
func lastWords(path string) string {
	f, err := os.Open(path)
	if err != nil {
		return "its log cannot be read"
	}
	defer f.Close()
	const most = 2000
	if size, err := f.Seek(0, io.SeekEnd); err == nil && size > most {
		_, _ = f.Seek(-most, io.SeekEnd)
	} else {
		_, _ = f.Seek(0, io.SeekStart)
	}
	text, _ := io.ReadAll(f)
	if s := strings.TrimSpace(string(text)); s != "" {
		return s
	}
	return "it said nothing"
}
