package api_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbv2types "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/google/go-cmp/cmp"

	"github.com/slipway-cd/slipway/engine/state"
)

// external creates a service whose deployments somebody else controls.
func (h *house) external(name string) *types.Service {
	h.Helper()
	return h.create("default", name, "", func(in *ecs.CreateServiceInput) {
		in.TaskDefinition, in.DesiredCount = nil, aws.Int32(4)
		in.DeploymentController = &types.DeploymentController{Type: types.DeploymentControllerTypeExternal}
	})
}

func (h *house) taskSet(service, definition string, scale float64) *types.TaskSet {
	h.Helper()
	out, err := h.ecs.CreateTaskSet(h.Context(), &ecs.CreateTaskSetInput{
		Cluster: aws.String("default"), Service: &service, TaskDefinition: &definition, Scale: &types.Scale{Value: scale, Unit: types.ScaleUnitPercent},
		ExternalId: aws.String("build-7"), Tags: []types.Tag{{Key: aws.String("a"), Value: aws.String("b")}},
	})
	return must(h, out, err).TaskSet
}

// setsStable waits until every task set of the service is in its steady state.
func (h *house) setsStable(service string, n int) {
	h.Helper()
	h.until("the task sets are steady", func(snap state.Snapshot) bool {
		steady := 0
		for set := range snap.TaskSets(state.ServiceKey{Cluster: "default", Name: service}) {
			if set.Doc.StabilityStatus != types.StabilityStatusSteadyState {
				return false
			}
			steady++
		}
		return steady == n
	})
}

func TestABlueGreenDeploymentByTaskSets(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	blue, green := h.register("web", nil), h.register("web", nil)
	if made := h.external("web"); len(made.Deployments) != 0 || made.TaskDefinition != nil {
		t.Errorf("created: %s", h.last.answer())
	}
	first := h.taskSet("web", blue, 100)
	if *first.Status != "ACTIVE" || first.ComputedDesiredCount != 4 || first.StabilityStatus != types.StabilityStatusStabilizing || len(first.Tags) != 1 {
		t.Errorf("task set: %s", h.last.answer())
	}
	_, err := h.ecs.UpdateServicePrimaryTaskSet(t.Context(), &ecs.UpdateServicePrimaryTaskSetInput{
		Cluster: aws.String("default"), Service: aws.String("web"), PrimaryTaskSet: first.Id,
	})
	must(h, 0, err)
	h.setsStable("web", 1)
	second := h.taskSet("web", green, 30)
	h.setsStable("web", 2)
	is := h.service("web")
	got := []any{is.RunningCount, len(is.Deployments), len(is.TaskSets), *is.TaskSets[0].Id, is.TaskSets[1].RunningCount, *is.TaskSets[1].ExternalId, *is.TaskDefinition}
	if diff := cmp.Diff([]any{int32(6), 0, 2, *first.Id, int32(2), "build-7", *first.TaskDefinition}, got); diff != "" {
		t.Errorf("both: %s", diff)
	}
	h.untilEvent("web", "(service web, taskSet "+*second.Id+") has reached a steady state.")

	_, err = h.ecs.UpdateTaskSet(t.Context(), &ecs.UpdateTaskSetInput{
		Cluster: aws.String("default"), Service: aws.String("web"), TaskSet: second.TaskSetArn, Scale: &types.Scale{Value: 100},
	})
	must(h, 0, err)
	h.setsStable("web", 2)
	_, err = h.ecs.UpdateServicePrimaryTaskSet(t.Context(), &ecs.UpdateServicePrimaryTaskSetInput{
		Cluster: aws.String("default"), Service: aws.String("web"), PrimaryTaskSet: second.TaskSetArn,
	})
	must(h, 0, err)
	remove := &ecs.DeleteTaskSetInput{Cluster: aws.String("default"), Service: aws.String("web"), TaskSet: first.Id}
	_, err = h.ecs.DeleteTaskSet(t.Context(), remove)
	h.refused("deleting one with tasks", err, "InvalidParameterException", "scaled above 0")
	remove.Force = aws.Bool(true)
	gone, err := h.ecs.DeleteTaskSet(t.Context(), remove)
	if must(h, gone, err); *gone.TaskSet.Status != "DRAINING" {
		t.Errorf("deleted: %s", h.last.answer())
	}
	h.setsStable("web", 1)
	if is := h.service("web"); is.RunningCount != 4 || *is.TaskDefinition != *second.TaskDefinition || *is.TaskSets[0].Status != "PRIMARY" {
		t.Errorf("afterwards: %s", h.last.answer())
	}
	described, err := h.ecs.DescribeTaskSets(t.Context(), &ecs.DescribeTaskSetsInput{
		Cluster: aws.String("default"), Service: aws.String("web"), TaskSets: []string{*first.Id, *second.Id}, Include: []types.TaskSetField{types.TaskSetFieldTags},
	})
	if must(h, described, err); len(described.TaskSets) != 1 || len(described.Failures) != 1 || len(described.TaskSets[0].Tags) != 1 {
		t.Errorf("described: %s", h.last.answer())
	}
	tags, err := h.ecs.ListTagsForResource(t.Context(), &ecs.ListTagsForResourceInput{ResourceArn: second.TaskSetArn})
	if must(h, tags, err); len(tags.Tags) != 1 {
		t.Errorf("tags: %s", h.last.answer())
	}
	deleted, err := h.ecs.DeleteService(t.Context(), &ecs.DeleteServiceInput{Service: aws.String("web"), Force: aws.Bool(true)})
	must(h, deleted, err)
	h.until("nothing is left of it", func(snap state.Snapshot) bool {
		svc, _ := snap.Service(state.ServiceKey{Cluster: "default", Name: "web"})
		return *svc.Doc.Status == "INACTIVE"
	})
}

func TestTaskSetsAreRefusedWhereAWSRefusesThem(t *testing.T) {
	t.Parallel()
	h := newStillHouse(t)
	web := h.register("web", nil)
	h.create("default", "own", web, nil)
	h.external("web")
	create := func(service string, change func(*ecs.CreateTaskSetInput)) error {
		in := &ecs.CreateTaskSetInput{Cluster: aws.String("default"), Service: &service, TaskDefinition: &web}
		if change != nil {
			change(in)
		}
		_, err := h.ecs.CreateTaskSet(t.Context(), in)
		return err
	}
	h.refused("of a service of ECS's own", create("own", nil), "InvalidParameterException", "Amazon ECS only supports task set management")
	h.refused("of none", create("none", nil), "ServiceNotFoundException", "")
	h.refused("a scale of 101", create("web", func(in *ecs.CreateTaskSetInput) { in.Scale = &types.Scale{Value: 101} }), "InvalidParameterException", "between 0 and 100")
	h.refused("an unknown definition", create("web", func(in *ecs.CreateTaskSetInput) { in.TaskDefinition = aws.String("none") }), "ClientException", "TaskDefinition not found.")
	for range 2 { // the second is a repetition
		must(h, 0, create("web", func(in *ecs.CreateTaskSetInput) { in.ClientToken = aws.String("t") }))
	}
	for range 4 {
		must(h, 0, create("web", nil))
	}
	h.refused("a sixth", create("web", nil), "InvalidParameterException", "5 deployments exist on the service. Unable to create new TaskSet since this exceeds the maximum limit.")
	_, err := h.ecs.UpdateTaskSet(t.Context(), &ecs.UpdateTaskSetInput{Cluster: aws.String("default"), Service: aws.String("web"), TaskSet: aws.String("ecs-svc/1"), Scale: &types.Scale{}})
	h.refused("one that is not there", err, "TaskSetNotFoundException", "")

	update := func(change func(*ecs.UpdateServiceInput)) error {
		in := &ecs.UpdateServiceInput{Service: aws.String("web")}
		change(in)
		_, err := h.ecs.UpdateService(t.Context(), in)
		return err
	}
	h.refused("another definition", update(func(in *ecs.UpdateServiceInput) { in.TaskDefinition = &web }), "InvalidParameterException", "Unable to update task definition on services with a EXTERNAL deployment controller.")
	h.refused("a new deployment", update(func(in *ecs.UpdateServiceInput) { in.ForceNewDeployment = true }), "InvalidParameterException", "Cannot force a new deployment")
	must(h, 0, update(func(in *ecs.UpdateServiceInput) { in.DesiredCount = aws.Int32(7) }))
	_, err = h.ecs.CreateService(t.Context(), &ecs.CreateServiceInput{
		ServiceName: aws.String("x"), TaskDefinition: &web, DesiredCount: aws.Int32(1),
		DeploymentController: &types.DeploymentController{Type: types.DeploymentControllerTypeExternal},
	})
	h.refused("an external one with a definition", err, "InvalidParameterException", "taskDefinition is not supported")
}

func TestAServiceOfCodeDeployBeginsWithATaskSet(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	group, err := h.elbv2.CreateTargetGroup(t.Context(), &elbv2.CreateTargetGroupInput{
		Name: aws.String("web"), Protocol: "HTTP", Port: aws.Int32(80), VpcId: aws.String("vpc-1"), TargetType: elbv2types.TargetTypeEnumInstance,
	})
	must(h, group, err)
	balancer, err := h.elbv2.CreateLoadBalancer(t.Context(), &elbv2.CreateLoadBalancerInput{Name: aws.String("front")})
	must(h, balancer, err)
	arn := group.TargetGroups[0].TargetGroupArn
	_, err = h.elbv2.CreateListener(t.Context(), &elbv2.CreateListenerInput{
		LoadBalancerArn: balancer.LoadBalancers[0].LoadBalancerArn, Port: aws.Int32(8080), Protocol: "HTTP",
		DefaultActions: []elbv2types.Action{{Type: "forward", TargetGroupArn: arn}},
	})
	must(h, 0, err)
	made := h.create("default", "web", h.register("web", nil), func(in *ecs.CreateServiceInput) {
		in.DeploymentController = &types.DeploymentController{Type: types.DeploymentControllerTypeCodeDeploy}
		in.LoadBalancers = []types.LoadBalancer{{TargetGroupArn: arn, ContainerName: aws.String("app"), ContainerPort: aws.Int32(80)}}
	})
	if len(made.TaskSets) != 1 || *made.TaskSets[0].Status != "PRIMARY" || len(made.TaskSets[0].LoadBalancers) != 1 || made.TaskSets[0].Scale.Value != 100 {
		t.Errorf("created: %s", h.last.answer())
	}
	h.setsStable("web", 1)
	_, err = h.ecs.UpdateService(t.Context(), &ecs.UpdateServiceInput{Service: aws.String("web"), TaskDefinition: aws.String("web")})
	h.refused("an update", err, "InvalidParameterException", "Unable to update task definition on services with a CODE_DEPLOY deployment controller. Use AWS CodeDeploy to trigger a new deployment.")
	is := h.service("web")
	if is.RunningCount != 2 || len(is.Deployments) != 0 {
		t.Errorf("described: %s", h.last.answer())
	}
}

func TestADaemonServiceOverTheAPI(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	daemon := func(change func(*ecs.CreateServiceInput)) func(*ecs.CreateServiceInput) {
		return func(in *ecs.CreateServiceInput) {
			in.SchedulingStrategy, in.DesiredCount = types.SchedulingStrategyDaemon, nil
			if change != nil {
				change(in)
			}
		}
	}
	made := h.create("default", "agent", h.register("agent", nil), daemon(nil))
	if *made.DeploymentConfiguration.MaximumPercent != 100 || *made.DeploymentConfiguration.MinimumHealthyPercent != 0 ||
		made.AvailabilityZoneRebalancing != types.AvailabilityZoneRebalancingDisabled {
		t.Errorf("created: %s", h.last.answer())
	}
	h.completed("default", "agent")
	if is := h.service("agent"); is.DesiredCount != 4 || is.RunningCount != 4 || is.Deployments[0].DesiredCount != 4 {
		t.Errorf("it runs: %s", h.last.answer())
	}
	h.enlist()
	h.until("it runs on the new instance, too", func(snap state.Snapshot) bool {
		svc, _ := snap.Service(state.ServiceKey{Cluster: "default", Name: "agent"})
		return svc.Desired() == 5 && svc.Steady
	})
	_, err := h.ecs.UpdateService(t.Context(), &ecs.UpdateServiceInput{Service: aws.String("agent"), DesiredCount: aws.Int32(1)})
	h.refused("a desired count", err, "InvalidParameterException", "The daemon scheduling strategy does not support a desired count for services.")
	_, err = h.ecs.UpdateService(t.Context(), &ecs.UpdateServiceInput{
		Service: aws.String("agent"), DeploymentConfiguration: &types.DeploymentConfiguration{MaximumPercent: aws.Int32(200)},
	})
	h.refused("more than one", err, "InvalidParameterException", "only 100 as maximumPercent")
	h.update(&ecs.UpdateServiceInput{Service: aws.String("agent"), ForceNewDeployment: true})
	h.completed("default", "agent")
	for what, change := range map[string]func(*ecs.CreateServiceInput){
		"on Fargate": func(in *ecs.CreateServiceInput) { in.LaunchType = types.LaunchTypeFargate },
		"200 percent": func(in *ecs.CreateServiceInput) {
			in.DeploymentConfiguration = &types.DeploymentConfiguration{MaximumPercent: aws.Int32(200)}
		},
		"a strategy": func(in *ecs.CreateServiceInput) { in.PlacementStrategy = strategy("random", "") },
		"by CodeDeploy": func(in *ecs.CreateServiceInput) {
			in.DeploymentController = &types.DeploymentController{Type: types.DeploymentControllerTypeCodeDeploy}
		},
		"with a count": func(in *ecs.CreateServiceInput) { in.DesiredCount = aws.Int32(1) },
	} {
		in := &ecs.CreateServiceInput{ServiceName: aws.String("other"), TaskDefinition: aws.String("agent")}
		daemon(change)(in)
		_, err := h.ecs.CreateService(t.Context(), in)
		h.refused(what, err, "InvalidParameterException", "daemon scheduling strategy")
	}
	_, err = h.ecs.DeleteService(t.Context(), &ecs.DeleteServiceInput{Service: aws.String("agent")})
	must(h, 0, err) // without force, whatever its count
}
