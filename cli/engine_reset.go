package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/slipway-cd/slipway/app"
)

func (p *Program) engineResetCommand() *cobra.Command {
	var endpoint string
	var images bool
	c := &cobra.Command{
		Use:   "reset",
		Short: "Remove everything from the engine while it goes on serving",
		Long: `Remove everything that clients have made: clusters, services, tasks with their containers, task
definitions, load balancers, logs, secrets, buckets. The engine goes on serving and is as it was when
its directory was new, so that each test of a suite can begin with nothing. Containers are not waited
for. Faults end.

What was pushed to the engine's registry stays; with --images it goes as well.`,
		Example: "  slipway engine reset\n  slipway engine reset --images",
		Args:    noArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			return p.engineReset(c.Context(), p.engineEndpoint(endpoint), images)
		},
	}
	endpointFlag(c, &endpoint)
	c.Flags().BoolVar(&images, "images", false, "remove images as well, and their repositories")
	return c
}

func (p *Program) engineReset(ctx context.Context, endpoint string, images bool) error {
	s, err := app.ResetEngine(ctx, endpoint, images)
	if err != nil {
		return err
	}
	if p.output == outputJSON {
		return p.JSON(s)
	}
	p.Say("the engine at %s is empty", s.Endpoint)
	return nil
}
