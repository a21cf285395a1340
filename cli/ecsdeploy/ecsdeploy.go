// Package ecsdeploy accepts the flags of the ecs-deploy script, calls AWS in its order and ends with its exit codes.
package ecsdeploy

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/slipway-cd/slipway/fault"
)

// Program is the command: what it is called, and where it talks. Talk goes to Err; to Out, a line each, the ARNs of what
// it made.
type Program struct {
	Name     string // as in `ecs-deploy`
	Version  string
	Out, Err io.Writer
	Environ  []string // NAME=value
}

// System returns the program as the operating system started it.
func System(name, version string) *Program {
	return &Program{Name: name, Version: version, Out: os.Stdout, Err: os.Stderr, Environ: os.Environ()}
}

// Main does what the arguments say and returns the exit code.
func Main(ctx context.Context, p *Program, args []string) int {
	err := p.run(ctx, args)
	if err == nil {
		return exitDone
	}
	bad, misused := errors.AsType[*misuse](err)
	switch {
	case misused:
		p.say("error: %s", bad.message)
		if bad.usage {
			fmt.Fprint(p.Err, "\n"+usage(p.Name))
		}
		return bad.code
	case ctx.Err() != nil:
		p.say("interrupted: %v", err)
		return exitInterrupted
	}
	p.say("error: %v", err)
	if hint := fault.HintOf(err); hint != "" {
		p.say("       %s", hint)
	}
	return exitFailed
}

func (p *Program) run(ctx context.Context, args []string) error {
	o, err := parse(args)
	switch {
	case err != nil:
		return err
	case o.help:
		fmt.Fprint(p.Out, usage(p.Name))
		return nil
	case o.version:
		fmt.Fprintf(p.Out, "%s %s\n", p.Name, p.Version)
		return nil
	}
	if err := o.check(); err != nil {
		return err
	}
	var w wish
	if !o.force {
		if w, err = o.wished(p.variable); err != nil {
			return err
		}
	}
	for _, why := range o.unused() {
		p.say("note: %s", why)
	}
	f, err := p.connect(ctx, o)
	switch {
	case err != nil:
		return err
	case o.force:
		return f.redeploy(ctx)
	case o.service != "":
		return f.deployService(ctx, w)
	}
	return f.deployDefinition(ctx, w)
}

func (p *Program) say(format string, args ...any) { fmt.Fprintf(p.Err, format+"\n", args...) }

// variable returns an environment variable.
func (p *Program) variable(name string) string {
	value := ""
	for _, e := range p.Environ {
		if n, v, _ := strings.Cut(e, "="); n == name {
			value = v
		}
	}
	return value
}
