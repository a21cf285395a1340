package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/slipway-cd/slipway/app"
	"github.com/slipway-cd/slipway/cli/terminal"
	"github.com/slipway-cd/slipway/config"
	"github.com/slipway-cd/slipway/delivery"
	"github.com/slipway-cd/slipway/deploy"
	"github.com/slipway-cd/slipway/fault"
	"github.com/slipway-cd/slipway/rollout"
	"github.com/slipway-cd/slipway/version"
)

type planOptions struct {
	projectOptions
	targetOptions
	force    bool
	exitCode bool
	out      string
}

// savedPlan is a plan as `slipway plan` writes it.
type savedPlan struct {
	deploy.Planned
	Project     config.ProjectName     `json:"project"`
	Environment config.EnvironmentName `json:"environment,omitempty"`
	Sum         string                 `json:"manifestSha256"` // of the published version's manifest: what is installed is what was planned
	Force       bool                   `json:"force,omitempty"`
}

func (p *Program) planCommand() *cobra.Command {
	var o planOptions
	c := &cobra.Command{
		Use:   "plan VERSION",
		Short: "Tell what installing a published version would change",
		Long: `Tell what installing a published version would change, and touch nothing: how task definition and
service differ from what runs, which steps follow, how many tasks are replaced, and how long the
newest deployment took that came to its end.

With --out the plan is saved; slipway install --plan performs exactly that, or refuses when what runs,
or what was published, is not the same any more. With --exit-code, 3 says that there are changes.`,
		Example: "  slipway plan 1.0.16.RELEASE\n  slipway plan 1.0.16.RELEASE --environment production --exit-code\n  slipway plan 1.0.16.RELEASE --out release.plan && slipway install --plan release.plan",
		Args:    oneArgument("VERSION"),
		RunE: func(c *cobra.Command, args []string) error {
			v, err := version.Parse(args[0])
			if err != nil {
				return err
			}
			w, err := p.workspace(c.Context(), o.projectOptions)
			if err != nil {
				return err
			}
			return p.plan(c.Context(), o, w, v)
		},
	}
	o.projectOptions.flags(c)
	o.targetOptions.flags(c)
	f := c.Flags()
	f.BoolVar(&o.force, "force", false, "plan a new deployment even if this version runs already")
	f.BoolVar(&o.exitCode, "exit-code", false, "exit with 3 when there are changes")
	f.StringVar(&o.out, "out", "", "`FILE` to save the plan in, for install --plan")
	return c
}

func (p *Program) plan(ctx context.Context, o planOptions, w *delivery.Workspace, v version.Version) error {
	env, err := w.Project.Environment(config.EnvironmentName(o.environment))
	if err != nil {
		return err
	}
	wish, err := installOptions{projectOptions: o.projectOptions, force: o.force, bake: -1}.wish(ctx, w, env, v)
	if err != nil {
		return err
	}
	target, err := app.Target(ctx, env.Scheduler, o.targetOptions.options(env))
	if err != nil {
		return err
	}
	planned, err := deploy.Plan(ctx, target, wish.Desired, wish.Policy)
	if err != nil {
		return err
	}
	plan := savedPlan{Planned: planned, Project: w.Project.Name, Environment: env.Name, Sum: wish.Sum, Force: o.force}
	if o.out != "" {
		if err := plan.save(o.out); err != nil {
			return err
		}
	}
	if p.output == outputJSON {
		if err := p.JSON(plan); err != nil {
			return err
		}
	} else {
		p.showPlan(plan)
	}
	if o.exitCode && plan.Alters() {
		return quiet{exitChanges}
	}
	return nil
}

func (s savedPlan) save(path string) error {
	text, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return fault.New(fault.Internal, "cannot write the plan: %w", err)
	}
	draft := filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+".new")
	if err := os.WriteFile(draft, append(text, '\n'), 0o644); err != nil {
		return fault.New(fault.Invalid, "cannot save the plan: %w", err)
	}
	if err := os.Rename(draft, path); err != nil {
		return fault.New(fault.Invalid, "cannot save the plan: %w", err)
	}
	return nil
}

// planSize bounds how much of a file is read as a plan.
const planSize = 16 << 20

// readPlan reads a saved plan.
func readPlan(path string) (savedPlan, version.Version, error) {
	var plan savedPlan
	info, err := os.Stat(path)
	if err != nil {
		return plan, version.Version{}, fault.New(fault.Invalid, "cannot read the plan: %w", err)
	}
	if info.Size() > planSize {
		return plan, version.Version{}, fault.New(fault.Invalid, "%s is no plan: it has %d bytes", path, info.Size())
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return plan, version.Version{}, fault.New(fault.Invalid, "cannot read the plan: %w", err)
	}
	d := json.NewDecoder(bytes.NewReader(text))
	if err := d.Decode(&plan); err != nil || plan.Schema != deploy.Schema || plan.Service == "" {
		return plan, version.Version{}, fault.New(fault.Invalid, "%s is no plan of this program", path).WithHint("`slipway plan VERSION --out FILE` makes one")
	}
	v, err := version.Parse(plan.Version)
	return plan, v, err
}

// check says whether a plan made now would be the saved one.
func (s savedPlan) check(now deploy.Planned, project config.ProjectName, env config.EnvironmentName, sum string) error {
	switch {
	case s.Project != project || s.Environment != env:
		return fault.New(fault.Invalid, "the plan is for project %q, environment %q, and this is project %q, environment %q", s.Project, s.Environment, project, env)
	case s.Sum != sum:
		return fault.New(fault.Refused, "version %s is not published as it was when it was planned: its manifest's sum is %s, and was %s", s.Version, sum, s.Sum).
			WithHint("make a new plan: `slipway plan --out FILE`")
	}
	return s.Holds(now)
}

func (p *Program) showPlan(s savedPlan) {
	from := s.From.Version
	if from == "" {
		from = string(s.From.Status)
	}
	p.Printf("%s\n", p.Style(terminal.Strong, fmt.Sprintf("%s on %s: %s → %s", s.Service, s.Cluster, from, s.Version)))
	if len(s.Steps) == 0 {
		p.Printf("  nothing to change\n")
		return
	}
	for _, reason := range s.Reasons {
		p.Printf("  %s\n", reason)
	}
	document := ""
	for _, d := range s.Changes {
		if words := d.Document.Words(); words != document {
			document = words
			p.Printf("  %s\n", document)
		}
		p.Printf("    %s\n", p.difference(d))
	}
	p.Printf("  steps\n")
	for i, step := range s.Steps {
		p.Printf("    %d. %s\n", i+1, step.Text)
	}
	p.showOutlook(s.Outlook)
}

// difference is one line of a diff: what comes, what goes, what becomes something else.
func (p *Program) difference(d rollout.Difference) string {
	switch {
	case d.Have == "":
		return p.Style(terminal.Good, "+ "+d.Path+"  "+d.Want)
	case d.Want == "":
		return p.Style(terminal.Bad, "- "+d.Path+"  "+d.Have)
	}
	return p.Style(terminal.Warn, "~ "+d.Path) + "  " + p.Style(terminal.Bad, d.Have) + " → " + p.Style(terminal.Good, d.Want)
}

func (p *Program) showOutlook(o rollout.Outlook) {
	var parts []string
	for _, n := range []struct {
		count int
		what  string
	}{{o.Replaced, "replaced"}, {o.Started, "started"}, {o.Stopped, "stopped"}} {
		if n.count > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n.count, n.what))
		}
	}
	if len(parts) > 0 {
		p.Printf("  tasks: %s\n", strings.Join(parts, ", "))
	}
	if o.Seconds > 0 {
		p.Printf("  the newest deployment that came to its end took %s\n", time.Duration(o.Seconds*float64(time.Second)).Round(100*time.Millisecond))
	}
}
