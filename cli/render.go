package cli

import (
	"context"
	"encoding/json"

	"github.com/spf13/cobra"

	"github.com/slipway-cd/slipway/cli/terminal"
	"github.com/slipway-cd/slipway/config"
	"github.com/slipway-cd/slipway/delivery"
	"github.com/slipway-cd/slipway/descriptor"
	"github.com/slipway-cd/slipway/image"
)

type renderOptions struct {
	projectOptions
	targetOptions
	digest string
	values bool
}

// renderedDocument is one element of what `slipway render --output json` writes.
type renderedDocument struct {
	Environment config.EnvironmentName `json:"environment,omitempty"` // absent in a project without environments
	Name        string                 `json:"name"`                  // that it is published under, without the environment
	Kind        descriptor.Kind        `json:"kind"`
	Document    json.RawMessage        `json:"document"` // as it would be published, laid out anew
	Values      []renderedValue        `json:"values"`   // that the template uses, sorted by name
}

type renderedValue struct {
	Name   string `json:"name"`
	Value  string `json:"value"`
	Origin string `json:"origin"` // where it comes from
}

func (p *Program) renderCommand() *cobra.Command {
	var o renderOptions
	c := &cobra.Command{
		Use:   "render",
		Short: "Expand the templates and show what would be published",
		Long: `Expand the project's descriptor templates with the values of this checkout, check them as AWS
would, and write them to standard output. Nothing is published. All problems are told at once.

Values that slipway.yaml looks up (in SSM, CloudFormation and so on) are looked up when a template
uses them; --region, --profile and --endpoint-url say where.`,
		Example: "  slipway render\n  slipway render --environment qa --set desiredCount=4\n  slipway render --values      # what each ${name} stands for, and why",
		Args:    noArguments,
		RunE:    func(c *cobra.Command, _ []string) error { return p.render(c.Context(), o) },
	}
	o.projectOptions.flags(c)
	o.targetOptions.flags(c)
	c.Flags().StringVar(&o.digest, "image-digest", "", "`DIGEST` that ${imageDigest} stands for")
	c.Flags().BoolVar(&o.values, "values", false, "show the values that the templates use, and where they come from")
	return c
}

func (p *Program) render(ctx context.Context, o renderOptions) error {
	w, err := p.workspace(ctx, o.projectOptions, o.targetOptions)
	if err != nil {
		return err
	}
	if w.Version.IsZero() {
		p.Say("nothing to render: %s", w.Match.Reason)
		if p.output == outputJSON {
			return p.JSON([]renderedDocument{})
		}
		return nil
	}
	environments, err := w.Environments(config.EnvironmentName(o.environment))
	if err != nil {
		return err
	}
	rendered, err := w.Render(ctx, environments, image.Digest(o.digest))
	if err != nil {
		return err
	}
	docs := renderedDocuments(w, rendered)
	switch {
	case p.output == outputJSON:
		return p.JSON(docs)
	case o.values:
		p.showValues(docs)
	default:
		for i, r := range docs {
			if i > 0 {
				p.Printf("\n")
			}
			p.Say("%s", p.Style(terminal.Faint, "# "+r.Name))
			p.Printf("%s", r.Document)
		}
	}
	return nil
}

func renderedDocuments(w *delivery.Workspace, all []delivery.Rendered) []renderedDocument {
	list := []renderedDocument{}
	for _, r := range all {
		for _, doc := range r.Documents {
			d := renderedDocument{
				Environment: r.Environment, Name: descriptor.FileName(w.Project.Name, w.Version, doc.Kind), Kind: doc.Kind,
				Document: doc.Body, Values: []renderedValue{},
			}
			for _, name := range doc.Used.Names() {
				v := doc.Used[name]
				d.Values = append(d.Values, renderedValue{name, v.Text, v.Origin.String()})
			}
			list = append(list, d)
		}
	}
	return list
}
