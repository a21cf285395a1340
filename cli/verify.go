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
	"github.com/slipway-cd/slipway/descriptor"
	"github.com/slipway-cd/slipway/fault"
	"github.com/slipway-cd/slipway/rollout"
	"github.com/slipway-cd/slipway/version"
)

// exitProblems is what verify exits with when there are problems.
const exitProblems = 3

type verifyOptions struct {
	projectOptions
	targetOptions
}

func (p *Program) verifyCommand() *cobra.Command {
	var o verifyOptions
	c := &cobra.Command{
		Use:   "verify [VERSION]",
		Short: "Find out what would make a rollout fail, before anything is touched",
		Long: `Look at everything that a version needs, all at once, and tell every problem: descriptors, roles and
their trust policies, the caller's own rights, images and their platforms, secrets and parameters
(that they exist: no value is read), log groups, load balancers, target groups and ports, alarms, and
room for the new tasks. Nothing is touched. What could not be checked is told as well.

Without VERSION this checkout is verified as it would be published; its image need not be pushed yet,
but will be missed. With VERSION it is a version in the artifact store.

Exit codes: 0 no problems; 3 there are problems.`,
		Example: "  slipway verify\n  slipway verify 1.0.16.RELEASE --environment production\n  slipway verify --output json | jq -r '.findings[] | select(.kind==\"problem\").text'",
		Args:    atMostOneArgument("VERSION"),
		RunE: func(c *cobra.Command, args []string) error {
			found, err := p.verify(c.Context(), o, strings.Join(args, ""))
			if err != nil {
				return err
			}
			return p.tellVerified(found)
		},
	}
	o.projectOptions.flags(c)
	o.targetOptions.flags(c)
	return c
}

// verify verifies a published version, or the checkout when none is named.
func (p *Program) verify(ctx context.Context, o verifyOptions, named string) (deploy.Verification, error) {
	none := deploy.Verification{}
	w, err := p.workspace(ctx, o.projectOptions, o.targetOptions)
	if err != nil {
		return none, err
	}
	env, err := w.Project.Environment(config.EnvironmentName(o.environment))
	if err != nil {
		return none, err
	}
	wish, documents, err := p.verifiable(ctx, o, w, env, named)
	if flaws, ok := errors.AsType[fault.Problems](err); ok {
		return flawed(flaws, w), nil
	}
	if err != nil {
		return none, err
	}
	target, err := app.Target(ctx, env.Scheduler, o.targetOptions.options(env))
	if err != nil {
		return none, err
	}
	found, err := deploy.Verify(ctx, target, wish.Desired)
	found.Findings = located(found.Findings, documents)
	return found, err
}

// verifiable returns what is to be verified, and the documents in which places are told.
func (p *Program) verifiable(ctx context.Context, o verifyOptions, w *delivery.Workspace, env config.Environment, named string) (delivery.Wish, []*descriptor.Document, error) {
	if named == "" {
		return w.Preview(ctx, env)
	}
	v, err := version.Parse(named)
	if err != nil {
		return delivery.Wish{}, nil, err
	}
	wish, err := installOptions{projectOptions: o.projectOptions, bake: -1}.wish(ctx, w, env, v)
	if err != nil {
		return wish, nil, err
	}
	return wish, publishedDocuments(w, v, wish.Desired), nil
}

// publishedDocuments reads the documents of a published version for the places in them.
func publishedDocuments(w *delivery.Workspace, v version.Version, want rollout.Desired) []*descriptor.Document {
	var all []*descriptor.Document
	for _, kind := range descriptor.Kinds() {
		body := want.Document(kind)
		if body == nil {
			continue
		}
		if doc, err := descriptor.Read(kind, descriptor.FileName(w.Project.Name, v, kind), body); err == nil {
			all = append(all, doc)
		}
	}
	return all
}

// flawed is what verification comes to when the templates have problems: what they ask for is not known then.
func flawed(flaws fault.Problems, w *delivery.Workspace) deploy.Verification {
	found := deploy.Verification{Schema: deploy.Schema, Version: w.Version.String(), Problems: len(flaws)}
	for _, flaw := range flaws {
		at := flaw.Position
		found.Findings = append(found.Findings, rollout.Finding{
			Kind: rollout.Problem, Subject: "descriptors", Text: flaw.Message, Hint: flaw.Hint, Position: &at,
		})
	}
	return found
}

// located adds to findings where in a file is what they are about, and sorts them by that.
func located(found []rollout.Finding, documents []*descriptor.Document) []rollout.Finding {
	for i, f := range found {
		for _, doc := range documents {
			if f.Path != "" && f.Document == doc.Kind {
				at := doc.Position(f.Path)
				found[i].Position = &at
			}
		}
	}
	return rollout.Sorted(found)
}

// tellVerified writes what was found, and turns it into an exit code.
func (p *Program) tellVerified(found deploy.Verification) error {
	if p.output == outputJSON {
		if err := p.JSON(found); err != nil {
			return err
		}
	} else {
		for _, line := range p.findings(found.Findings) {
			p.Printf("%s\n", line)
		}
		p.Printf("%s\n", p.verified(found))
	}
	if found.Problems > 0 {
		return quiet{exitProblems}
	}
	return nil
}

// findings are the lines that findings are told in.
func (p *Program) findings(all []rollout.Finding) []string {
	tones := map[rollout.FindingKind]terminal.Tone{rollout.Problem: terminal.Bad, rollout.Warning: terminal.Warn, rollout.NotVerified: terminal.Faint}
	var lines []string
	for _, f := range all {
		text := f.String()
		if f.Position != nil {
			text = f.Position.String() + ": " + text
		}
		lines = append(lines, p.Style(tones[f.Kind], fmt.Sprintf("%-9s", f.Kind))+"  "+text)
		if f.Hint != "" {
			lines = append(lines, strings.Repeat(" ", 11)+f.Hint)
		}
	}
	return lines
}

// verified sums up what was found on one line.
func (p *Program) verified(found deploy.Verification) string {
	count := map[rollout.FindingKind]int{}
	for _, f := range found.Findings {
		count[f.Kind]++
	}
	text := p.Style(terminal.Good, "no problems")
	switch {
	case found.Problems == 1:
		text = p.Style(terminal.Bad, "1 problem")
	case found.Problems > 1:
		text = p.Style(terminal.Bad, fmt.Sprintf("%d problems", found.Problems))
	}
	if n := count[rollout.Warning]; n == 1 {
		text += ", 1 warning"
	} else if n > 1 {
		text += fmt.Sprintf(", %d warnings", n)
	}
	if n := count[rollout.NotVerified]; n > 0 {
		text += fmt.Sprintf(", %d not checked", n)
	}
	if found.Service == "" {
		return text
	}
	return fmt.Sprintf("%s: %s on %s, %s", text, found.Service, found.Cluster, found.Version)
}

// preflight returns what verifies a version before it is installed, or nil where that is not wanted or not possible.
func (p *Program) preflight(o installOptions, w *delivery.Workspace, v version.Version, target deploy.Target, want rollout.Desired) func(context.Context) (deploy.Verification, error) {
	if _, able := target.(deploy.Verifier); !able || o.noVerify || p.variable("SLIPWAY_NO_VERIFY") != "" {
		return nil
	}
	return func(ctx context.Context) (deploy.Verification, error) {
		found, err := deploy.Verify(ctx, target, want)
		found.Findings = located(found.Findings, publishedDocuments(w, v, want))
		return found, err
	}
}

// finding tells what was found before an installation. What could not be checked is told to those who want to know more.
func (p *Program) finding(e deploy.Event) []string {
	if e.Finding == nil || e.Finding.Kind == rollout.NotVerified && !p.verbose {
		return nil
	}
	return p.findings([]rollout.Finding{*e.Finding})
}
