package cli

import (
	"context"
	"io"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/spf13/cobra"

	"github.com/slipway-cd/slipway/artifact"
	"github.com/slipway-cd/slipway/cli/terminal"
	"github.com/slipway-cd/slipway/config"
	"github.com/slipway-cd/slipway/delivery"
	"github.com/slipway-cd/slipway/deploy"
	"github.com/slipway-cd/slipway/fault"
	"github.com/slipway-cd/slipway/image"
	"github.com/slipway-cd/slipway/registry"
)

func (p *Program) deployCommand() *cobra.Command {
	var o installOptions
	c := &cobra.Command{
		Use:   "deploy",
		Short: "Build, push, publish and install this checkout in one go",
		Long: `Build the image of this checkout's version, push it, publish the version with the image's digest,
and install it. What is installed is what was published. The same sources build the same image, so
calling it again changes nothing. Nothing is pushed under a version that is published already with
another image.

Exit codes are those of install.`,
		Example: "  slipway deploy\n  slipway deploy --environment qa\n  slipway deploy --endpoint-url http://127.0.0.1:4566 --region us-east-1",
		Args:    noArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			result, err := p.deployWith(c.Context(), o)
			return ended(result, err)
		},
	}
	o.flags(c)
	return c
}

// deployWith takes a checkout all the way. A branch without a version is nothing to deploy, and no error.
func (p *Program) deployWith(ctx context.Context, o installOptions) (deploy.Result, error) {
	none := deploy.Result{Outcome: deploy.Unchanged}
	w, err := p.workspace(ctx, o.projectOptions, o.targetOptions)
	if err != nil {
		return none, err
	}
	if w.Version.IsZero() {
		return none, p.tellIgnored(w, "deployed", p.JSONLine)
	}
	env, err := w.Project.Environment(config.EnvironmentName(o.environment))
	if err != nil {
		return none, err
	}
	if _, err := w.Render(ctx, w.Project.AllEnvironments(), ""); err != nil { // problems before anything is built
		return none, err
	}
	p.warnOfChanges(w.State)
	pushed, err := p.buildAndPush(ctx, o.projectOptions, w, env)
	if err != nil {
		return none, err
	}
	result, url, err := p.publishDigest(ctx, o.projectOptions, w, pushed.Digest)
	if err != nil {
		return none, err
	}
	p.Say("%s %s, in %s", p.Style(terminal.Good, string(result.Outcome)), w.Version, url)
	p.tellFirst(result)
	return p.install(ctx, o, w, w.Version)
}

// buildAndPush makes the version's image and puts it into its registry, telling how it gets on. Of a version that is
// published already with other content nothing is pushed: its image would be replaced wherever it runs.
func (p *Program) buildAndPush(ctx context.Context, o projectOptions, w *delivery.Workspace, env config.Environment) (delivery.Pushed, error) {
	store, _, err := o.openStore(ctx, w)
	if err != nil {
		return delivery.Pushed{}, err
	}
	p.Say("building %s %s", w.Project.Name, w.Version)
	img, err := p.build(ctx, store, w, env)
	if err != nil {
		return delivery.Pushed{}, err
	}
	digest, err := img.Digest()
	if err != nil {
		return delivery.Pushed{}, fault.New(fault.Internal, "cannot compute the image's digest: %w", err)
	}
	if err := w.Publishable(ctx, store, image.Digest(digest.String())); err != nil {
		return delivery.Pushed{}, conflicting(err, w.Project)
	}
	pushed, err := w.PushImage(ctx, env, img, p.pushProgress())
	if err != nil {
		return pushed, err
	}
	p.Say("%s %s@%s", p.Style(terminal.Good, "pushed"), pushed.Reference, pushed.Digest)
	return pushed, nil
}

func (p *Program) build(ctx context.Context, store artifact.Store, w *delivery.Workspace, env config.Environment) (v1.Image, error) {
	revision, err := w.Revision(ctx, store)
	if err != nil {
		return nil, err
	}
	return w.BuildImage(ctx, env, revision, p.compilerTalk())
}

// compilerTalk is where the compiler's words go as they come: nowhere, because the error tells them all, unless more is
// asked for.
func (p *Program) compilerTalk() io.Writer {
	if p.verbose {
		return p.Err
	}
	return io.Discard
}

// pushProgress draws a push's progress where somebody looks.
func (p *Program) pushProgress() func(registry.Progress) {
	if !p.ErrTTY {
		return nil
	}
	live := terminal.NewLive(p.Terminal)
	return func(at registry.Progress) {
		if at.Done >= at.Total {
			live.Clear()
			return
		}
		live.Show([]string{p.Style(terminal.Faint, "pushing "+megabytes(at.Done)+" of "+megabytes(at.Total))})
	}
}
