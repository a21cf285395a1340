// Package delivery turns a working tree into a published version, and a published version into what a scheduler should run.
package delivery

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/slipway-cd/slipway/checkout"
	"github.com/slipway-cd/slipway/config"
	"github.com/slipway-cd/slipway/descriptor"
	"github.com/slipway-cd/slipway/fault"
	"github.com/slipway-cd/slipway/image"
	"github.com/slipway-cd/slipway/version"
)

// Options say which working tree, and what its values are overridden with.
type Options struct {
	Dir     string   // the directory of slipway.yaml
	Environ []string // NAME=value: CI variables and SLIPWAY_VALUE_*
	Set     []string // name=value, from --set
	Lookup  Lookup   // finds values that slipway.yaml doesn't state
	Now     func() time.Time
}

// Workspace is a project's working tree, read.
type Workspace struct {
	Dir     string
	Project *config.Project
	State   checkout.State
	Version version.Version // zero when the branch is ignored
	Match   version.Match   // which rule of the version template the branch matched, or why none

	options Options
	given   config.Values // CI, variables and flags, merged
	lookups *lookups
}

// Open reads a working tree.
func Open(ctx context.Context, o Options) (*Workspace, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	project, err := checkout.Project(o.Dir)
	if err != nil {
		return nil, err
	}
	w := &Workspace{Dir: o.Dir, Project: project, options: o}
	w.lookups = &lookups{lookup: o.Lookup, found: map[string]func() (string, error){}}
	if w.given, err = given(o); err != nil {
		return nil, err
	}
	if w.State, err = checkout.Read(ctx, o.Dir, checkout.Inputs(o.Dir, project), o.Environ); err != nil {
		return nil, err
	}
	if w.State.Branch == "" {
		w.Match = version.Match{Reason: "the working tree is on no branch, and no CI variable names one, so it has no version"}
		return w, nil
	}
	w.Match = project.Branches.Match(w.State.Branch)
	if !w.Match.Matched {
		return w, nil
	}
	number, err := checkout.Number(ctx, o.Dir, project.Version, o.Environ)
	if err != nil {
		return nil, err
	}
	w.Version = version.Version{Number: number, Tag: w.Match.Tag}
	return w, nil
}

func given(o Options) (config.Values, error) {
	variables, err := config.VariableValues(o.Environ)
	if err != nil {
		return nil, err
	}
	flags, err := config.FlagValues(o.Set)
	if err != nil {
		return nil, err
	}
	return config.Merge(config.CIValues(o.Environ), variables, flags), nil
}

// Values returns what the names in templates stand for, in one environment and for one version. Those that have to be
// looked up have no text yet.
func (w *Workspace) Values(env config.Environment, v version.Version, digest image.Digest) config.Values {
	return config.Merge(w.Project.Values, env.Values, w.given, config.BuiltInValues(config.Facts{
		Project: w.Project.Name, Version: v, Branch: w.State.Branch, Commit: w.State.Commit,
		ImageDigest: digest, Environment: env.Name,
	}))
}

// Environments returns the named environment, or all of them when the name is empty.
func (w *Workspace) Environments(name config.EnvironmentName) ([]config.Environment, error) {
	if name == "" {
		return w.Project.AllEnvironments(), nil
	}
	env, err := w.Project.Environment(name)
	if err != nil {
		return nil, err
	}
	return []config.Environment{env}, nil
}

// Rendered is what one environment's templates came to.
type Rendered struct {
	Environment config.EnvironmentName
	Documents   []*descriptor.Document
}

// Render expands and checks the templates for every environment named. Either everything is right, or the error is a
// fault.Problems with everything that is wrong anywhere.
func (w *Workspace) Render(ctx context.Context, environments []config.Environment, digest image.Digest) ([]Rendered, error) {
	templates, err := checkout.Templates(w.Dir, w.Project.Descriptors)
	if err != nil {
		return nil, err
	}
	var all []Rendered
	var problems fault.Problems
	for _, env := range environments {
		docs, err := w.render(ctx, env, templates, digest)
		if err := collect(&problems, err, env.Name); err != nil {
			return nil, err
		}
		all = append(all, Rendered{Environment: env.Name, Documents: docs})
	}
	if err := problems.Err(); err != nil {
		return nil, err
	}
	return all, nil
}

func (w *Workspace) render(ctx context.Context, env config.Environment, templates []descriptor.Template, digest image.Digest) ([]*descriptor.Document, error) {
	values, err := w.settle(ctx, env, w.Values(env, w.Version, digest), func(v config.Values) config.Values {
		used := config.Values{}
		for _, t := range templates {
			maps.Copy(used, descriptor.Used(t, v))
		}
		return used
	})
	if err != nil {
		return nil, err
	}
	docs, err := descriptor.Render(templates, values, descriptor.Options{PassUnknown: w.Project.PassUnknown})
	if err != nil {
		return nil, err
	}
	return complete(docs, env.Policy), nil
}

// complete adds the service update that a project leaves out to what its service definition says, so that an installation
// brings a service that exists to what one that is created would be.
func complete(docs []*descriptor.Document, policy config.Policy) []*descriptor.Document {
	find := func(kind descriptor.Kind) int {
		return slices.IndexFunc(docs, func(d *descriptor.Document) bool { return d.Kind == kind })
	}
	if i := find(descriptor.ServiceDefinition); i >= 0 && find(descriptor.ServiceUpdate) < 0 {
		if derived := descriptor.DeriveUpdate(docs[i], policy.SetCount); derived != nil {
			return slices.Insert(docs, i+1, derived)
		}
	}
	return docs
}

// collect adds an environment's problems to those of the others, each once; another error is returned.
func collect(all *fault.Problems, err error, env config.EnvironmentName) error {
	if err == nil {
		return nil
	}
	problems, ok := err.(fault.Problems) //nolint:errorlint // descriptor.Render returns the bare value
	if !ok {
		return err
	}
	for _, p := range problems {
		if slices.ContainsFunc(*all, func(old fault.Problem) bool { return old.Position == p.Position && old.Message == p.Message }) {
			continue
		}
		if env != "" && p.Position.File == "" {
			p.Message = fmt.Sprintf("environment %s: %s", env, p.Message)
		}
		*all = append(*all, p)
	}
	return nil
}

// ImageName returns the reference that the version's image is pushed under: repository:version.
func (w *Workspace) ImageName(ctx context.Context, env config.Environment) (image.Reference, error) {
	text, err := w.expandText(ctx, env, w.Project.Image.Repository, w.Values(env, w.Version, ""))
	if err != nil {
		return image.Reference{}, err
	}
	ref, err := image.Parse(text)
	if err != nil {
		return ref, fault.Problems{{Position: w.Project.Image.Repository.Position, Message: fmt.Sprintf("%q is no image repository: %v", text, err)}}
	}
	return ref.WithTag(image.Tag(w.Version.String())), nil
}
