package cli

import (
	"github.com/spf13/cobra"

	"github.com/slipway-cd/slipway/deploy"
	"github.com/slipway-cd/slipway/rollout"
)

func (p *Program) deleteCommand() *cobra.Command {
	var o changeOptions
	var yes bool
	c := &cobra.Command{
		Use:   "delete",
		Short: "Take a service away, with all its tasks",
		Long: `Take a service away, with all its tasks, and wait until they are gone. Its task definitions, load
balancers and logs stay, and so do published versions: slipway install makes the service anew.

Nothing is deleted without --yes.`,
		Example: "  slipway delete --environment qa --yes\n  slipway delete --cluster qa --service hid-generator --yes",
		Args:    noArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			if !yes {
				return misused(c, "add --yes if that is meant", "slipway delete takes a service away with all its tasks")
			}
			return p.change(c.Context(), o, func(t deploy.Target, ref rollout.ServiceRef, policy rollout.Policy, opts deploy.Options) (deploy.Result, error) {
				return deploy.Delete(c.Context(), t, ref, policy, opts)
			})
		},
	}
	o.flags(c, "the tasks must be gone")
	c.Flags().BoolVar(&yes, "yes", false, "this is meant")
	return c
}
