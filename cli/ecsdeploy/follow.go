package ecsdeploy

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway/fault"
)

const primary = "PRIMARY" // the status of the deployment that ECS works towards

// deployment is the one that this call has started.
type deployment struct {
	id, definition, family string
	created                time.Time
	desired                int
	checked                bool     // an essential container has a health check
	before                 *service // nil: nothing is there to go back to
	cleanUp                error    // what went wrong when old revisions were to be deregistered
}

// follow waits until a task of the new revision is there, cleans up, and waits until the old ones are gone.
func (f *flow) follow(ctx context.Context, d *deployment) error {
	if d.desired > 0 {
		if err := f.firstTask(ctx, d); err != nil {
			return err
		}
	}
	if f.o.keeps() > 0 {
		if d.cleanUp = f.deregister(ctx, d); d.cleanUp != nil {
			f.say("warning: %v", d.cleanUp)
		}
	}
	if f.o.skipCheck {
		return nil
	}
	return f.settle(ctx, d)
}

// firstTask is the first wait: until a task of the new revision is running, and healthy where that is checked.
func (f *flow) firstTask(ctx context.Context, d *deployment) error {
	f.say("waiting for a task of the new revision, %v at the most", f.o.timeout)
	err := f.await(ctx, "no task of the new revision has come up", func(ctx context.Context) (bool, error) {
		s, err := f.look(ctx)
		if err != nil {
			return false, err
		}
		if _, err := stands(s.Deployments, d.id); err != nil {
			return false, err
		}
		return f.hasTask(ctx, d)
	})
	if err == nil {
		f.say("a task of the new revision is running")
	}
	return err
}

// settle is the second wait: until the deployment is the only one left, and complete.
func (f *flow) settle(ctx context.Context, d *deployment) error {
	f.say("waiting until no other deployment is left, %v at the most", f.o.timeout)
	return f.await(ctx, "the old tasks are not gone", func(ctx context.Context) (bool, error) {
		s, err := f.look(ctx)
		if err != nil {
			return false, err
		}
		return stands(s.Deployments, d.id)
	})
}

// errReplaced is that the deployment is not the one any more that ECS works towards.
var errReplaced = errors.New("the deployment was replaced")

// stands reports whether the deployment is the only one left, and complete. It is an error when it cannot be any more: that
// one deployment is left is no success when it is that to which ECS went back.
func stands(all []types.Deployment, id string) (bool, error) {
	i := slices.IndexFunc(all, func(d types.Deployment) bool { return aws.ToString(d.Id) == id })
	if i >= 0 && all[i].RolloutState == types.DeploymentRolloutStateFailed {
		return false, fault.New(fault.Internal, "deployment %s has failed: %s", id, aws.ToString(all[i].RolloutStateReason))
	}
	if i < 0 || aws.ToString(all[i].Status) != primary {
		return false, fault.New(fault.Conflict, "%w: %s", errReplaced, successor(all))
	}
	state := all[i].RolloutState
	return len(all) == 1 && (state == types.DeploymentRolloutStateCompleted || state == ""), nil
}

// successor tells the deployment that ECS works towards, and why.
func successor(all []types.Deployment) string {
	for _, d := range all {
		if aws.ToString(d.Status) == primary {
			return fmt.Sprintf("ECS works towards %s of %s (%s)", aws.ToString(d.Id), aws.ToString(d.TaskDefinition), aws.ToString(d.RolloutStateReason))
		}
	}
	return "the service has no deployment any more"
}

// tasksAtOnce is how many tasks one call describes.
const tasksAtOnce = 100

// hasTask looks for a task of the new revision that is up, a hundred tasks at a time.
func (f *flow) hasTask(ctx context.Context, d *deployment) (bool, error) {
	pages := awsecs.NewListTasksPaginator(f.ecs, &awsecs.ListTasksInput{
		Cluster: &f.o.cluster, ServiceName: &f.o.service, DesiredStatus: types.DesiredStatusRunning, MaxResults: aws.Int32(tasksAtOnce),
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return false, f.target.Failed(fmt.Sprintf("list the tasks of service %q", f.o.service), err)
		}
		if len(page.TaskArns) == 0 {
			continue
		}
		out, err := f.ecs.DescribeTasks(ctx, &awsecs.DescribeTasksInput{Cluster: &f.o.cluster, Tasks: page.TaskArns})
		if err != nil {
			return false, f.target.Failed(fmt.Sprintf("look at the tasks of service %q", f.o.service), err)
		}
		if slices.ContainsFunc(out.Tasks, d.isUp) {
			return true, nil
		}
	}
	return false, nil
}

// isUp reports that a task is of the new revision, runs, and is healthy where that is checked.
func (d *deployment) isUp(t types.Task) bool {
	return aws.ToString(t.TaskDefinitionArn) == d.definition && aws.ToString(t.LastStatus) == "RUNNING" &&
		(!d.checked || t.HealthStatus == types.HealthStatusHealthy)
}

// Between two looks passes more time with each: what comes up, comes up soon.
const (
	firstPause   = time.Second
	longestPause = 5 * time.Second
)

// await looks again and again until it is done, cannot be done any more, or the time is up. What may pass, passes or is
// told then.
func (f *flow) await(ctx context.Context, otherwise string, look func(context.Context) (bool, error)) error {
	deadline := time.Now().Add(f.o.timeout)
	for pause := firstPause; ; pause = min(pause*5/4, longestPause) {
		done, err := look(ctx)
		if done || err != nil && !fault.MayPass(err) {
			return err
		}
		left := time.Until(deadline)
		switch {
		case left <= 0 && err != nil:
			return fault.New(fault.Timeout, "%s within %v: %w", otherwise, f.o.timeout, err)
		case left <= 0:
			return fault.New(fault.Timeout, "%s within %v", otherwise, f.o.timeout).WithHint("give it more time with -t")
		}
		next := time.NewTimer(min(pause, left))
		select {
		case <-ctx.Done():
			next.Stop()
			return ctx.Err()
		case <-next.C:
		}
	}
}
