package cli

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/slipway-cd/slipway/artifact"
	"github.com/slipway-cd/slipway/checkout"
	"github.com/slipway-cd/slipway/cli/terminal"
	"github.com/slipway-cd/slipway/config"
	"github.com/slipway-cd/slipway/delivery"
	"github.com/slipway-cd/slipway/fault"
	"github.com/slipway-cd/slipway/image"
)

// published is what `slipway publish --output json` writes.
type published struct {
	Outcome   publishOutcome     `json:"outcome"`
	Project   config.ProjectName `json:"project"`
	Version   string             `json:"version,omitempty"`     // absent when the branch is ignored, as are all members about what is published
	Reason    string             `json:"reason"`                // why this version, or why none
	Store     config.StoreURL    `json:"store,omitempty"`       // where it is published
	Artifacts []string           `json:"artifacts"`             // paths in the store, the manifest last
	Image     string             `json:"image,omitempty"`       // reference
	Digest    image.Digest       `json:"imageDigest,omitempty"` // absent when the registry doesn't know the image
	Source    *publishedFrom     `json:"source,omitempty"`      // what the manifest in the store says the version was made from
}

// publishedFrom is what a version was made from, the first time that it was published.
type publishedFrom struct {
	Branch string    `json:"branch"`
	Commit string    `json:"commit"` // the full hash; empty outside a repository
	Dirty  bool      `json:"dirty"`  // files differed from the commit
	Time   time.Time `json:"time"`   // of publication
}

// publishOutcome is what publishing did.
type publishOutcome string

const (
	outcomePublished publishOutcome = "published"
	outcomeUnchanged publishOutcome = "unchanged" // the store has this content already
	outcomeIgnored   publishOutcome = "ignored"   // the branch has no version
)

var outcomeOf = map[artifact.Outcome]publishOutcome{artifact.Published: outcomePublished, artifact.Unchanged: outcomeUnchanged}

func (p *Program) publishCommand() *cobra.Command {
	var o projectOptions
	var at targetOptions // where values are looked up
	c := &cobra.Command{
		Use:   "publish",
		Short: "Render this checkout's version and put it into the artifact store",
		Long: `Expand the templates for every environment, check them, and put them with a manifest of their
SHA-256 sums into the artifact store. A published version never changes: publishing the same content
again does nothing, whatever commit it comes from; other content under the same version is refused.
On a branch that the version template doesn't name nothing is published, and that is no error.

The manifest says which commit the version is made from. A working tree with changes that are not
committed is published with a warning, and the manifest says so.

A version is one whole: there is no --environment here. install takes the environment's part of it.`,
		Example: "  slipway publish\n  slipway publish --store dir:/srv/artifacts\n  slipway publish --set registry=registry.example.com",
		Args:    noArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			if c.Flags().Changed(environmentFlag) {
				return misused(c, "leave it out, and name the environment to slipway install;",
					"slipway publish takes no --%s: a version is published as one whole, for every environment", environmentFlag)
			}
			w, err := p.workspace(c.Context(), o, at)
			if err != nil {
				return err
			}
			return p.publish(c.Context(), o, w)
		},
	}
	o.flags(c)
	at.flags(c)
	c.Flags().Lookup(environmentFlag).Hidden = true // it is read all the same, to say why it is refused
	return c
}

// environmentFlag is the flag of those commands that are about one environment.
const environmentFlag = "environment"

func (p *Program) publish(ctx context.Context, o projectOptions, w *delivery.Workspace) error {
	if w.Version.IsZero() {
		return p.tellIgnored(w, "published", p.JSON)
	}
	environments := w.Project.AllEnvironments()
	if _, err := w.Render(ctx, environments, ""); err != nil { // problems before anybody is asked for anything
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
	p.warnOfChanges(w.State)
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
	return result, url, conflicting(err, w.Project)
}

// conflicting adds to a conflict how the project gets a version that is free.
func conflicting(err error, p *config.Project) error {
	if fault.KindOf(err) != fault.Conflict {
		return err
	}
	return fault.New(fault.Conflict, "%w", err).WithHint("a published version never changes: %s", raise(p))
}

// changesShown is how many changed files a warning names.
const changesShown = 3

// warnOfChanges tells that what is published is not what the commit says.
func (p *Program) warnOfChanges(s checkout.State) {
	if !s.Dirty() {
		return
	}
	shown := s.Changes[:min(len(s.Changes), changesShown)]
	rest := ""
	if more := len(s.Changes) - len(shown); more > 0 {
		rest = fmt.Sprintf(" and %d more", more)
	}
	p.Say("%s the working tree has changes that are not committed: %s%s", p.Style(terminal.Warn, "warning:"), strings.Join(shown, ", "), rest)
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

// tellIgnored tells that a branch has no version, and why: nothing was done with it. Write is how the caller writes documents.
func (p *Program) tellIgnored(w *delivery.Workspace, done string, write func(document any) error) error {
	if p.output == outputJSON {
		return write(published{Outcome: outcomeIgnored, Project: w.Project.Name, Reason: w.Match.Reason, Artifacts: []string{}})
	}
	p.Say("nothing %s: %s", done, w.Match.Reason)
	return nil
}

func (p *Program) tellPublished(w *delivery.Workspace, result delivery.Publication, url config.StoreURL) error {
	doc := published{
		Outcome: outcomeOf[result.Outcome], Project: w.Project.Name, Version: w.Version.String(), Reason: w.Match.Reason, Store: url,
		Artifacts: []string{}, Image: result.Manifest.Image.Reference, Digest: result.Manifest.Image.Digest,
		Source: &publishedFrom{result.Manifest.Branch, result.Manifest.Commit, result.Manifest.Dirty, result.Manifest.Time},
	}
	for _, name := range result.Names {
		doc.Artifacts = append(doc.Artifacts, name.Path())
	}
	if p.output == outputJSON {
		return p.JSON(doc)
	}
	if result.Outcome == artifact.Unchanged {
		p.Say("%s %s is in %s already, with the same content", w.Project.Name, w.Version, url)
		p.tellFirst(result)
	} else {
		p.Say("%s %s %s into %s", p.Style(terminal.Good, "published"), w.Project.Name, w.Version, url)
	}
	for _, name := range doc.Artifacts {
		p.Printf("%s\n", name)
	}
	return nil
}

// tellFirst tells of a version that was published from something else before that its manifest stays the first one.
func (p *Program) tellFirst(result delivery.Publication) {
	if first := result.Manifest.Origin(); first != result.Origin {
		p.Say("%s its manifest stays the first one, from %s", p.Style(terminal.Warn, "note:"), first)
	}
}
