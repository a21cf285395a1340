package cli

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"github.com/slipway-cd/slipway/deploy"
	"github.com/slipway-cd/slipway/rollout"
)

type stopOptions struct {
	serviceOptions
	timeout time.Duration
	asIs    bool
}

func (p *Program) stopCommand() *cobra.Command {
	var o stopOptions
	c := &cobra.Command{
		Use:   "stop",
		Short: "Stop a deployment that is under way",
		Long: `Stop the deployment of a service that is under way: the last proven revision comes back, and is
followed until it is proven again. With --as-is nothing is brought back: the scheduler starts no
more tasks for the deployment, and what runs goes on running.

It is an error when nothing is under way: slipway rollback undoes what has come to its end.`,
		Example: "  slipway stop --environment qa\n  slipway stop --cluster qa --service hid-generator --as-is",
		Args:    noArguments,
		RunE:    func(c *cobra.Command, _ []string) error { return p.stopped(c.Context(), o) },
	}
	o.flags(c)
	c.Flags().DurationVar(&o.timeout, "timeout", 0, "`DURATION` until the last proven revision must serve again; the project's (20m) unless given")
	c.Flags().BoolVar(&o.asIs, "as-is", false, "bring nothing back: leave what runs as it is")
	return c
}

func (p *Program) stopped(ctx context.Context, o stopOptions) error {
	target, ref, policy, err := o.find(ctx, p)
	if err != nil {
		return err
	}
	follow := p.follow()
	options := deploy.Options{Report: follow.report, Watched: p.watched()}
	var result deploy.Result
	if o.asIs {
		result, err = deploy.Halt(ctx, target, ref, options)
	} else {
		result, err = deploy.Stop(ctx, target, ref, rollout.Policy{
			Timeout: policy.Timeout, RollbackTimeout: o.timeout, Rollback: true,
		}, options)
	}
	follow.close()
	return ended(result, err)
}
