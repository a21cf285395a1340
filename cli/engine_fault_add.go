package cli

import (
	"context"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/slipway-cd/slipway/app"
	"github.com/slipway-cd/slipway/engine/faults"
)

// engineFaultOptions are what a fault is to be, with its times as people write them.
type engineFaultOptions struct {
	endpoint     string
	fault        faults.Fault
	delay, lasts time.Duration
	cause        string
}

// faultKind is a command that adds faults of one kind.
type faultKind struct {
	kind            faults.Kind
	argument        string // what it is for; in brackets when it can be left out
	short, long, eg string
	some            bool // it can be for some of them, and so often
	flags           func(*pflag.FlagSet, *engineFaultOptions)
}

const patternsOfActions = `PATTERN is one of SERVICE:OPERATION, with the service's name in the AWS CLI: "ecs:UpdateService",
"elbv2:*", "*:Describe*". Requests to Amazon S3 and to the image registry don't meet such faults.`

func faultKinds() []faultKind {
	return []faultKind{
		{
			kind: faults.Fail, argument: "PATTERN", some: true,
			short: "Have requests fail",
			long:  "Have requests fail, with an error of your choice.\n\n" + patternsOfActions,
			eg: "  slipway engine fault add fail ecs:UpdateService --count 3\n" +
				"  slipway engine fault add fail 'ecr:*' --error AccessDeniedException --message 'not today'",
			flags: func(f *pflag.FlagSet, o *engineFaultOptions) {
				f.StringVar(&o.fault.Error, "error", "", "`CODE` of the error (default ServerException)")
				f.StringVar(&o.fault.Message, "message", "", "`TEXT` of the error")
				f.IntVar(&o.fault.Status, "status", 0, "HTTP `STATUS` (default: what usually comes with the code)")
			},
		},
		{
			kind: faults.Delay, argument: "PATTERN", some: true,
			short: "Have requests wait",
			long:  "Have requests wait before they are served.\n\n" + patternsOfActions,
			eg:    "  slipway engine fault add delay 'ecs:Describe*' --by 2s --for 10m",
			flags: func(f *pflag.FlagSet, o *engineFaultOptions) {
				f.DurationVar(&o.delay, "by", time.Second, "how long they wait: a `DURATION` such as 500ms")
			},
		},
		{
			kind: faults.Throttle, argument: "PATTERN", some: true,
			short: "Have requests throttled",
			long: "Have requests be refused as AWS does when there are too many: ThrottlingException (Throttling with load balancers), Rate exceeded.\n\n" +
				patternsOfActions,
			eg: "  slipway engine fault add throttle ecs:DescribeServices --percent 50",
		},
		{
			kind: faults.Kill, argument: "TARGET",
			short: "Lose a container instance, or all of a zone",
			long: `Lose a container instance, named by its id, its ARN or its EC2 id, or all instances of an availability
zone and what runs there on Fargate. Their tasks are gone as with a machine that loses its power; the
services start others in their place. When the fault is cleared, as many instances are registered anew.`,
			eg: "  slipway engine fault add kill us-east-1a\n  slipway engine fault add kill us-east-1b --cluster qa --for 5m",
			flags: func(f *pflag.FlagSet, o *engineFaultOptions) {
				f.StringVar(&o.fault.Cluster, "cluster", "", "only what belongs to this `CLUSTER`")
			},
		},
		{
			kind: faults.Pull, argument: "[PATTERN]", some: true,
			short: "Have images not be pulled",
			long: `Have images not be pulled. PATTERN is one of their references; without, none can be pulled. What
runs already goes on.`,
			eg: "  slipway engine fault add pull\n  slipway engine fault add pull '*/web:1.0.17*' --cause missing",
			flags: func(f *pflag.FlagSet, o *engineFaultOptions) {
				f.StringVar(&o.cause, "cause", string(faults.Unavailable), "why: missing (the registry has no such image), denied, or unavailable (it does not answer)")
			},
		},
		{
			kind: faults.Disk, argument: "[PATTERN]", some: true,
			short: "Fill disks",
			long:  `Fill the disks of the container instances whose ids the pattern fits; without one, of all. No container can be made there: "no space left on device". What runs already goes on.`,
			eg:    "  slipway engine fault add disk\n  slipway engine fault add disk --count 2",
		},
		{
			kind: faults.Freeze, argument: "TARGET",
			short: "Have containers stand still",
			long: `Have the running containers of a task, or of the tasks of a service, stand still: they are there, but do
and answer nothing, as programs do that hang. When the fault is cleared they go on.`,
			eg: "  slipway engine fault add freeze web --tasks 1\n  slipway engine fault add freeze web --cluster qa --container app --for 1m",
			flags: func(f *pflag.FlagSet, o *engineFaultOptions) {
				f.StringVar(&o.fault.Cluster, "cluster", "", "the service's `CLUSTER` (default default)")
				f.StringVar(&o.fault.Container, "container", "", "only the containers of this `NAME`")
				f.IntVar(&o.fault.Tasks, "tasks", 0, "only `N` tasks of the service, those that run longest (default all)")
			},
		},
		{
			kind: faults.Interrupt, argument: "TARGET",
			short: "Interrupt tasks on Fargate Spot",
			long: `Interrupt a task on FARGATE_SPOT, or those of a service, once: as when AWS takes its spare capacity back. An
event tells it, the programs get SIGTERM at once and SIGKILL after their stopTimeout, two minutes at most,
and the service starts others in their place.`,
			eg: "  slipway engine fault add interrupt web --tasks 1",
			flags: func(f *pflag.FlagSet, o *engineFaultOptions) {
				f.StringVar(&o.fault.Cluster, "cluster", "", "the service's `CLUSTER` (default default)")
				f.IntVar(&o.fault.Tasks, "tasks", 0, "only `N` tasks of the service, those that run longest (default all)")
			},
		},
	}
}

func (p *Program) engineFaultAddCommand() *cobra.Command {
	c := &cobra.Command{
		Use:     "add",
		Short:   "Put a fault in force; its id is written to standard output",
		Example: "  slipway engine fault add fail ecs:UpdateService --count 3\n  slipway engine fault add kill us-east-1a --for 5m",
		Args:    noArguments,
		RunE:    func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	for _, kind := range faultKinds() {
		c.AddCommand(p.engineFaultAddKind(kind))
	}
	return c
}

func (p *Program) engineFaultAddKind(k faultKind) *cobra.Command {
	o := engineFaultOptions{fault: faults.Fault{Kind: k.kind}}
	c := &cobra.Command{
		Use: string(k.kind) + " " + k.argument, Short: k.short, Long: k.long, Example: k.eg,
		Args: oneArgument(k.argument),
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) > 0 {
				o.fault.Target = args[0]
			}
			return p.engineFaultAdd(c.Context(), o)
		},
	}
	if strings.HasPrefix(k.argument, "[") {
		c.Args = atMostOneArgument(strings.Trim(k.argument, "[]"))
	}
	f := c.Flags()
	if k.flags != nil {
		k.flags(f, &o)
	}
	if k.some {
		f.IntVar(&o.fault.Percent, "percent", 0, "only so many `PERCENT`, evenly spread and the same each time (default all)")
		f.IntVar(&o.fault.Count, "count", 0, "end after `N` times")
	}
	f.DurationVar(&o.lasts, "for", 0, "end after a `DURATION` such as 10m, whatever the engine's speed")
	endpointFlag(c, &o.endpoint)
	return c
}

// document is the fault that is asked for.
func (o engineFaultOptions) document() (f faults.Fault, err error) {
	f = o.fault
	if f.Kind == faults.Delay {
		if f.DelaySeconds, err = seconds("by", o.delay); err != nil {
			return f, err
		}
	}
	f.Cause = faults.Cause(o.cause)
	f.ForSeconds, err = seconds("for", o.lasts)
	return f, err
}

func (p *Program) engineFaultAdd(ctx context.Context, o engineFaultOptions) error {
	f, err := o.document()
	if err != nil {
		return err
	}
	if f, err = app.AddFault(ctx, p.engineEndpoint(o.endpoint), f); err != nil {
		return err
	}
	if p.output == outputJSON {
		return p.JSON(f)
	}
	p.Say("%s %s: %s; end it with `slipway engine fault clear %s`", f.Kind, f.Target, effect(f), f.ID)
	p.Printf("%s\n", f.ID)
	return nil
}
