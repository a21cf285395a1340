package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/slipway-cd/slipway/cli/terminal"
	"github.com/slipway-cd/slipway/deploy"
	"github.com/slipway-cd/slipway/rollout"
)

type rollbackOptions struct {
	changeOptions
	to   string
	list bool
}

func (p *Program) rollbackCommand() *cobra.Command {
	var o rollbackOptions
	c := &cobra.Command{
		Use:   "rollback",
		Short: "Bring the last proven revision back",
		Long: `Bring a service back to the proven revision before the one that runs: the newest deployment that
came to a good end, with every attribute that it had, not only its task definition. It is followed
until it is proven again.

With --to it is the newest proven deployment of that version or revision. --list tells what there is
to go to.`,
		Example: "  slipway rollback\n  slipway rollback --environment production --to 1.0.14.RELEASE\n  slipway rollback --cluster qa --service hid-generator --list",
		Args:    noArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			if o.list {
				return p.ways(c.Context(), o)
			}
			return p.rollback(c.Context(), o)
		},
	}
	o.flags(c, "the rollback must be proven")
	c.Flags().StringVar(&o.to, "to", "", "`VERSION` or revision to go to; the last proven one unless given")
	c.Flags().BoolVar(&o.list, "list", false, "list the proven deployments, and change nothing")
	return c
}

func (p *Program) rollback(ctx context.Context, o rollbackOptions) error {
	return p.change(ctx, o.changeOptions, func(t deploy.Target, ref rollout.ServiceRef, policy rollout.Policy, opts deploy.Options) (deploy.Result, error) {
		to, err := chosen(ctx, t, ref, o.to)
		if err != nil {
			return deploy.Result{}, err
		}
		policy.RollbackTimeout = o.timeout
		return deploy.RollBack(ctx, t, ref, to, policy, opts)
	})
}

// chosen returns the proven deployment that a name means; nil when nothing is named.
func chosen(ctx context.Context, target deploy.Target, ref rollout.ServiceRef, name string) (*rollout.Proof, error) {
	if name == "" {
		return nil, nil
	}
	ways, err := deploy.Ways(ctx, target, ref)
	if err != nil {
		return nil, err
	}
	return deploy.Choose(ways, name)
}

// wayList is what `slipway rollback --list --output json` writes.
type wayList struct {
	Schema  int                 `json:"schema"`
	Cluster rollout.ClusterName `json:"cluster"`
	Service rollout.ServiceName `json:"service"`
	Proven  []deploy.Way        `json:"proven"` // the newest first
}

func (p *Program) ways(ctx context.Context, o rollbackOptions) error {
	target, ref, _, err := o.find(ctx, p)
	if err != nil {
		return err
	}
	ways, err := deploy.Ways(ctx, target, ref)
	if err != nil || p.output == outputJSON {
		return p.document(wayList{deploy.Schema, ref.Cluster, ref.Service, ways}, err)
	}
	if len(ways) == 0 {
		p.Say("nothing was ever proven of service %s in cluster %s, as far as the scheduler remembers", ref.Service, ref.Cluster)
	}
	t := terminal.Table{Head: []string{"PROVEN", "VERSION", "REVISION", "DEPLOYMENT", ""}}
	for _, w := range ways {
		mark := ""
		if w.Runs {
			mark = p.Style(terminal.Good, "runs")
		}
		t.Add(day(w.At), w.Version, short(string(w.Revision)), string(w.Deployment), mark)
	}
	p.Table(t)
	return nil
}
