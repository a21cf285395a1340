package cli

import (
	"context"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/slipway-cd/slipway/app"
	"github.com/slipway-cd/slipway/artifact"
	"github.com/slipway-cd/slipway/config"
	"github.com/slipway-cd/slipway/delivery"
	"github.com/slipway-cd/slipway/deploy"
	"github.com/slipway-cd/slipway/fault"
	"github.com/slipway-cd/slipway/rollout"
	"github.com/slipway-cd/slipway/suggest"
	"github.com/slipway-cd/slipway/version"
)

type installOptions struct {
	projectOptions
	targetOptions
	timeout    time.Duration
	bake       time.Duration
	noRollback bool
	force      bool
	until      string
	plan       string
	saved      savedPlan // read from the file that plan names
	noVerify   bool
}

func (o *installOptions) flags(c *cobra.Command) {
	o.projectOptions.flags(c)
	o.targetOptions.flags(c)
	f := c.Flags()
	f.DurationVar(&o.timeout, "timeout", 0, "`DURATION` until the rollout must be proven; the project's (20m) unless given")
	f.DurationVar(&o.bake, "bake", -1, "`DURATION` for which it must stay proven; the project's (0s) unless given")
	f.Lookup("bake").DefValue = "0s" // what help is not to show: -1 stands for not given
	f.BoolVar(&o.noRollback, "no-rollback", false, "leave what failed as it is, instead of going back to the last proven revision")
	f.StringVar(&o.until, "until", string(deploy.UntilProven), "`WHEN` to leave it: proven; serving: or as soon as only its bake time remains; paused: or when it waits for somebody")
	f.BoolVar(&o.force, "force", false, "start a new deployment even if this version runs already")
	f.BoolVar(&o.noVerify, "no-verify", false, "do not look first for what would make it fail, as slipway verify does")
}

func (p *Program) installCommand() *cobra.Command {
	var o installOptions
	c := &cobra.Command{
		Use:   "install VERSION | --plan FILE",
		Short: "Bring a published version to its cluster, until it is proven or rolled back",
		Long: `Take a published version out of the artifact store, its digests checked, and bring it to the
environment's scheduler. The service is created when it doesn't exist. Slipway follows the very
deployment that it started until that is proven: complete, healthy, checked, and staying so. When
that fails, it names the cause and brings the last proven revision back.

When there is something to change, it is verified first, as slipway verify does: with problems nothing
is touched, and the exit code is 2 where a descriptor asks for what there is not, else 1.

Exit codes: 0 proven, or nothing to change; 4 failed and rolled back; 5 failed and not rolled back;
6 timed out; 130 interrupted. With --until serving or paused, 0 says that it has come so far. An interrupted installation goes on when it is called again.`,
		Example: "  slipway install 1.0.15.RELEASE\n  slipway install 1.0.16.RELEASE --environment qa --timeout 10m\n  slipway install 1.0.16.RELEASE --output json | jq -r 'select(.type==\"result\").result.outcome'",
		Args: func(c *cobra.Command, args []string) error {
			if o.plan != "" {
				return noArguments(c, args)
			}
			return oneArgument("VERSION")(c, args)
		},
		RunE: func(c *cobra.Command, args []string) error {
			v, err := o.version(args)
			if err != nil {
				return err
			}
			w, err := p.workspace(c.Context(), o.projectOptions, o.targetOptions)
			if err != nil {
				return err
			}
			result, err := p.install(c.Context(), o, w, v)
			return ended(result, err)
		},
	}
	o.flags(c)
	c.Flags().StringVar(&o.plan, "plan", "", "`FILE` of a saved plan to perform exactly, or to refuse when it does not hold any more")
	return c
}

// version returns which version is to be installed: the one that is named, or the one that was planned.
func (o *installOptions) version(args []string) (version.Version, error) {
	if o.plan == "" {
		return version.Parse(args[0])
	}
	plan, v, err := readPlan(o.plan)
	if err != nil {
		return v, err
	}
	if o.environment == "" {
		o.environment = string(plan.Environment)
	}
	o.saved, o.force = plan, o.force || plan.Force
	return v, nil
}

// held holds a saved plan against one made now.
func (o installOptions) held(ctx context.Context, target deploy.Target, w *delivery.Workspace, env config.Environment, wish delivery.Wish) error {
	if o.plan == "" {
		return nil
	}
	now, err := deploy.Plan(ctx, target, wish.Desired, wish.Policy)
	if err != nil {
		return err
	}
	return o.saved.check(now, w.Project.Name, env.Name, wish.Sum)
}

// install brings a published version to the environment.
func (p *Program) install(ctx context.Context, o installOptions, w *delivery.Workspace, v version.Version) (deploy.Result, error) {
	until, err := o.following()
	if err != nil {
		return deploy.Result{}, err
	}
	env, err := w.Project.Environment(config.EnvironmentName(o.environment))
	if err != nil {
		return deploy.Result{}, err
	}
	wish, err := o.wish(ctx, w, env, v)
	if err != nil {
		return deploy.Result{}, err
	}
	p.tellUnapplied(wish)
	target, err := app.Target(ctx, env.Scheduler, o.targetOptions.options(env))
	if err != nil {
		return deploy.Result{}, err
	}
	if err := o.held(ctx, target, w, env, wish); err != nil {
		return deploy.Result{}, err
	}
	follow := p.follow()
	defer follow.close()
	return deploy.Rollout(ctx, target, wish.Desired, wish.Policy, deploy.Options{
		Report: follow.report, Until: until, Watched: p.watched(), Verify: p.preflight(o, w, v, target, wish.Desired), Prober: deploy.DefaultProber(w.Dir, told(w, env, wish.Desired)...),
	})
}

// told are the environment variables that a check's command finds besides those of slipway itself.
func told(w *delivery.Workspace, env config.Environment, want rollout.Desired) []string {
	return []string{
		"SLIPWAY_PROJECT=" + string(w.Project.Name), "SLIPWAY_ENVIRONMENT=" + string(env.Name), "SLIPWAY_VERSION=" + want.Version,
		"SLIPWAY_CLUSTER=" + string(want.Ref.Cluster), "SLIPWAY_SERVICE=" + string(want.Ref.Service),
	}
}

// following says how far a rollout is to be followed.
func (o installOptions) following() (deploy.Until, error) {
	known := []string{string(deploy.UntilProven), string(deploy.UntilServing), string(deploy.UntilPaused)}
	if o.until == "" { // who calls this without flags, as the demo does
		return deploy.UntilProven, nil
	}
	if !slices.Contains(known, o.until) {
		return "", fault.New(fault.Invalid, "--until: a rollout cannot be followed until it is %q", o.until).
			WithHint("%s", suggest.HintOrList(o.until, known))
	}
	return deploy.Until(o.until), nil
}

// wish fetches the version and says what the environment should run of it.
func (o installOptions) wish(ctx context.Context, w *delivery.Workspace, env config.Environment, v version.Version) (delivery.Wish, error) {
	store, url, err := o.openStore(ctx, w)
	if err != nil {
		return delivery.Wish{}, err
	}
	bundle, err := artifact.FetchEnvironment(ctx, store, w.Project.Name, v, env.Name)
	if err != nil {
		return delivery.Wish{}, notPublished(err, w.Project.Name, v, url)
	}
	wish, err := w.Wanted(ctx, bundle, env)
	if err != nil {
		return wish, err
	}
	wish.Desired.Force = o.force
	if o.timeout > 0 {
		wish.Policy.Timeout = o.timeout
	}
	if o.bake >= 0 {
		wish.Policy.Bake = o.bake
	}
	if o.noRollback {
		wish.Policy.Rollback = false
	}
	return wish, nil
}

func notPublished(err error, project config.ProjectName, v version.Version, url config.StoreURL) error {
	if fault.KindOf(err) != fault.NotFound {
		return err
	}
	return fault.New(fault.NotFound, "cannot install %s %s from %s: %w", project, v, url, err).
		WithHint("%s; --store names another store", fault.HintOf(err))
}

// ended turns what a rollout came to into an exit code; what happened has been told by then.
func ended(result deploy.Result, err error) error {
	if err != nil {
		return err
	}
	if code := exitOfOutcome[result.Outcome]; code != exitDone {
		return quiet{code}
	}
	return nil
}
