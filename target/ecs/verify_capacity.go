package ecs

import (
	"context"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway/rollout"
)

// containerInstances describes the active instances of the cluster, once.
func (v *verification) containerInstances(ctx context.Context) ([]types.ContainerInstance, error) {
	v.instances.once.Do(func() {
		v.instances.all, v.instances.err = v.target.activeInstances(ctx, v.want.Ref)
		if err := v.instances.err; err != nil {
			v.instances.err = v.target.failed(fmt.Sprintf("look at the instances of cluster %q", v.want.Ref.Cluster), err)
		}
	})
	return v.instances.all, v.instances.err
}

// capacity asks whether the new tasks will find room. What no wait can cure is a problem; what is short only now, a warning.
func (v *verification) capacity(ctx context.Context) {
	subject := fmt.Sprintf("cluster %s", v.want.Ref.Cluster)
	switch {
	case v.fargate():
		return
	case len(v.service.CapacityProviderStrategy) > 0:
		v.unchecked(asks{}, subject, "capacity providers add instances as they are needed, so the room for new tasks is not checked", "")
		return
	case v.service.LaunchType != "" && v.service.LaunchType != types.LaunchTypeEc2:
		return
	case v.service.LaunchType == "" && v.cluster != nil && len(v.cluster.DefaultCapacityProviderStrategy) > 0:
		v.unchecked(asks{}, subject, "its default capacity providers add instances as they are needed, so the room for new tasks is not checked", "")
		return
	}
	instances, err := v.containerInstances(ctx)
	if err != nil {
		v.unsure(asks{}, subject, err)
		return
	}
	count := int(aws.ToInt32(v.service.DesiredCount))
	daemon := v.service.SchedulingStrategy == types.SchedulingStrategyDaemon
	if len(instances) == 0 && (count > 0 || daemon) {
		v.problem(asks{}, subject, "it has no container instances", "add container instances to the cluster, or use Fargate or a capacity provider")
		return
	}
	var sites []site
	for _, i := range instances {
		sites = append(sites, siteOf(i))
	}
	large := slices.Concat(tooLarge(v.task, sites), locked(v.task, sites, keepers{}))
	for _, e := range large {
		v.problem(inTask("containerDefinitions"), "task definition", e.Text, "change the task definition, or add instances that can hold it")
	}
	if len(large) == 0 && !daemon && count > 0 {
		v.room(ctx, subject, count, instances)
	}
}

// stays reports that the service runs the wanted task definition already, so that its tasks need not be replaced.
func (v *verification) stays(ctx context.Context) bool {
	if v.current == nil || v.want.Force {
		return false
	}
	d, err := v.target.definition(ctx, runs(*v.current))
	if err != nil {
		return false
	}
	same, err := isWanted(d, v.want.Ref)
	return err == nil && same
}

// room plays the replacement of the old tasks through.
func (v *verification) room(ctx context.Context, subject string, count int, instances []types.ContainerInstance) {
	if v.stays(ctx) {
		return
	}
	r := rollout.Replacement{New: needOf(v.task), Count: count, Minimum: 100, Maximum: 200}
	if p := v.service.DeploymentConfiguration.MinimumHealthyPercent; p != nil {
		r.Minimum = int(*p)
	}
	if p := v.service.DeploymentConfiguration.MaximumPercent; p != nil {
		r.Maximum = int(*p)
	}
	for _, c := range v.service.PlacementConstraints {
		r.Apart = r.Apart || c.Type == types.PlacementConstraintTypeDistinctInstance
		if c.Type == types.PlacementConstraintTypeMemberOf {
			v.unchecked(v.member("placementConstraints"), subject, "which instances meet the service's placement constraints is not checked", "")
		}
	}
	old, err := v.oldTasks(ctx, &r)
	if err != nil {
		v.unsure(asks{}, subject, err)
		return
	}
	for _, i := range instances {
		place := roomOf(i)
		place.Old = old[aws.ToString(i.ContainerInstanceArn)]
		r.Rooms = append(r.Rooms, place)
	}
	v.forecast(subject, r, rollout.Foresee(r))
}

// forecast says what keeps the replacement from its end.
func (v *verification) forecast(subject string, r rollout.Replacement, f rollout.Forecast) {
	switch {
	case f.Squeezed:
		v.problem(v.member("deploymentConfiguration"), "deploymentConfiguration",
			fmt.Sprintf("of %d tasks, minimumHealthyPercent %d lets none stop and maximumPercent %d lets none start", r.Count, r.Minimum, r.Maximum),
			"raise maximumPercent or lower minimumHealthyPercent, so that one task may start or stop")
	case f.Lack != "":
		v.warning(asks{}, subject, fmt.Sprintf("as it is now, %d of %d new tasks find a place: most of %s have no %s left", f.Placed, r.Count, instances(len(r.Rooms)), f.Lack),
			"add instances, stop what is not needed, or lower minimumHealthyPercent so that old tasks go first")
	}
}

func instances(n int) string {
	if n == 1 {
		return "1 instance"
	}
	return fmt.Sprintf("%d instances", n)
}

// oldTasks counts the service's tasks by instance, and says what one of them needs.
func (v *verification) oldTasks(ctx context.Context, r *rollout.Replacement) (map[string]int, error) {
	old := map[string]int{}
	if v.current == nil || v.current.RunningCount+v.current.PendingCount == 0 {
		return old, nil
	}
	tasks, err := v.target.describeTasks(ctx, v.want.Ref, types.DesiredStatusRunning)
	if err != nil {
		return nil, err
	}
	for _, task := range tasks {
		old[aws.ToString(task.ContainerInstanceArn)]++
		d, err := v.target.definition(ctx, aws.ToString(task.TaskDefinitionArn))
		if err != nil {
			return nil, err
		}
		r.Old = needOf(d)
	}
	return old, nil
}

func needOf(d *definition) rollout.Need {
	cpu, memory := d.needs()
	return rollout.Need{CPU: cpu, Memory: memory, Ports: d.hostPorts()}
}

// roomOf returns what an instance has left.
func roomOf(i types.ContainerInstance) rollout.Room {
	left := siteOf(types.ContainerInstance{RegisteredResources: i.RemainingResources})
	return rollout.Room{CPU: left.cpu, Memory: left.memory, Taken: left.reserved}
}

// activeInstances describes the active instances of a cluster.
func (t *Target) activeInstances(ctx context.Context, ref rollout.ServiceRef) ([]types.ContainerInstance, error) {
	cluster := aws.String(string(ref.Cluster))
	var arns []string
	pages := ecs.NewListContainerInstancesPaginator(t.ecs, &ecs.ListContainerInstancesInput{
		Cluster: cluster, Status: types.ContainerInstanceStatusActive,
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		arns = append(arns, page.ContainerInstanceArns...)
	}
	var all []types.ContainerInstance
	for some := range slices.Chunk(arns, describedAtOnce) {
		out, err := t.ecs.DescribeContainerInstances(ctx, &ecs.DescribeContainerInstancesInput{Cluster: cluster, ContainerInstances: some})
		if err != nil {
			return nil, err
		}
		all = append(all, out.ContainerInstances...)
	}
	return all, nil
}
