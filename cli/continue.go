package cli

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"github.com/slipway-cd/slipway/deploy"
	"github.com/slipway-cd/slipway/rollout"
)

type continueOptions struct {
	serviceOptions
	timeout time.Duration
	detach  bool
}

func (p *Program) continueCommand() *cobra.Command {
	var o continueOptions
	c := &cobra.Command{
		Use:   "continue",
		Short: "Let a deployment go on that waits for somebody",
		Long: `Let a deployment go on that has come to a pause of its service's lifecycle hooks, and follow it
until it is proven, or has failed and was rolled back. Whoever still follows it, as slipway install
does, goes on as well. slipway stop sends the traffic back instead.`,
		Example: "  slipway continue --environment production\n  slipway continue --cluster qa --service hid-generator --detach",
		Args:    noArguments,
		RunE:    func(c *cobra.Command, _ []string) error { return p.continued(c.Context(), o) },
	}
	o.flags(c)
	c.Flags().DurationVar(&o.timeout, "timeout", 0, "`DURATION` until the rollout must be proven; the project's (20m) unless given")
	c.Flags().BoolVar(&o.detach, "detach", false, "let it go on, and don't follow it")
	return c
}

func (p *Program) continued(ctx context.Context, o continueOptions) error {
	target, ref, policy, err := o.find(ctx, p)
	if err != nil {
		return err
	}
	if o.timeout > 0 {
		policy.Timeout = o.timeout
	}
	follow := p.follow()
	result, err := deploy.Continue(ctx, target, ref, !o.detach, rollout.Policy{
		Timeout: policy.Timeout, Bake: policy.Bake, Rollback: policy.Rollback,
	}, deploy.Options{Report: follow.report, Watched: p.watched()})
	follow.close()
	return ended(result, err)
}
