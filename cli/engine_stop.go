package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/slipway-cd/slipway/app"
)

func (p *Program) engineStopCommand() *cobra.Command {
	var endpoint string
	var clean bool
	c := &cobra.Command{
		Use:   "stop",
		Short: "Stop the engine",
		Long: `Stop the engine. Containers go on running and are found again when the engine is started on the
same directory; with --clear they are removed, with the copies of images that they were made of.
What was pushed to the engine's registry stays.`,
		Example: "  slipway engine stop\n  slipway engine stop --clear",
		Args:    noArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			return p.engineStop(c.Context(), p.engineEndpoint(endpoint), clean)
		},
	}
	endpointFlag(c, &endpoint)
	c.Flags().BoolVar(&clean, "clear", false, "remove all containers as well, and what was unpacked or pulled for them")
	return c
}

func (p *Program) engineStop(ctx context.Context, endpoint string, clean bool) error {
	ctx, cancel := context.WithTimeout(ctx, stopPatience)
	defer cancel()
	s, err := app.StopEngine(ctx, endpoint, clean)
	if err != nil {
		return err
	}
	if p.output == outputJSON {
		return p.JSON(s)
	}
	p.Say("the engine at %s has stopped; its state is in %s", s.Endpoint, absolute(s.Dir))
	return nil
}
