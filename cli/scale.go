package cli

import (
	"context"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/slipway-cd/slipway/deploy"
	"github.com/slipway-cd/slipway/fault"
	"github.com/slipway-cd/slipway/rollout"
)

// changeOptions are those of commands that change a service and follow that until it is proven.
type changeOptions struct {
	serviceOptions
	timeout time.Duration
}

func (o *changeOptions) flags(c *cobra.Command, until string) {
	o.serviceOptions.flags(c)
	c.Flags().DurationVar(&o.timeout, "timeout", 0, "`DURATION` until "+until+"; the project's (20m) unless given")
}

// change finds the service and has something done with it, telling what happens.
func (p *Program) change(ctx context.Context, o changeOptions, do func(deploy.Target, rollout.ServiceRef, rollout.Policy, deploy.Options) (deploy.Result, error)) error {
	target, ref, policy, err := o.find(ctx, p)
	if err != nil {
		return err
	}
	if o.timeout > 0 {
		policy.Timeout = o.timeout
	}
	follow := p.follow()
	result, err := do(target, ref, rollout.Policy{Timeout: policy.Timeout, Bake: policy.Bake, Rollback: policy.Rollback},
		deploy.Options{Report: follow.report, Watched: p.watched()})
	follow.close()
	return ended(result, err)
}

func (p *Program) scaleCommand() *cobra.Command {
	var o changeOptions
	c := &cobra.Command{
		Use:   "scale COUNT",
		Short: "Change how many tasks a service has",
		Long: `Change how many tasks a service has, and follow it until they run and are healthy. What runs stays
the same revision. A number that autoscaling would change at once is refused (exit code 7).`,
		Example: "  slipway scale 4 --environment qa\n  slipway scale 0 --cluster qa --service hid-generator",
		Args:    oneArgument("COUNT"),
		RunE: func(c *cobra.Command, args []string) error {
			count, err := strconv.Atoi(args[0])
			if err != nil || count < 0 {
				return fault.New(fault.Invalid, "%q is no number of tasks", args[0]).WithHint("give a whole number, 0 or more")
			}
			return p.change(c.Context(), o, func(t deploy.Target, ref rollout.ServiceRef, policy rollout.Policy, opts deploy.Options) (deploy.Result, error) {
				return deploy.Scale(c.Context(), t, ref, count, policy, opts)
			})
		},
	}
	o.flags(c, "all tasks must be healthy")
	return c
}
