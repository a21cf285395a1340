package cli

import (
	"github.com/spf13/cobra"

	"github.com/slipway-cd/slipway/deploy"
	"github.com/slipway-cd/slipway/rollout"
)

func (p *Program) continueCommand() *cobra.Command {
	var o changeOptions
	var detach bool
	c := &cobra.Command{
		Use:   "continue",
		Short: "Let a deployment go on that waits for somebody",
		Long: `Let a deployment go on that has come to a pause of its service's lifecycle hooks, and follow it
until it is proven, or has failed and was rolled back. Whoever still follows it, as slipway install
does, goes on as well. slipway stop sends the traffic back instead.`,
		Example: "  slipway continue --environment production\n  slipway continue --cluster qa --service hid-generator --detach",
		Args:    noArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			return p.change(c.Context(), o, func(t deploy.Target, ref rollout.ServiceRef, policy rollout.Policy, opts deploy.Options) (deploy.Result, error) {
				return deploy.Continue(c.Context(), t, ref, !detach, policy, opts)
			})
		},
	}
	o.flags(c, "the rollout must be proven")
	c.Flags().BoolVar(&detach, "detach", false, "let it go on, and don't follow it")
	return c
}
