package cli

import (
	"github.com/spf13/cobra"

	"github.com/slipway-cd/slipway/deploy"
	"github.com/slipway-cd/slipway/rollout"
)

func (p *Program) restartCommand() *cobra.Command {
	var o changeOptions
	c := &cobra.Command{
		Use:   "restart",
		Short: "Replace the tasks of a service by new ones of the same revision",
		Long: `Replace the tasks of a service by new ones of the same revision, as a deployment does: within the
service's limits, without losing a request. It is followed until it is proven. When the new tasks
fail, the old ones stay.

Exit codes are those of install.`,
		Example: "  slipway restart --environment qa\n  slipway restart --cluster qa --service hid-generator --timeout 10m",
		Args:    noArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			return p.change(c.Context(), o, func(t deploy.Target, ref rollout.ServiceRef, policy rollout.Policy, opts deploy.Options) (deploy.Result, error) {
				return deploy.Restart(c.Context(), t, ref, policy, opts)
			})
		},
	}
	o.flags(c, "the new tasks must be proven")
	return c
}
