package api_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/google/go-cmp/cmp"

	"github.com/slipway-cd/slipway/engine/state"
)

func (h *house) service(name string) types.Service {
	h.Helper()
	out, err := h.ecs.DescribeServices(h.Context(), &ecs.DescribeServicesInput{Services: []string{name}})
	if must(h, out, err); len(out.Services) != 1 {
		h.Fatalf("services: %s", h.last.answer())
	}
	return out.Services[0]
}

func (h *house) update(in *ecs.UpdateServiceInput) *types.Service {
	h.Helper()
	out, err := h.ecs.UpdateService(h.Context(), in)
	return must(h, out, err).Service
}

func TestCreateServiceIsIdempotentUnderItsToken(t *testing.T) {
	t.Parallel()
	h := newStillHouse(t)
	h.register("web", nil)
	request := func(change func(*ecs.CreateServiceInput)) *ecs.CreateServiceInput {
		in := &ecs.CreateServiceInput{ServiceName: aws.String("web"), TaskDefinition: aws.String("web"), DesiredCount: aws.Int32(1), ClientToken: aws.String("t")}
		if change != nil {
			change(in)
		}
		return in
	}
	first := h.create("default", "web", "web", func(in *ecs.CreateServiceInput) { *in = *request(nil) })
	again, err := h.ecs.CreateService(t.Context(), request(nil))
	must(h, again, err)
	if got, want := *again.Service.Deployments[0].Id, *first.Deployments[0].Id; got != want || len(again.Service.Deployments) != 1 {
		t.Errorf("the repetition made %s; the first request made %s", got, want)
	}
	for name, change := range map[string]func(*ecs.CreateServiceInput){
		"no token":                     func(in *ecs.CreateServiceInput) { in.ClientToken = nil },
		"other token":                  func(in *ecs.CreateServiceInput) { in.ClientToken = aws.String("u") },
		"other count":                  func(in *ecs.CreateServiceInput) { in.DesiredCount = aws.Int32(2) },
		"task definition spelled else": func(in *ecs.CreateServiceInput) { in.TaskDefinition = aws.String("web:1") },
		"the token for another name":   func(in *ecs.CreateServiceInput) { in.ServiceName = aws.String("other") },
	} {
		_, err := h.ecs.CreateService(t.Context(), request(change))
		if e, ok := errors.AsType[*types.InvalidParameterException](err); !ok || e.ErrorMessage() != "Creation of service was not idempotent." {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// What makes a new deployment and what doesn't. [ecs-behaviour 1.2]
func TestUpdateServiceMakesADeploymentOnlyOfWhatTasksAreMadeOf(t *testing.T) {
	t.Parallel()
	h := newStillHouse(t)
	h.register("web", nil)
	h.register("web", func(in *ecs.RegisterTaskDefinitionInput) { in.ContainerDefinitions[0].Image = aws.String("web:2") })
	h.classic("web", 0x1f90)
	h.create("default", "web", "web:1", func(in *ecs.CreateServiceInput) { in.DesiredCount = aws.Int32(0) })
	for _, tc := range []struct {
		name   string
		change ecs.UpdateServiceInput
		makes  bool
	}{
		{"nothing", ecs.UpdateServiceInput{}, false},
		{"count", ecs.UpdateServiceInput{DesiredCount: aws.Int32(1)}, false},
		{"configuration", ecs.UpdateServiceInput{DeploymentConfiguration: &types.DeploymentConfiguration{MinimumHealthyPercent: aws.Int32(50)}}, false},
		{"grace period", ecs.UpdateServiceInput{HealthCheckGracePeriodSeconds: aws.Int32(7)}, false},
		{"placement", ecs.UpdateServiceInput{PlacementStrategy: []types.PlacementStrategy{{Type: types.PlacementStrategyTypeRandom}}}, false},
		{"tags to propagate", ecs.UpdateServiceInput{PropagateTags: types.PropagateTagsService}, false},
		{"exec", ecs.UpdateServiceInput{EnableExecuteCommand: aws.Bool(true)}, false},
		{"the same task definition, spelled else", ecs.UpdateServiceInput{TaskDefinition: aws.String("arn:aws:ecs:us-east-1:000000000000:task-definition/web:1")}, false},
		{"no load balancers, as before", ecs.UpdateServiceInput{LoadBalancers: []types.LoadBalancer{}}, false},
		{"Service Connect, which is off", ecs.UpdateServiceInput{ServiceConnectConfiguration: &types.ServiceConnectConfiguration{}}, false},
		{"no volumes, as before", ecs.UpdateServiceInput{VolumeConfigurations: []types.ServiceVolumeConfiguration{}}, false},
		{"by force", ecs.UpdateServiceInput{ForceNewDeployment: true}, true},
		{"another task definition", ecs.UpdateServiceInput{TaskDefinition: aws.String("web")}, true},
	} {
		before := h.service("web")
		tc.change.Service = aws.String("web")
		after := h.update(&tc.change)
		if made := *before.Deployments[0].Id != *after.Deployments[0].Id; made != tc.makes {
			t.Errorf("%s: new deployment: %v, expected: %v", tc.name, made, tc.makes)
		}
	}
	now := h.service("web")
	if c := now.DeploymentConfiguration; *c.MinimumHealthyPercent != 50 || *c.MaximumPercent != 200 || c.Strategy != types.DeploymentStrategyRolling {
		t.Errorf("the configuration after one of its members was updated: %+v", c)
	}
	if now.DesiredCount != 1 || *now.HealthCheckGracePeriodSeconds != 7 || !now.EnableExecuteCommand || !strings.HasSuffix(*now.TaskDefinition, "web:2") {
		t.Errorf("service: %s", h.last.answer())
	}
}

func TestLoadBalancersOfAServiceAreRemovedByAnEmptyList(t *testing.T) {
	t.Parallel()
	h := newStillHouse(t)
	h.classic("web", 1234)
	h.register("web", func(in *ecs.RegisterTaskDefinitionInput) {
		in.ContainerDefinitions[0].PortMappings[0].HostPort = aws.Int32(1234)
	})
	balancers := []types.LoadBalancer{{LoadBalancerName: aws.String("web"), ContainerName: aws.String("app"), ContainerPort: aws.Int32(80)}}
	first := h.create("default", "web", "web", func(in *ecs.CreateServiceInput) { in.LoadBalancers = balancers })
	after := h.update(&ecs.UpdateServiceInput{Service: aws.String("web"), LoadBalancers: []types.LoadBalancer{}})
	if len(after.LoadBalancers) != 0 || *after.Deployments[0].Id == *first.Deployments[0].Id {
		t.Errorf("service: %s", h.last.answer())
	}
}

func TestRollingUpdateCountsTheOldDeploymentDown(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.register("web", nil)
	h.create("default", "web", "web:1", nil)
	h.stable("default", "web")
	h.completed("default", "web")
	h.register("web", func(in *ecs.RegisterTaskDefinitionInput) { in.ContainerDefinitions[0].Image = aws.String("web:2") })
	doc := h.update(&ecs.UpdateServiceInput{Service: aws.String("web"), TaskDefinition: aws.String("web")})
	type seen struct {
		Status           string
		Desired, Running int32
		Revisions        int32
	}
	var got []seen
	for i, d := range doc.Deployments {
		got = append(got, seen{*d.Status, d.DesiredCount, d.RunningCount, doc.CurrentServiceRevisions[i].RequestedTaskCount})
	}
	if diff := cmp.Diff([]seen{{"PRIMARY", 0, 0, 0}, {"ACTIVE", 2, 2, 2}}, got); diff != "" {
		t.Errorf("deployments as the update answers them: %s", diff)
	}
	if doc.RunningCount != 2 || doc.CurrentServiceDeployment != nil {
		t.Errorf("%d tasks run, service deployment %v", doc.RunningCount, aws.ToString(doc.CurrentServiceDeployment))
	}
	h.completed("default", "web")
	if now := h.service("web"); len(now.Deployments) != 1 || now.CurrentServiceDeployment != nil || now.RunningCount != 2 {
		t.Errorf("in the end: %s", h.last.answer())
	}
	history, err := h.ecs.ListServiceDeployments(t.Context(), &ecs.ListServiceDeploymentsInput{
		Service: aws.String("web"), Status: []types.ServiceDeploymentStatus{types.ServiceDeploymentStatusSuccessful},
	})
	if must(h, history, err); len(history.ServiceDeployments) != 2 || history.ServiceDeployments[0].CreatedAt.Before(*history.ServiceDeployments[1].CreatedAt) {
		t.Errorf("history, newest first: %s", h.last.answer())
	}
}

func TestDrainingServiceCanOnlyBeDeleted(t *testing.T) {
	t.Parallel()
	h := newStillHouse(t)
	h.register("web", nil)
	h.create("default", "web", "web", nil)
	for range 2 { // deleting what is DRAINING changes nothing
		out, err := h.ecs.DeleteService(t.Context(), &ecs.DeleteServiceInput{Service: aws.String("web"), Force: aws.Bool(true)})
		if s := must(h, out, err).Service; *s.Status != "DRAINING" || s.DesiredCount != 0 {
			t.Errorf("service: %s, %d wanted", *s.Status, s.DesiredCount)
		}
	}
	_, err := h.ecs.UpdateService(t.Context(), &ecs.UpdateServiceInput{Service: aws.String("web"), DesiredCount: aws.Int32(1)})
	if want := "ServiceNotActiveException: Service was not ACTIVE."; code(err) != want {
		t.Errorf("update: %s", code(err))
	}
	_, err = h.ecs.CreateService(t.Context(), &ecs.CreateServiceInput{ServiceName: aws.String("web"), TaskDefinition: aws.String("web"), DesiredCount: aws.Int32(1)})
	if want := "InvalidParameterException: Unable to Start a service that is still Draining."; code(err) != want {
		t.Errorf("create: %s", code(err))
	}
}

func TestDeletedServiceDrainsAndItsNameIsFreeForANewOne(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.register("web", nil)
	h.create("default", "web", "web", nil)
	h.stable("default", "web")
	_, err := h.ecs.DeleteService(t.Context(), &ecs.DeleteServiceInput{Service: aws.String("web"), Force: aws.Bool(true)})
	must(h, 0, err)
	waiter := ecs.NewServicesInactiveWaiter(h.ecs, func(o *ecs.ServicesInactiveWaiterOptions) { o.MinDelay, o.MaxDelay = quick, quick })
	if err := waiter.Wait(t.Context(), &ecs.DescribeServicesInput{Services: []string{"web"}}, time.Minute); err != nil {
		t.Fatal(err)
	}
	_, err = h.ecs.DeleteService(t.Context(), &ecs.DeleteServiceInput{Service: aws.String("web")})
	if _, ok := errors.AsType[*types.ServiceNotFoundException](err); !ok {
		t.Errorf("delete of what is INACTIVE: %v", err)
	}
	list, err := h.ecs.ListServices(t.Context(), &ecs.ListServicesInput{})
	if must(h, list, err); len(list.ServiceArns) != 0 {
		t.Errorf("still listed: %v", list.ServiceArns)
	}
	fresh := h.create("default", "web", "web", nil)
	if len(fresh.Deployments) != 1 || len(fresh.Events) != 0 {
		t.Errorf("the new service: %s", h.last.answer())
	}
	h.stable("default", "web")
	history, err := h.ecs.ListServiceDeployments(t.Context(), &ecs.ListServiceDeploymentsInput{Service: aws.String("web")})
	if must(h, history, err); len(history.ServiceDeployments) != 1 {
		t.Errorf("the new service remembers the old one's deployments: %s", h.last.answer())
	}
}

func TestClusterCanBeDeletedWhenItsServicesAndTasksAreGone(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.register("web", nil)
	h.create("default", "web", "web", func(in *ecs.CreateServiceInput) { in.DesiredCount = aws.Int32(1) })
	h.stable("default", "web")
	_, err := h.ecs.DeleteService(t.Context(), &ecs.DeleteServiceInput{Service: aws.String("web"), Force: aws.Bool(true)})
	must(h, 0, err)
	h.until("no task is alive", func(snap state.Snapshot) bool {
		s, _ := snap.Service(state.ServiceKey{Cluster: "default", Name: "web"})
		return *s.Doc.Status == "INACTIVE"
	})
	out, err := h.ecs.DeleteCluster(t.Context(), &ecs.DeleteClusterInput{Cluster: aws.String("default")})
	if c := must(h, out, err).Cluster; *c.Status != "INACTIVE" || c.RegisteredContainerInstancesCount != 0 {
		t.Errorf("cluster: %s", h.last.answer())
	}
	_, err = h.ecs.ListServices(t.Context(), &ecs.ListServicesInput{})
	if _, ok := errors.AsType[*types.ClusterNotFoundException](err); !ok {
		t.Errorf("services of a deleted cluster: %v", err)
	}
	described, err := h.ecs.DescribeClusters(t.Context(), &ecs.DescribeClustersInput{Clusters: []string{"default", "nope"}})
	if must(h, described, err); len(described.Clusters) != 1 || len(described.Failures) != 1 || *described.Failures[0].Reason != "MISSING" {
		t.Errorf("clusters: %s", h.last.answer())
	}
}

func TestServicesAreListedPageByPage(t *testing.T) {
	t.Parallel()
	h := newStillHouse(t)
	h.register("web", nil)
	var want []string
	for name := range strings.SplitSeq("abcdefghijklm", "") {
		want = append(want, *h.create("default", name, "web", func(in *ecs.CreateServiceInput) { in.DesiredCount = aws.Int32(0) }).ServiceArn)
	}
	for _, size := range []*int32{nil, aws.Int32(1), aws.Int32(5), aws.Int32(13), aws.Int32(100)} {
		var got []string
		pages := ecs.NewListServicesPaginator(h.ecs, &ecs.ListServicesInput{MaxResults: size})
		for pages.HasMorePages() {
			page, err := pages.NextPage(t.Context())
			if must(h, page, err); len(page.ServiceArns) > int(max(aws.ToInt32(size), 10)) {
				t.Errorf("%d on one page, %d asked for", len(page.ServiceArns), aws.ToInt32(size))
			}
			got = append(got, page.ServiceArns...)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("pages of %d: %s", aws.ToInt32(size), diff)
		}
	}
	out, err := h.ecs.DescribeServices(t.Context(), &ecs.DescribeServicesInput{Services: []string{"a", "nope", want[1]}})
	must(h, out, err)
	if len(out.Services) != 2 || len(out.Failures) != 1 || !strings.HasSuffix(*out.Failures[0].Arn, ":service/default/nope") || *out.Failures[0].Reason != "MISSING" {
		t.Errorf("services: %s", h.last.answer())
	}
}

func TestTagsAreKeptAndToldWhenTheyAreAskedFor(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	tag := func(k, v string) types.Tag { return types.Tag{Key: &k, Value: &v} }
	definition := h.register("web", func(in *ecs.RegisterTaskDefinitionInput) { in.Tags = []types.Tag{tag("a", "1")} })
	service := h.create("default", "web", definition, func(in *ecs.CreateServiceInput) {
		in.Tags, in.PropagateTags = []types.Tag{tag("a", "1")}, types.PropagateTagsService
	})
	h.stable("default", "web")
	tasks, err := h.ecs.ListTasks(t.Context(), &ecs.ListTasksInput{})
	must(h, tasks, err)
	arns := []string{*service.ServiceArn, *service.ClusterArn, *service.TaskDefinition, tasks.TaskArns[0]}
	for _, arn := range arns {
		_, err := h.ecs.TagResource(t.Context(), &ecs.TagResourceInput{ResourceArn: &arn, Tags: []types.Tag{tag("a", "2"), tag("b", "3"), tag("c", "4")}})
		must(h, 0, err)
		_, err = h.ecs.UntagResource(t.Context(), &ecs.UntagResourceInput{ResourceArn: &arn, TagKeys: []string{"c", "nope"}})
		must(h, 0, err)
		out, err := h.ecs.ListTagsForResource(t.Context(), &ecs.ListTagsForResourceInput{ResourceArn: &arn})
		must(h, out, err)
		slices.SortFunc(out.Tags, func(a, b types.Tag) int { return strings.Compare(*a.Key, *b.Key) })
		if len(out.Tags) != 2 || *out.Tags[0].Value != "2" || *out.Tags[1].Key != "b" {
			t.Errorf("%s has the tags %s", arn, h.last.answer())
		}
	}
	if h.service("web"); strings.Contains(h.last.answer(), `"tags"`) {
		t.Error("tags are told that nobody asked for")
	}
	out, err := h.ecs.DescribeServices(t.Context(), &ecs.DescribeServicesInput{Services: []string{"web"}, Include: []types.ServiceField{types.ServiceFieldTags}})
	if must(h, out, err); len(out.Services[0].Tags) != 2 {
		t.Errorf("service: %s", h.last.answer())
	}
	described, err := h.ecs.DescribeTasks(t.Context(), &ecs.DescribeTasksInput{Tasks: tasks.TaskArns[:1], Include: []types.TaskField{types.TaskFieldTags}})
	if must(h, described, err); len(described.Tasks[0].Tags) != 2 {
		t.Errorf("task: %s", h.last.answer())
	}
}
