package cli

import (
	"context"
	"io"

	"github.com/spf13/cobra"

	"github.com/slipway-cd/slipway/cli/terminal"
	"github.com/slipway-cd/slipway/config"
	"github.com/slipway-cd/slipway/delivery"
	"github.com/slipway-cd/slipway/deploy"
	"github.com/slipway-cd/slipway/registry"
)

func (p *Program) deployCommand() *cobra.Command {
	var o installOptions
	c := &cobra.Command{
		Use:   "deploy",
		Short: "Build, push, publish and install this checkout in one go",
		Long: `Build the image of this checkout's version, push it, publish the version with the image's digest,
and install it. What is installed is what was published. The same sources build the same image, so
calling it again changes nothing.

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
	w, err := p.workspace(ctx, o.projectOptions)
	if err != nil {
		return none, err
	}
	if w.Version.IsZero() {
		return none, p.tellIgnored(w, p.JSONLine)
	}
	env, err := w.Project.Environment(config.EnvironmentName(o.environment))
	if err != nil {
		return none, err
	}
	if _, err := w.Render(w.Project.AllEnvironments(), ""); err != nil { // problems before anything is built
		return none, err
	}
	pushed, err := p.buildAndPush(ctx, w, env)
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

// buildAndPush makes the version's image and puts it into its registry, telling how it gets on.
func (p *Program) buildAndPush(ctx context.Context, w *delivery.Workspace, env config.Environment) (delivery.Pushed, error) {
	p.Say("building %s %s", w.Project.Name, w.Version)
	img, err := w.BuildImage(ctx, env, p.compilerTalk())
	if err != nil {
		return delivery.Pushed{}, err
	}
	pushed, err := w.PushImage(ctx, env, img, p.pushProgress())
	if err != nil {
		return pushed, err
	}
	p.Say("%s %s@%s", p.Style(terminal.Good, "pushed"), pushed.Reference, pushed.Digest)
	return pushed, nil
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
