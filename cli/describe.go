package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/slipway-cd/slipway/artifact"
	"github.com/slipway-cd/slipway/config"
	"github.com/slipway-cd/slipway/delivery"
	"github.com/slipway-cd/slipway/descriptor"
)

// description is what `slipway describe --output json` writes.
type description struct {
	Project   config.ProjectName `json:"project"`
	Version   string             `json:"version,omitempty"`      // absent when the branch is ignored, as are tag and image
	Tag       string             `json:"tag,omitempty"`          // of the version
	Reason    string             `json:"reason"`                 // why this version, or why none
	Branch    string             `json:"branch"`                 // empty: on no branch
	BranchOf  string             `json:"branchOrigin,omitempty"` // from where the branch is known: git, or a CI system's variable
	Commit    string             `json:"commit,omitempty"`       // the full hash; absent outside a repository
	Dirty     bool               `json:"dirty"`                  // files differ from the commit
	Changes   []string           `json:"changes"`                // those files, from the repository's root
	Image     string             `json:"image,omitempty"`        // reference
	Artifacts []string           `json:"artifacts"`              // paths in the store that publishing would write, the manifest last
	Store     config.StoreURL    `json:"store"`                  // where it would be published
}

func (p *Program) describeCommand() *cobra.Command {
	var o projectOptions
	c := &cobra.Command{
		Use:   "describe",
		Short: "Tell the version, image and artifacts of this checkout",
		Long: `Tell which version this checkout is, and why: its number from slipway.yaml, its tag from the
branch through the project's version template. Nothing is built or published.`,
		Example: "  slipway describe\n  slipway describe --output json | jq -r .version",
		Args:    noArguments,
		RunE:    func(c *cobra.Command, _ []string) error { return p.describe(c.Context(), o) },
	}
	o.flags(c)
	return c
}

func (p *Program) describe(ctx context.Context, o projectOptions) error {
	w, err := p.workspace(ctx, o)
	if err != nil {
		return err
	}
	d, err := describe(ctx, w, config.EnvironmentName(o.environment))
	if err != nil {
		return err
	}
	if p.output == outputJSON {
		return p.JSON(d)
	}
	p.Table(table(d))
	return nil
}

func describe(ctx context.Context, w *delivery.Workspace, environment config.EnvironmentName) (description, error) {
	d := description{
		Project: w.Project.Name, Reason: w.Match.Reason, Branch: w.State.Branch, BranchOf: w.State.BranchOrigin,
		Commit: w.State.Commit, Dirty: w.State.Dirty(), Changes: []string{},
		Store: w.Project.Artifacts, Artifacts: []string{},
	}
	d.Changes = append(d.Changes, w.State.Changes...)
	if w.Version.IsZero() {
		return d, nil
	}
	d.Version, d.Tag = w.Version.String(), string(w.Version.Tag)
	environments, err := w.Environments(environment)
	if err != nil {
		return d, err
	}
	ref, err := w.ImageName(ctx, environments[0])
	if err != nil {
		return d, err
	}
	d.Image = ref.String()
	for _, env := range environments {
		for _, kind := range kinds(w.Project.Descriptors) {
			name := artifact.Name{Project: w.Project.Name, Version: w.Version, Environment: env.Name, File: string(kind) + ".json"}
			d.Artifacts = append(d.Artifacts, name.Path())
		}
	}
	d.Artifacts = append(d.Artifacts, artifact.ManifestName(w.Project.Name, w.Version).Path())
	return d, nil
}

func kinds(d config.Descriptors) []descriptor.Kind {
	var list []descriptor.Kind
	for _, k := range descriptor.Kinds() {
		file := map[descriptor.Kind]config.Text{
			descriptor.TaskDefinition: d.TaskDefinition, descriptor.ServiceDefinition: d.ServiceDefinition, descriptor.ServiceUpdate: d.ServiceUpdate,
			descriptor.Autoscaling: d.Autoscaling, descriptor.ScheduledTasks: d.ScheduledTasks,
		}[k]
		derived := k == descriptor.ServiceUpdate && !d.ServiceDefinition.IsZero()
		if !file.IsZero() || derived {
			list = append(list, k)
		}
	}
	return list
}
