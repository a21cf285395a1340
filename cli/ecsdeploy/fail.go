package ecsdeploy

import (
	"context"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/slipway-cd/slipway/fault"
	"github.com/slipway-cd/slipway/rollout"
)

// forReasons is how long the reasons of a failure are looked for.
const forReasons = 20 * time.Second

// failed tells why a deployment failed, goes back where that is asked for, and returns the error to end with.
func (f *flow) failed(ctx context.Context, d *deployment, why error) error {
	if ctx.Err() != nil {
		return fault.New(fault.Interrupted, "deployment %s of service %s goes on by itself", d.id, f.o.service)
	}
	f.say("failed: %v", why)
	hint := fault.HintOf(why)
	if f.diagnose(ctx, d) {
		hint = "" // what to do has been told
	}
	if f.o.rollback {
		if err := f.goBack(ctx, d); err != nil {
			return fault.New(fault.KindOf(err), "the deployment failed, and so did going back: %w", err).WithHint("%s", fault.HintOf(err))
		}
	}
	return fault.New(fault.KindOf(why), "service %s was not deployed: %w", f.o.service, why).WithHint("%s", hint)
}

// diagnose tells the cause, and returns whether there is one that ECS tells.
func (f *flow) diagnose(ctx context.Context, d *deployment) bool {
	ctx, cancel := context.WithTimeout(ctx, forReasons)
	defer cancel()
	ref := rollout.ServiceRef{
		Cluster: rollout.ClusterName(f.o.cluster), Service: rollout.ServiceName(f.o.service), Deployment: rollout.DeploymentID(d.id),
	}
	evidence, err := f.target.Evidence(ctx, ref, d.created)
	if err != nil {
		f.say("warning: the cause cannot be looked for: %v", err)
		return false
	}
	return f.tell(evidence)
}

// tell tells what evidence comes to, and returns whether it points to a cause.
func (f *flow) tell(evidence []rollout.Evidence) bool {
	d := rollout.Diagnose(evidence)
	if d.Cause == rollout.UnknownCause && len(d.Evidence) == 0 {
		return false
	}
	f.say("cause: %s", d.Cause)
	f.say("  %s", d.Summary)
	for _, e := range d.Evidence {
		f.say("  · %s", e)
	}
	if len(d.Logs) > 0 {
		f.say("  last lines of the container:")
	}
	for _, line := range d.Logs {
		f.say("    | %s", strings.TrimRight(line, "\r\n"))
	}
	if d.Remedy != "" {
		f.say("  what to do: %s", d.Remedy)
	}
	return d.Cause != rollout.UnknownCause
}

// goBack has the service run what it ran before. What ECS has gone back to already, and what somebody else deploys, is
// left alone.
func (f *flow) goBack(ctx context.Context, d *deployment) error {
	if d.before == nil {
		f.say("there is nothing to go back to: the task definition is as before")
		return nil
	}
	before := aws.ToString(d.before.TaskDefinition)
	s, err := f.look(ctx)
	if err != nil {
		return err
	}
	switch now := aws.ToString(s.TaskDefinition); {
	case now == before:
		f.say("ECS has gone back to %s by itself", before)
		return nil
	case now != d.definition:
		f.say("somebody else deploys %s: it is left alone", now)
		return nil
	}
	members := map[string]any{"cluster": f.o.cluster, "service": f.o.service, "taskDefinition": before}
	if f.o.desired != nil {
		members["desiredCount"] = d.before.DesiredCount
	}
	if (f.o.min != nil || f.o.max != nil) && len(d.before.configuration) > 0 {
		members["deploymentConfiguration"] = d.before.configuration
	}
	document, err := written(members)
	if err != nil {
		return err
	}
	f.say("going back to %s", before)
	_, err = f.send(ctx, document)
	return err
}
