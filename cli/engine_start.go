package cli

import (
	"context"
	"fmt"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/slipway-cd/slipway/app"
	"github.com/slipway-cd/slipway/cli/terminal"
	"github.com/slipway-cd/slipway/fault"
)

type engineStartOptions struct {
	listen, data, runtime, credentials, region string
	limits                                     string
	speed                                      float64
	eventTargets                               []string
	instances                                  int
	zones, hooks                               []string
	checkRoles, detach                         bool
}

func (p *Program) engineStartCommand() *cobra.Command {
	var o engineStartOptions
	c := &cobra.Command{
		Use:   "start",
		Short: "Start the engine; its endpoint is written to standard output when it is ready",
		Long: `Start the embedded engine. State, images and logs are kept in a directory; an engine that was
killed finds its containers again when it is started on the same directory.

The waits that AWS fixes (40 s to healthy, scheduler passes 10 s apart, draining, health check
intervals) are divided by --speed. Time that is given to your programs (health check and stop
timeouts) is not.

Ctrl-C, SIGTERM and "slipway engine stop" end it with exit code 0. Containers go on running then; it
says so, and how to come back to them or to remove them.`,
		Example: "  slipway engine start\n  slipway engine start --detach --speed 10\n  eval export AWS_ENDPOINT_URL=$(slipway engine start --detach)",
		Args:    noArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			if o.detach {
				return p.engineDetach(c.Context(), o)
			}
			return p.engineStart(c.Context(), o)
		},
	}
	f := c.Flags()
	f.StringVar(&o.listen, "listen", app.DefaultListen, "`ADDRESS` (host:port) to serve on; port 0: any that is free")
	f.StringVar(&o.data, "data", "", "`DIR` for state, images and logs (default $XDG_STATE_HOME/slipway/engine)")
	f.Float64Var(&o.speed, "speed", 1, "divide AWS's waits by `N`")
	f.StringVar(&o.runtime, "runtime", string(app.Auto), "what runs the containers: auto, docker, process or scripted")
	f.IntVar(&o.instances, "instances", 4, "container instances of a new cluster")
	f.StringSliceVar(&o.zones, "zones", []string{"a", "b"}, "letters of the availability zones that they are spread over")
	f.StringVar(&o.region, "region", "us-east-1", "the region that the engine is")
	f.StringVar(&o.limits, "limits", string(app.NoLimits), "how often clients may call: none (as often as they like) or aws (as often as an AWS account may)")
	f.StringVar(&o.credentials, "credentials", "", "`KEY:SECRET` that requests must be signed with; without, any signature does")
	f.StringArrayVar(&o.hooks, "hook", nil, "`NAME=URL` or NAME=exec:COMMAND: what stands in for the Lambda function NAME that lifecycle hooks of deployments call; repeatable")
	f.StringArrayVar(&o.eventTargets, "event-target", nil, "send the events for the targets of rules whose ARN ends with NAME to a URL or a file: `NAME=URL`, NAME=file:PATH")
	f.BoolVar(&o.checkRoles, "check-roles", false, "roles that task definitions and AssumeRole name must exist, and those of tasks must trust ecs-tasks.amazonaws.com")
	f.BoolVar(&o.detach, "detach", false, "run in the background")
	return c
}

// mostInstances is how many addresses an engine has. [docs/reference/engine.md, Addresses]
const mostInstances = 253

func checkSpeed(speed float64) error {
	if speed > 0 && !math.IsInf(speed, 0) { // NaN is above nothing
		return nil
	}
	return fault.New(fault.Invalid, "--speed %v: the speed must be a number above 0", speed).WithHint("1 is AWS's own pace")
}

func (o engineStartOptions) options(p *Program) (app.EngineOptions, error) {
	e := app.EngineOptions{
		Listen: o.listen, Dir: o.data, Runtime: app.RuntimeName(o.runtime), Speed: o.speed,
		Instances: o.instances, Zones: o.zones, Region: o.region, Limits: app.Limits(o.limits),
	}
	if err := checkSpeed(o.speed); err != nil {
		return e, err
	}
	if o.instances < 0 || o.instances > mostInstances {
		return e, fault.New(fault.Invalid, "--instances %d: a cluster can have 0 to %d here", o.instances, mostInstances).
			WithHint("each has an address of its own, of the %d that an engine has; load balancers need some of them", mostInstances)
	}
	if o.instances == 0 {
		e.Instances = -1 // none, where 0 would mean the default
	}
	if o.credentials != "" {
		key, secret, ok := strings.Cut(o.credentials, ":")
		if !ok || key == "" || secret == "" {
			return e, fault.New(fault.Invalid, "--credentials must be KEY:SECRET")
		}
		e.Credentials = map[string]string{key: secret}
	}
	var err error
	if e.Hooks, err = app.Hooks(o.hooks); err != nil {
		return e, err
	}
	if e.EventTargets, err = eventTargets(o.eventTargets); err != nil {
		return e, err
	}
	e.CheckRoles = o.checkRoles
	if e.Dir == "" {
		e.Dir, err = p.stateDirectory()
	}
	return e, err
}

// engineStart runs the engine until the context ends, or somebody asks it to stop.
func (p *Program) engineStart(ctx context.Context, o engineStartOptions) error {
	options, err := o.options(p)
	if err != nil {
		return err
	}
	level := slog.LevelWarn
	if p.verbose {
		level = slog.LevelDebug
	}
	options.Logger = slog.New(slog.NewTextHandler(p.Err, &slog.HandlerOptions{Level: level}))
	if err := os.MkdirAll(options.Dir, 0o755); err != nil {
		return fault.New(fault.Invalid, "cannot make the engine's directory: %w", err).WithHint("choose another with --data DIR")
	}
	e, err := app.NewEngine(ctx, options)
	if err != nil {
		return err
	}
	if err := e.Start(ctx); err != nil {
		return err
	}
	p.engineReady(e, options)
	clean := false
	select {
	case <-ctx.Done():
	case clean = <-e.StopAsked():
	}
	left := e.Survivors()
	if err := p.engineEnd(ctx, e, clean); err != nil {
		return err
	}
	if clean {
		left = 0
	}
	p.engineGone(o, options.Dir, left)
	return nil
}

// engineGone tells what is left when an engine has ended, and how to come back to it: it may be Ctrl-C that ended it, and
// containers are not seen.
func (p *Program) engineGone(o engineStartOptions, dir string, tasks int) {
	p.Say("the engine has stopped; its state is in %s", absolute(dir))
	if tasks == 0 {
		return
	}
	what, it, its := "1 task goes on running", "it", "its"
	if tasks > 1 {
		what, it, its = fmt.Sprintf("%d tasks go on running", tasks), "them", "their"
	}
	again, stop := "slipway engine start --data "+shellWord(absolute(dir)), "slipway engine stop --clear"
	if o.listen != app.DefaultListen {
		again += " --listen " + shellWord(o.listen)
		stop += " --endpoint-url URL"
	}
	p.Say("%s %s. To come back to %s: `%s`. To remove %s containers, do that, and then `%s`",
		p.Style(terminal.Warn, "note:"), what, it, again, its, stop)
}

// shellWord quotes a word for a shell where it has to be.
func shellWord(s string) string {
	if s != "" && strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=./:,@%") == "" {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

func (p *Program) engineReady(e *app.Engine, o app.EngineOptions) {
	if p.output == outputJSON {
		_ = p.JSONLine(e.Status())
		return
	}
	p.Say("%s %s", p.Style(terminal.Good, "engine is ready:"), e.Runtime())
	p.Say("state is kept in %s", absolute(o.Dir))
	if from := e.Moved(); from != "" {
		p.Say("it has moved from %s: images named so are found here, load balancers and instances keep their addresses", from)
	}
	p.Printf("%s\n", e.Endpoint())
}

// stopPatience is how long requests and steps that are under way may take to end.
const stopPatience = 30 * time.Second

func (p *Program) engineEnd(ctx context.Context, e *app.Engine, clean bool) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopPatience)
	defer cancel()
	if clean {
		if err := e.Clear(ctx); err != nil {
			p.Say("%s cannot remove all containers: %v", p.Style(terminal.Warn, "note:"), err)
		}
	}
	return e.Stop(ctx)
}

func engineLog(dir string) string { return filepath.Join(dir, "engine.log") }
