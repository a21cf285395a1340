package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"

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

type serviceOptions struct {
	projectOptions
	targetOptions
	cluster, service string
}

func (o *serviceOptions) flags(c *cobra.Command) {
	o.projectOptions.flags(c)
	o.targetOptions.flags(c)
	c.Flags().StringVar(&o.cluster, "cluster", "", "`NAME` of the cluster; the project's unless given")
	c.Flags().StringVar(&o.service, "service", "", "`NAME` of the service; the project's unless given")
}

// find says which service is meant, on which scheduler: the one named, or the one that the project's templates name.
func (o serviceOptions) find(ctx context.Context, p *Program) (deploy.Target, rollout.ServiceRef, config.Policy, error) {
	if o.service != "" {
		cluster := o.cluster
		if cluster == "" {
			cluster = "default"
		}
		target, err := app.Target(ctx, config.ECS, o.targetOptions.options(config.Environment{}))
		ref := rollout.ServiceRef{Cluster: rollout.ClusterName(cluster), Service: rollout.ServiceName(o.service)}
		return target, ref, config.Policy{Rollback: true}, err
	}
	w, err := p.workspace(ctx, o.projectOptions)
	if err != nil {
		return nil, rollout.ServiceRef{}, config.Policy{}, fault.New(fault.KindOf(err), "%w", err).
			WithHint("name the service with --cluster and --service, or call this in a project")
	}
	env, err := w.Project.Environment(config.EnvironmentName(o.environment))
	if err != nil {
		return nil, rollout.ServiceRef{}, config.Policy{}, err
	}
	ref, err := reference(ctx, w, env)
	if err != nil {
		return nil, ref, config.Policy{}, err
	}
	if o.cluster != "" {
		ref.Cluster = rollout.ClusterName(o.cluster)
	}
	target, err := app.Target(ctx, env.Scheduler, o.targetOptions.options(env))
	return target, ref, env.Policy, err
}

// reference renders the templates just far enough to read which service they are about. It is the same for every
// version, so a branch without one does as well.
func reference(ctx context.Context, w *delivery.Workspace, env config.Environment) (rollout.ServiceRef, error) {
	at := *w
	if at.Version.IsZero() {
		at.Version, _ = version.Parse("0.0.0.NONE")
	}
	rendered, err := at.Render(ctx, []config.Environment{env}, "")
	if err != nil {
		return rollout.ServiceRef{}, err
	}
	docs := rollout.Documents{}
	for _, d := range rendered[0].Documents {
		docs[d.Kind] = d.Body
	}
	ref, err := delivery.Reference(docs)
	ref.Wanted = nil
	return ref, err
}

func (p *Program) statusCommand() *cobra.Command {
	var o serviceOptions
	c := &cobra.Command{
		Use:   "status",
		Short: "Tell what runs, and whether it is proven",
		Long: `Tell which version of a service runs, whether it is proven, its deployments, tasks and load
balancer targets, why the newest deployment failed if it did, and what keeps the one under way.
It is an error when there is no such service.`,
		Example: "  slipway status\n  slipway status --environment qa\n  slipway status --cluster qa --service hid-generator --output json",
		Args:    noArguments,
		RunE:    func(c *cobra.Command, _ []string) error { return p.status(c.Context(), o) },
	}
	o.flags(c)
	return c
}

func (p *Program) status(ctx context.Context, o serviceOptions) error {
	target, ref, _, err := o.find(ctx, p)
	if err != nil {
		return err
	}
	s, err := deploy.Look(ctx, target, ref)
	if err != nil {
		return err
	}
	missing := s.Seen.Status == rollout.Missing
	switch {
	case p.output == outputJSON && missing:
		return errors.Join(p.JSON(s), quiet{exitError})
	case p.output == outputJSON:
		return p.JSON(s)
	case missing:
		return fault.New(fault.NotFound, "there is no service %q in cluster %q", s.Service, s.Cluster).
			WithHint("check --cluster, --service and --region; `slipway install` creates what is published")
	}
	p.showStatus(s)
	return nil
}

func (p *Program) showStatus(s deploy.Status) {
	head := fmt.Sprintf("%s on %s", s.Service, s.Cluster)
	verdict := p.Style(terminal.Warn, "not proven")
	if s.Proven {
		verdict = p.Style(terminal.Good, "proven")
	}
	p.Printf("%s  %s %s\n", p.Style(terminal.Strong, head), s.Version, verdict)
	for _, m := range s.Missing {
		p.Printf("  %s\n", m)
	}
	p.showDeployments(s)
	p.showTargets(s)
	p.showFailure(s)
	p.showHindrance(s)
	p.showEvents(s.Seen.Events)
}

func (p *Program) showDeployments(s deploy.Status) {
	t := terminal.Table{Head: []string{"  DEPLOYMENT", "", "VERSION", "REVISION", "STATE", "RUNNING", "PENDING", "FAILED"}}
	for _, d := range s.Seen.Deployments {
		role := "old"
		if d.Primary {
			role = "primary"
		}
		t.Add("  "+string(d.ID), role, d.Version, short(string(d.Revision)), string(d.State),
			fmt.Sprintf("%d of %d", d.Running, d.Desired), fmt.Sprint(d.Pending), fmt.Sprint(d.Failed))
	}
	p.Table(t)
}

func (p *Program) showTargets(s deploy.Status) {
	t := terminal.Table{Head: []string{"  TARGET", "GROUP", "STATE", "REASON"}}
	for _, target := range s.Seen.Targets {
		t.Add("  "+target.Name(), short(target.Group), string(target.State), target.Reason)
	}
	p.Table(t)
	if len(s.Seen.Addresses) > 0 {
		p.Printf("  reached at %s\n", strings.Join(s.Seen.Addresses, ", "))
	}
}

func (p *Program) showFailure(s deploy.Status) {
	f := s.LastFailure
	if f == nil {
		return
	}
	what := "failed"
	if f.RolledBack {
		what = "failed and was rolled back"
	}
	name := f.Version
	if name == "" {
		name = short(string(f.Revision))
	}
	if f.Reason != "" {
		what += ": " + f.Reason
	}
	p.Printf("  %s\n", p.Style(terminal.Bad, fmt.Sprintf("the %s deployment, of %s, %s", which(s, f), name, what)))
	for _, line := range p.diagnosis(s.Diagnosis) {
		p.Printf("  %s\n", line)
	}
}

// showHindrance says why the deployment under way does not get anywhere.
func (p *Program) showHindrance(s deploy.Status) {
	if s.Hindrance == nil {
		return
	}
	text := "the deployment under way has trouble"
	if primary := s.Seen.Primary(); primary != nil && primary.State == rollout.Completed {
		text = "what runs has trouble"
	}
	p.Printf("  %s\n", p.Style(terminal.Bad, text))
	for _, line := range p.diagnosis(s.Hindrance) {
		p.Printf("  %s\n", line)
	}
}

// which says of a failed deployment whether something newer is on its way.
func which(s deploy.Status, f *rollout.LastFailure) string {
	if primary := s.Seen.Primary(); primary != nil && primary.ID != f.Deployment && primary.State == rollout.InProgress {
		return "previous"
	}
	return "newest"
}

const eventsShown = 5

func (p *Program) showEvents(events []rollout.Event) {
	for _, e := range events[:min(len(events), eventsShown)] {
		p.Printf("  %s\n", p.Style(terminal.Faint, e.At.Local().Format("15:04:05")+" "+e.Text))
	}
}

// short returns what follows the last slash: the readable end of an ARN.
func short(name string) string { return name[strings.LastIndexByte(name, '/')+1:] }
