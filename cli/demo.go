package cli

import (
	"context"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/slipway-cd/slipway/app"
	"github.com/slipway-cd/slipway/cli/terminal"
	"github.com/slipway-cd/slipway/fault"
	"github.com/slipway-cd/slipway/traffic"
)

type demoOptions struct {
	runtime string
	listen  string
	speed   float64
	rate    int
	keep    bool
}

func (p *Program) demoCommand() *cobra.Command {
	var o demoOptions
	c := &cobra.Command{
		Use:   "demo",
		Short: "Deploy three versions under traffic on the embedded engine, one of them broken",
		Long: `Start an engine in a temporary directory, with a cluster of four instances over two zones and a
load balancer; build the example service, publish and install it; send steady traffic; install a
second version; install a third one that fails its health check, see it explained and rolled back.
Every answer is counted. Needs Go and git, and a Docker Engine only if there is one.

Exits with 0 only if everything went that way and no request was lost.`,
		Example: "  slipway demo\n  slipway demo --runtime process\n  slipway demo --keep      # leave the engine up, to try more",
		Args:    noArguments,
		RunE:    func(c *cobra.Command, _ []string) error { return p.demo(c.Context(), o) },
	}
	f := c.Flags()
	f.StringVar(&o.runtime, "runtime", string(app.Auto), "what runs the containers: auto, docker or process")
	f.StringVar(&o.listen, "listen", "127.0.0.1:0", "`ADDRESS` of the engine; port 0: any that is free")
	f.Float64Var(&o.speed, "speed", 20, "divide AWS's waits by `N`")
	f.IntVar(&o.rate, "rate", 100, "requests a second")
	f.BoolVar(&o.keep, "keep", false, "leave the engine up when all is done")
	return c
}

// demonstration is a demo under way.
type demonstration struct {
	*Program
	options demoOptions
	dir     string
	engine  *app.Engine
	project string // directory of the example, a git repository
	address string // where the service's load balancer listens
	begun   time.Time
}

// check refuses what the demo would fail with, or never end.
func (o demoOptions) check() error {
	if app.RuntimeName(o.runtime) == app.Scripted {
		return fault.New(fault.Invalid, "--runtime scripted: the demo sends requests to containers, and scripted ones don't run").
			WithHint("choose auto, docker or process; process needs no Docker")
	}
	if o.rate < 1 {
		return fault.New(fault.Invalid, "--rate %d: a demo sends at least 1 request a second", o.rate).WithHint("100 is usual")
	}
	return checkSpeed(o.speed)
}

func (p *Program) demo(ctx context.Context, o demoOptions) (err error) {
	if err := o.check(); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "slipway-demo-")
	if err != nil {
		return fault.New(fault.Internal, "cannot make a temporary directory: %w", err)
	}
	d := &demonstration{Program: p, options: o, dir: dir, project: filepath.Join(dir, "hid-generator"), begun: time.Now()}
	defer func() {
		if endErr := d.end(context.WithoutCancel(ctx)); err == nil {
			err = endErr
		}
	}()
	if err := d.start(ctx); err != nil {
		return err
	}
	report, err := d.play(ctx)
	if err != nil {
		return err
	}
	if err := d.conclude(report); err != nil || !o.keep {
		return err
	}
	return d.leave(ctx)
}

// play deploys the three versions, the last two of them under traffic.
func (d *demonstration) play(ctx context.Context) (demoReport, error) {
	r := demoReport{Runtime: d.engine.Runtime(), Wanted: leastRequests}
	if err := d.release(ctx, &r, demoVersion{"1.0.15", "the first version: the service is created", "", exitDone}); err != nil {
		return r, err
	}
	stream := traffic.Start(ctx, traffic.Options{URL: "http://" + d.address + "/", Rate: d.options.rate})
	defer stream.Stop()
	for _, v := range []demoVersion{
		{"1.0.16", "the second version replaces the first, under traffic", "", exitDone},
		{"1.0.17", "the third version fails its health check, under traffic", "503", exitRolledBack},
	} {
		if err := d.release(ctx, &r, v); err != nil {
			return r, err
		}
	}
	if err := waitFor(ctx, stream, leastRequests); err != nil {
		return r, err
	}
	r.Traffic = stream.Stop()
	r.Seconds = time.Since(d.begun).Seconds()
	return r, nil
}

// leastRequests is how many requests a demo counts at the least.
const leastRequests = 2000

// waitFor lets the traffic flow until so many answers have been counted.
func waitFor(ctx context.Context, s *traffic.Stream, least int) error {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for s.Report().Sent < least {
		select {
		case <-ctx.Done():
			return fault.New(fault.Interrupted, "the demo was interrupted while it counted answers; what it made is removed")
		case <-tick.C:
		}
	}
	return nil
}

// end removes everything that the demo has made.
func (d *demonstration) end(ctx context.Context) error {
	if d.engine != nil {
		if err := d.engineEnd(ctx, d.engine, true); err != nil {
			d.Say("%s %v", d.Style(terminal.Warn, "note:"), err)
		}
	}
	return os.RemoveAll(d.dir)
}
