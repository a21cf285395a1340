package cli

import (
	"context"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/slipway-cd/slipway/app"
	"github.com/slipway-cd/slipway/artifact"
	"github.com/slipway-cd/slipway/config"
	"github.com/slipway-cd/slipway/delivery"
	"github.com/slipway-cd/slipway/fault"
)

// projectOptions say which project, and with which values.
type projectOptions struct {
	dir         string
	environment string
	store       string
	set         []string
}

func (o *projectOptions) flags(c *cobra.Command) {
	f := c.Flags()
	f.StringVar(&o.dir, "project", ".", "`DIR` of the project's slipway.yaml")
	f.StringVar(&o.environment, "environment", "", "`NAME` of the environment")
	f.StringVar(&o.store, "store", "", "`URL` of the artifact store; slipway.yaml's artifacts unless given")
	f.StringArrayVar(&o.set, "set", nil, "`NAME=VALUE` that templates use; may be repeated, and wins over every other value")
}

// workspace opens the project. Values that have to be looked up in AWS are looked up where at says, if it is given.
func (p *Program) workspace(ctx context.Context, o projectOptions, at ...targetOptions) (*delivery.Workspace, error) {
	var target app.TargetOptions
	for _, a := range at {
		target = a.options(config.Environment{})
	}
	lookups := app.Lookups(o.dir, p.Environ, target)
	return delivery.Open(ctx, delivery.Options{Dir: o.dir, Environ: p.Environ, Set: o.set, Lookup: lookups})
}

func (o projectOptions) openStore(ctx context.Context, w *delivery.Workspace) (artifact.Store, config.StoreURL, error) {
	url := w.Project.Artifacts
	if o.store != "" {
		if err := config.CheckStoreURL(o.store); err != nil {
			return nil, "", fault.New(fault.Invalid, "--store: %w", err)
		}
		url = config.StoreURL(o.store)
	}
	base := w.Dir
	if o.store != "" {
		base = "" // a path on the command line is relative to where the command is called
	}
	store, err := app.Stores(base).Open(ctx, url)
	return store, url, err
}

// targetOptions say how to reach the scheduler.
type targetOptions struct {
	region, profile, endpoint string
}

func (o *targetOptions) flags(c *cobra.Command) {
	f := c.Flags()
	f.StringVar(&o.region, "region", "", "AWS `REGION`; the environment's, or AWS's own configuration, unless given")
	f.StringVar(&o.profile, "profile", "", "`NAME` of a profile in AWS's shared configuration")
	f.StringVar(&o.endpoint, "endpoint-url", "", "`URL` of an engine that speaks AWS's APIs; AWS_ENDPOINT_URL unless given")
}

func (o targetOptions) options(env config.Environment) app.TargetOptions {
	t := app.TargetOptions{Region: o.region, Profile: o.profile, Endpoint: o.endpoint}
	if t.Region == "" {
		t.Region = env.Region
	}
	return t
}

// absolute returns a path for people: relative paths are told in full.
func absolute(path string) string {
	if abs, err := filepath.Abs(path); err == nil {
		return abs
	}
	return path
}
