package cli

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/slipway-cd/slipway/app"
	"github.com/slipway-cd/slipway/cli/terminal"
	"github.com/slipway-cd/slipway/engine/faults"
	"github.com/slipway-cd/slipway/fault"
)

func (p *Program) engineFaultCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "fault",
		Short: "Have things go wrong in the engine, on purpose",
		Long: `Have things go wrong in the engine, on purpose: requests that fail, wait or are throttled, lost
instances and zones, images that cannot be pulled, full disks, containers that stand still, tasks on
Fargate Spot that are interrupted. See what a delivery makes of it, or your own programs.

Faults end when they are cleared, or when the engine does; with --for and --count by themselves.`,
		Example: "  slipway engine fault add throttle 'ecs:Describe*' --percent 50\n  slipway engine fault list\n  slipway engine fault clear --all",
		Args:    noArguments,
		RunE:    func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(p.engineFaultAddCommand(), p.engineFaultListCommand(), p.engineFaultClearCommand())
	return c
}

func (p *Program) engineFaultListCommand() *cobra.Command {
	var endpoint string
	c := &cobra.Command{
		Use:     "list",
		Short:   "List the faults in force",
		Example: "  slipway engine fault list\n  slipway engine fault list --output json",
		Args:    noArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			return p.engineFaultList(c.Context(), p.engineEndpoint(endpoint))
		},
	}
	endpointFlag(c, &endpoint)
	return c
}

func (p *Program) engineFaultList(ctx context.Context, endpoint string) error {
	list, err := app.Faults(ctx, endpoint)
	if err != nil {
		return err
	}
	if p.output == outputJSON {
		return p.JSON(list)
	}
	if len(list) == 0 {
		p.Say("no faults are in force")
	}
	t := terminal.Table{Head: []string{"id", "kind", "target", "hits", "what happens"}}
	for _, f := range list {
		t.Add(f.ID, string(f.Kind), f.Target, fmt.Sprint(f.Hits), effect(f))
	}
	p.Table(t)
	return nil
}

// effect tells in words what a fault does, and until when.
func effect(f faults.Fault) string {
	var parts []string
	if f.Percent > 0 {
		parts = append(parts, fmt.Sprintf("%d %% of", f.Percent))
	}
	parts = append(parts, whatHappens(f))
	if f.Count > 0 {
		parts = append(parts, fmt.Sprintf("(%d in all)", f.Count))
	}
	if f.ForSeconds > 0 {
		parts = append(parts, "until "+f.Ends().Local().Format(time.TimeOnly))
	}
	return strings.Join(parts, " ")
}

func whatHappens(f faults.Fault) string {
	switch f.Kind {
	case faults.Fail:
		return fmt.Sprintf("requests fail with %s (HTTP status %d)", f.Error, f.Status)
	case faults.Delay:
		return fmt.Sprintf("requests wait for %v", f.Wait())
	case faults.Throttle:
		return "requests are throttled"
	case faults.Kill:
		return "lost instances: " + cmp.Or(strings.Join(f.Affected, ", "), "none")
	case faults.Pull:
		return fmt.Sprintf("images cannot be pulled: %s", f.Cause)
	case faults.Disk:
		return "containers cannot be made: no space left on device"
	case faults.Interrupt:
		return "interrupted tasks: " + strings.Join(f.Affected, ", ")
	case faults.Freeze:
		return "standing still: " + strings.Join(f.Affected, ", ")
	}
	return string(f.Kind)
}

type engineFaultClearOptions struct {
	endpoint string
	all      bool
}

func (p *Program) engineFaultClearCommand() *cobra.Command {
	var o engineFaultClearOptions
	c := &cobra.Command{
		Use:   "clear ID | --all",
		Short: "End a fault, or all, and undo what it did",
		Long: `End a fault, or all, and undo what it did: lost instances are replaced by others in the same zone,
containers that stand still go on.`,
		Example: "  slipway engine fault clear fault-1\n  slipway engine fault clear --all",
		Args: func(c *cobra.Command, args []string) error {
			if o.all {
				return noArguments(c, args)
			}
			return oneArgument("fault's id")(c, args)
		},
		RunE: func(c *cobra.Command, args []string) error {
			return p.engineFaultClear(c.Context(), p.engineEndpoint(o.endpoint), strings.Join(args, ""))
		},
	}
	endpointFlag(c, &o.endpoint)
	c.Flags().BoolVar(&o.all, "all", false, "end all faults")
	return c
}

// engineFaultClear clears a fault, or all when none is named.
func (p *Program) engineFaultClear(ctx context.Context, endpoint, id string) error {
	cleared, err := app.ClearFault(ctx, endpoint, id)
	if err != nil {
		return err
	}
	if p.output == outputJSON {
		return p.JSON(cleared)
	}
	for _, f := range cleared {
		p.Say("%s has ended: %s %s, %s", f.ID, f.Kind, f.Target, times(f.Hits))
	}
	if len(cleared) == 0 {
		p.Say("no faults are in force")
	}
	return nil
}

func times(n int) string {
	if n == 1 {
		return "hit once"
	}
	return fmt.Sprintf("hit %d times", n)
}

// seconds is a duration as documents have it.
func seconds(flag string, d time.Duration) (float64, error) {
	if d < 0 {
		return 0, fault.New(fault.Invalid, "--%s %v: it cannot be below 0", flag, d)
	}
	return d.Seconds(), nil
}
