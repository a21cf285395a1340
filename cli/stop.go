package cli

import (
	"github.com/spf13/cobra"

	"github.com/slipway-cd/slipway/deploy"
	"github.com/slipway-cd/slipway/rollout"
)

func (p *Program) stopCommand() *cobra.Command {
	var o changeOptions
	var asIs bool
	c := &cobra.Command{
		Use:   "stop",
		Short: "Stop a deployment that is under way",
		Long: `Stop the deployment of a service that is under way: the last proven revision comes back, and is
followed until it is proven again. With --as-is nothing is brought back: the scheduler starts no
more tasks for the deployment, and what runs goes on running.

It is an error when nothing is under way: slipway rollback undoes what has come to its end.`,
		Example: "  slipway stop --environment qa\n  slipway stop --cluster qa --service hid-generator --as-is",
		Args:    noArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			return p.change(c.Context(), o, func(t deploy.Target, ref rollout.ServiceRef, policy rollout.Policy, opts deploy.Options) (deploy.Result, error) {
				if asIs {
					return deploy.Halt(c.Context(), t, ref, opts)
				}
				policy.RollbackTimeout = o.timeout
				return deploy.Stop(c.Context(), t, ref, policy, opts)
			})
		},
	}
	o.flags(c, "the last proven revision must serve again")
	c.Flags().BoolVar(&asIs, "as-is", false, "bring nothing back: leave what runs as it is")
	return c
}
