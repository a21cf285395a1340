package cli

import (
	"context"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/slipway-cd/slipway/cli/terminal"
	"github.com/slipway-cd/slipway/deploy"
	"github.com/slipway-cd/slipway/fault"
	"github.com/slipway-cd/slipway/rollout"
)

type revisionsOptions struct {
	serviceOptions
	limit, keep int
	yes         bool
}

func (p *Program) revisionsCommand() *cobra.Command {
	var o revisionsOptions
	c := &cobra.Command{
		Use:   "revisions",
		Short: "List the revisions of a service's task definition, or retire old ones",
		Long: `List the active revisions of a service's task definition, the newest first: which version each is of,
which runs, and when it was last proven.

With --keep, revisions older than the newest so many are deregistered. What runs, what was proven as
far as ECS remembers (a rollback may go there), and the newest one always stay. Without --yes it is
only told which would go.`,
		Example: "  slipway revisions\n  slipway revisions --cluster qa --service hid-generator --output json\n  slipway revisions --keep 20 --yes",
		Args:    noArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			if c.Flags().Changed("keep") {
				return p.retire(c.Context(), o)
			}
			return p.revisions(c.Context(), o)
		},
	}
	o.flags(c)
	c.Flags().IntVar(&o.limit, "limit", 20, "`COUNT` of revisions to list")
	c.Flags().IntVar(&o.keep, "keep", 0, "`COUNT` of revisions to keep besides those that are needed")
	c.Flags().BoolVar(&o.yes, "yes", false, "deregister what --keep names")
	return c
}

func (p *Program) revisions(ctx context.Context, o revisionsOptions) error {
	if o.limit < 1 {
		return fault.New(fault.Invalid, "--limit: %d is no number of revisions to list", o.limit).WithHint("give 1 or more")
	}
	target, ref, _, err := o.find(ctx, p)
	if err != nil {
		return err
	}
	list, err := deploy.Revisions(ctx, target, ref, o.limit)
	if err != nil || p.output == outputJSON {
		return p.document(list, err)
	}
	t := terminal.Table{Head: []string{"REVISION", "VERSION", "REGISTERED", "PROVEN", ""}}
	for _, r := range list.Revisions {
		t.Add(short(string(r.ID)), r.Version, day(r.Registered), day(r.Proven), p.marks(r))
	}
	p.Table(t)
	if list.Older > 0 {
		p.Say("%d older ones are not shown; --limit shows more", list.Older)
	}
	return nil
}

// document writes what a command came to, unless that is an error.
func (p *Program) document(document any, err error) error {
	if err != nil {
		return err
	}
	return p.JSON(document)
}

func day(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Local().Format("2006-01-02 15:04")
}

func (p *Program) marks(r rollout.RevisionReport) string {
	var marks []string
	if r.Running {
		marks = append(marks, p.Style(terminal.Good, "runs"))
	}
	if r.Newest {
		marks = append(marks, "newest")
	}
	return strings.Join(marks, ", ")
}

func (p *Program) retire(ctx context.Context, o revisionsOptions) error {
	if o.keep < 0 {
		return fault.New(fault.Invalid, "--keep: %d is no number of revisions to keep", o.keep).WithHint("give 0 or more")
	}
	target, ref, _, err := o.find(ctx, p)
	if err != nil {
		return err
	}
	list, err := deploy.Retire(ctx, target, ref, o.keep, !o.yes)
	if err != nil || p.output == outputJSON {
		return p.document(list, err)
	}
	for _, id := range list.Retired {
		p.Printf("%s\n", short(string(id)))
	}
	switch n := len(list.Retired); {
	case n == 0:
		p.Say("nothing can go: all revisions are needed, or among those to keep")
	case o.yes:
		p.Say("deregistered %d of %d revisions", n, n+list.Older)
	default:
		p.Say("%d of %d revisions would be deregistered; --yes does it", n, n+list.Older)
	}
	return nil
}
