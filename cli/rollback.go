package cli

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"github.com/slipway-cd/slipway/deploy"
	"github.com/slipway-cd/slipway/rollout"
)

type rollbackOptions struct {
	serviceOptions
	timeout time.Duration
}

func (p *Program) rollbackCommand() *cobra.Command {
	var o rollbackOptions
	c := &cobra.Command{
		Use:   "rollback",
		Short: "Bring the last proven revision back",
		Long: `Bring a service back to the proven revision before the one that runs: the newest deployment that
came to a good end, with every attribute that it had, not only its task definition. It is followed
until it is proven again.`,
		Example: "  slipway rollback\n  slipway rollback --environment production\n  slipway rollback --cluster qa --service hid-generator",
		Args:    noArguments,
		RunE:    func(c *cobra.Command, _ []string) error { return p.rollback(c.Context(), o) },
	}
	o.flags(c)
	c.Flags().DurationVar(&o.timeout, "timeout", 0, "`DURATION` until the rollback must be proven; the project's (20m) unless given")
	return c
}

func (p *Program) rollback(ctx context.Context, o rollbackOptions) error {
	target, ref, policy, err := o.find(ctx, p)
	if err != nil {
		return err
	}
	follow := p.follow()
	result, err := deploy.RollBack(ctx, target, ref, nil, rollout.Policy{
		Timeout: policy.Timeout, RollbackTimeout: o.timeout, Bake: policy.Bake, Rollback: true,
	}, deploy.Options{Report: follow.report, Watched: p.watched()})
	follow.close()
	return ended(result, err)
}
