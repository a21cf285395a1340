package cli

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/slipway-cd/slipway/app"
	"github.com/slipway-cd/slipway/cli/terminal"
)

func (p *Program) engineStatusCommand() *cobra.Command {
	var endpoint string
	c := &cobra.Command{
		Use:     "status",
		Short:   "Tell whether an engine runs, and what it runs",
		Example: "  slipway engine status\n  slipway engine status --output json",
		Args:    noArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			return p.engineStatus(c.Context(), p.engineEndpoint(endpoint))
		},
	}
	endpointFlag(c, &endpoint)
	return c
}

func (p *Program) engineStatus(ctx context.Context, endpoint string) error {
	s, err := app.AskEngine(ctx, endpoint)
	if err != nil {
		return err
	}
	if p.output == outputJSON {
		return p.JSON(s)
	}
	var t terminal.Table
	t.Add("endpoint", s.Endpoint)
	t.Add("runtime", s.Runtime)
	t.Add("speed", fmt.Sprintf("%v × AWS", s.Speed))
	t.Add("started", s.Started.Local().Format(time.DateTime))
	t.Add("process", fmt.Sprint(s.PID))
	t.Add("state", absolute(s.Dir))
	t.Add("clusters", fmt.Sprint(s.Clusters))
	t.Add("services", fmt.Sprint(s.Services))
	t.Add("tasks", fmt.Sprint(s.Tasks))
	if s.Limits != app.NoLimits {
		t.Add("limits", string(s.Limits))
	}
	if s.Faults > 0 {
		t.Add("faults", fmt.Sprintf("%d in force: see `slipway engine fault list`", s.Faults))
	}
	p.Table(t)
	for _, problem := range s.Problems {
		p.Say("%s %s", p.Style(terminal.Warn, "problem:"), problem)
	}
	return nil
}
