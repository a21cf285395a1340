package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/slipway-cd/slipway/artifact"
	"github.com/slipway-cd/slipway/cli/terminal"
	"github.com/slipway-cd/slipway/config"
	"github.com/slipway-cd/slipway/delivery"
	"github.com/slipway-cd/slipway/fault"
	"github.com/slipway-cd/slipway/image"
)

// published is what `slipway publish --output json` writes.
type published struct {
	Outcome   string             `json:"outcome"` // published, unchanged or ignored
	Project   config.ProjectName `json:"project"`
	Version   string             `json:"version,omitempty"`
	Reason    string             `json:"reason"` // why this version, or why none
	Store     config.StoreURL    `json:"store,omitempty"`
	Artifacts []string           `json:"artifacts"`
	Image     string             `json:"image,omitempty"`
	Digest    image.Digest       `json:"imageDigest,omitempty"`
}

func (p *Program) publishCommand() *cobra.Command {
	var o projectOptions
	c := &cobra.Command{
		Use:   "publish",
		Short: "Render this checkout's version and put it into the artifact store",
		Long: `Expand the templates for every environment, check them, and put them with a manifest of their
SHA-256 sums into the artifact store. A published version never changes: publishing the same content
again does nothing, other content under the same version is refused. On a branch that the version
template doesn't name nothing is published, and that is no error.

A version is one whole: there is no --environment here. install takes the environment's part of it.`,
		Example: "  slipway publish\n  slipway publish --store dir:/srv/artifacts\n  slipway publish --set registry=registry.example.com",
		Args:    noArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			if c.Flags().Changed(environmentFlag) {
				return misused(c, "leave it out, and name the environment to slipway install;",
					"slipway publish takes no --%s: a version is published as one whole, for every environment", environmentFlag)
			}
			w, err := p.workspace(c.Context(), o)
			if err != nil {
				return err
			}
			return p.publish(c.Context(), o, w)
		},
	}
	o.flags(c)
	c.Flags().Lookup(environmentFlag).Hidden = true // it is read all the same, to say why it is refused
	return c
}

// environmentFlag is the flag of those commands that are about one environment.
const environmentFlag = "environment"

func (p *Program) publish(ctx context.Context, o projectOptions, w *delivery.Workspace) error {
	if w.Version.IsZero() {
		return p.tellIgnored(w)
	}
	environments := w.Project.AllEnvironments()
	if _, err := w.Render(environments, ""); err != nil { // problems before anybody is asked for anything
		return err
	}
	if _, _, err := o.openStore(ctx, w); err != nil {
		return err
	}
	digest, err := w.ImageDigest(ctx, environments[0])
	if err != nil {
		if fault.KindOf(err) == fault.Invalid {
			return err
		}
		p.Say("%s the image's digest is not recorded: %v", p.Style(terminal.Warn, "note:"), err)
	}
	result, url, err := p.publishDigest(ctx, o, w, digest)
	if err != nil {
		return err
	}
	return p.tellPublished(w, result, url)
}

func (p *Program) publishDigest(ctx context.Context, o projectOptions, w *delivery.Workspace, digest image.Digest) (delivery.Publication, config.StoreURL, error) {
	store, url, err := o.openStore(ctx, w)
	if err != nil {
		return delivery.Publication{}, "", err
	}
	result, err := w.Publish(ctx, store, digest)
	if fault.KindOf(err) == fault.Conflict {
		err = fault.New(fault.Conflict, "%w", err).
			WithHint("a published version never changes: %s", raise(w.Project))
	}
	return result, url, err
}

// raise says how a project gets a new version number.
func raise(p *config.Project) string {
	switch {
	case !p.Version.File.IsZero():
		return "raise the version in " + p.Version.File.String()
	case !p.Version.GitTag.IsZero():
		return "commit, or tag this commit with a higher version"
	default:
		return "raise the version in " + p.File
	}
}

func (p *Program) tellIgnored(w *delivery.Workspace) error {
	if p.output == outputJSON {
		return p.JSON(published{Outcome: "ignored", Project: w.Project.Name, Reason: w.Match.Reason, Artifacts: []string{}})
	}
	p.Say("nothing published: %s", w.Match.Reason)
	return nil
}

func (p *Program) tellPublished(w *delivery.Workspace, result delivery.Publication, url config.StoreURL) error {
	doc := published{
		Outcome: string(result.Outcome), Project: w.Project.Name, Version: w.Version.String(), Reason: w.Match.Reason, Store: url,
		Artifacts: []string{}, Image: result.Manifest.Image.Reference, Digest: result.Manifest.Image.Digest,
	}
	for _, name := range result.Names {
		doc.Artifacts = append(doc.Artifacts, name.Path())
	}
	if p.output == outputJSON {
		return p.JSON(doc)
	}
	if result.Outcome == artifact.Unchanged {
		p.Say("%s %s is in %s already, with the same content", w.Project.Name, w.Version, url)
	} else {
		p.Say("%s %s %s into %s", p.Style(terminal.Good, "published"), w.Project.Name, w.Version, url)
	}
	for _, name := range doc.Artifacts {
		p.Printf("%s\n", name)
	}
	return nil
}
