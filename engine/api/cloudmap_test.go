package api_test

import (
	"context"
	"slices"
	"strconv"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	sd "github.com/aws/aws-sdk-go-v2/service/servicediscovery"
	sdtypes "github.com/aws/aws-sdk-go-v2/service/servicediscovery/types"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/google/go-cmp/cmp"

	"github.com/slipway-cd/slipway/engine/state"
)

// mapped is a house with a client of Cloud Map.
type mapped struct {
	*house
	*sd.Client
}

// mappedOf has the client ask the endpoint as it is: an address cannot have the "data-" before it that DiscoverInstances puts there.
func mappedOf(h *house) mapped {
	return mapped{h, sd.NewFromConfig(h.config(), func(o *sd.Options) {
		o.APIOptions = append(o.APIOptions, func(s *middleware.Stack) error {
			return s.Initialize.Add(middleware.InitializeMiddlewareFunc("NoHostPrefix", func(
				ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler,
			) (middleware.InitializeOutput, middleware.Metadata, error) {
				return next.HandleInitialize(smithyhttp.DisableEndpointHostPrefix(ctx, true), in)
			}), middleware.Before)
		})
	})}
}

// did returns the target of an operation, which has succeeded.
func (m mapped) did(operation *string, err error, target sdtypes.OperationTargetType) string {
	m.Helper()
	must(m.house, 0, err)
	out, err := m.GetOperation(m.Context(), &sd.GetOperationInput{OperationId: operation})
	if must(m.house, out, err); out.Operation.Status != sdtypes.OperationStatusSuccess {
		m.Fatalf("the operation is %s", out.Operation.Status)
	}
	return out.Operation.Targets[string(target)]
}

func (m mapped) namespace(name string) string {
	m.Helper()
	out, err := m.CreatePrivateDnsNamespace(m.Context(), &sd.CreatePrivateDnsNamespaceInput{Name: &name, Vpc: aws.String("vpc-1")})
	return m.did(must(m.house, out, err).OperationId, err, sdtypes.OperationTargetTypeNamespace)
}

// registry makes a service with one record in a namespace.
func (m mapped) registry(namespace, name string, record sdtypes.RecordType) *sdtypes.Service {
	m.Helper()
	out, err := m.CreateService(m.Context(), &sd.CreateServiceInput{
		Name: &name, NamespaceId: &namespace, HealthCheckCustomConfig: &sdtypes.HealthCheckCustomConfig{},
		DnsConfig: &sdtypes.DnsConfig{DnsRecords: []sdtypes.DnsRecord{{Type: record, TTL: aws.Int64(10)}}},
	})
	return must(m.house, out, err).Service
}

func (m mapped) discover(namespace, name string, change func(*sd.DiscoverInstancesInput)) []sdtypes.HttpInstanceSummary {
	m.Helper()
	in := &sd.DiscoverInstancesInput{NamespaceName: &namespace, ServiceName: &name}
	if change != nil {
		change(in)
	}
	out, err := m.DiscoverInstances(m.Context(), in)
	return must(m.house, out, err).Instances
}

func idsOf(list []sdtypes.HttpInstanceSummary) []string {
	var ids []string
	for _, i := range list {
		ids = append(ids, *i.InstanceId)
	}
	return ids
}

func TestInstancesAreRegisteredFoundAndForgotten(t *testing.T) {
	t.Parallel()
	m := mappedOf(newStillHouse(t))
	ns := m.namespace("shop.local")
	r := m.registry(ns, "api", sdtypes.RecordTypeA)
	for id, attributes := range map[string]map[string]string{
		"one": {"AWS_INSTANCE_IPV4": "10.0.0.1", "stage": "blue"},
		"two": {"AWS_INSTANCE_IPV4": "10.0.0.2", "stage": "green", "AWS_INIT_HEALTH_STATUS": "UNHEALTHY"},
	} {
		out, err := m.RegisterInstance(t.Context(), &sd.RegisterInstanceInput{ServiceId: r.Id, InstanceId: &id, Attributes: attributes})
		if got := m.did(must(m.house, out, err).OperationId, err, sdtypes.OperationTargetTypeInstance); got != id {
			t.Errorf("the operation was for %s", got)
		}
	}
	for name, c := range map[string]struct {
		change func(*sd.DiscoverInstancesInput)
		want   []string
	}{
		"healthy ones, unless it is said otherwise": {nil, []string{"one"}},
		"all":       {func(in *sd.DiscoverInstancesInput) { in.HealthStatus = sdtypes.HealthStatusFilterAll }, []string{"one", "two"}},
		"unhealthy": {func(in *sd.DiscoverInstancesInput) { in.HealthStatus = sdtypes.HealthStatusFilterUnhealthy }, []string{"two"}},
		"no healthy one is all": {func(in *sd.DiscoverInstancesInput) {
			in.HealthStatus, in.QueryParameters = sdtypes.HealthStatusFilterHealthyOrElseAll, map[string]string{"stage": "green"}
		}, []string{"two"}},
		"an attribute":                {func(in *sd.DiscoverInstancesInput) { in.QueryParameters = map[string]string{"stage": "red"} }, nil},
		"a preference that none has":  {func(in *sd.DiscoverInstancesInput) { in.OptionalParameters = map[string]string{"stage": "red"} }, []string{"one"}},
		"a preference that some have": {func(in *sd.DiscoverInstancesInput) { in.OptionalParameters = map[string]string{"stage": "blue"} }, []string{"one"}},
	} {
		if diff := cmp.Diff(c.want, idsOf(m.discover("shop.local", "api", c.change))); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	_, err := m.UpdateInstanceCustomHealthStatus(t.Context(), &sd.UpdateInstanceCustomHealthStatusInput{
		ServiceId: r.Id, InstanceId: aws.String("two"), Status: sdtypes.CustomHealthStatusHealthy,
	})
	must(m.house, 0, err)
	health, err := m.GetInstancesHealthStatus(t.Context(), &sd.GetInstancesHealthStatusInput{ServiceId: r.Id})
	if must(m.house, health, err).Status["two"] != sdtypes.HealthStatusHealthy {
		t.Errorf("%v", health.Status)
	}
	_, err = m.DeleteService(t.Context(), &sd.DeleteServiceInput{Id: r.Id})
	m.refused("a service with instances", err, "ResourceInUse", "registered instances")
	for _, id := range []string{"one", "two"} {
		out, err := m.DeregisterInstance(t.Context(), &sd.DeregisterInstanceInput{ServiceId: r.Id, InstanceId: &id})
		m.did(must(m.house, out, err).OperationId, err, sdtypes.OperationTargetTypeInstance)
	}
	_, err = m.GetInstance(t.Context(), &sd.GetInstanceInput{ServiceId: r.Id, InstanceId: aws.String("one")})
	m.refused("an instance that is gone", err, "InstanceNotFound", "one")
	_, err = m.DeleteNamespace(t.Context(), &sd.DeleteNamespaceInput{Id: &ns})
	m.refused("a namespace with services", err, "ResourceInUse", "registered services")
	_, err = m.DeleteService(t.Context(), &sd.DeleteServiceInput{Id: r.Id})
	must(m.house, 0, err)
	deleted, err := m.DeleteNamespace(t.Context(), &sd.DeleteNamespaceInput{Id: &ns})
	m.did(must(m.house, deleted, err).OperationId, err, sdtypes.OperationTargetTypeNamespace)
	ops, err := m.ListOperations(t.Context(), &sd.ListOperationsInput{Filters: []sdtypes.OperationFilter{{
		Name: sdtypes.OperationFilterNameType, Values: []string{"REGISTER_INSTANCE"},
	}}})
	if must(m.house, ops, err); len(ops.Operations) != 2 {
		t.Errorf("%s", m.last.answer())
	}
}

func TestNamespacesAndServicesAreDescribedAndChanged(t *testing.T) {
	t.Parallel()
	m := mappedOf(newStillHouse(t))
	ns := m.namespace("shop.local")
	r := m.registry(ns, "api", sdtypes.RecordTypeA)
	made, err := m.CreateHttpNamespace(t.Context(), &sd.CreateHttpNamespaceInput{Name: aws.String("web"), Tags: []sdtypes.Tag{{Key: aws.String("a"), Value: aws.String("b")}}})
	web := m.did(must(m.house, made, err).OperationId, err, sdtypes.OperationTargetTypeNamespace)
	changed, err := m.UpdateHttpNamespace(t.Context(), &sd.UpdateHttpNamespaceInput{Id: &web, Namespace: &sdtypes.HttpNamespaceChange{Description: aws.String("new")}})
	m.did(must(m.house, changed, err).OperationId, err, sdtypes.OperationTargetTypeNamespace)
	found, err := m.GetNamespace(t.Context(), &sd.GetNamespaceInput{Id: &web})
	if n := must(m.house, found, err).Namespace; *n.Description != "new" || n.Type != sdtypes.NamespaceTypeHttp || *n.Properties.HttpProperties.HttpName != "web" {
		t.Errorf("%s", m.last.answer())
	}
	renewed, err := m.UpdateService(t.Context(), &sd.UpdateServiceInput{Id: r.Arn, Service: &sdtypes.ServiceChange{
		Description: aws.String("the api"),
		DnsConfig:   &sdtypes.DnsConfigChange{DnsRecords: []sdtypes.DnsRecord{{Type: sdtypes.RecordTypeA, TTL: aws.Int64(60)}}},
	}})
	m.did(must(m.house, renewed, err).OperationId, err, sdtypes.OperationTargetTypeService)
	listed, err := m.ListServices(t.Context(), &sd.ListServicesInput{Filters: []sdtypes.ServiceFilter{{Name: sdtypes.ServiceFilterNameNamespaceId, Values: []string{ns}}}})
	if s := must(m.house, listed, err).Services; len(s) != 1 || *s[0].Description != "the api" || *s[0].DnsConfig.DnsRecords[0].TTL != 60 {
		t.Errorf("%s", m.last.answer())
	}
	private, err := m.ListNamespaces(t.Context(), &sd.ListNamespacesInput{Filters: []sdtypes.NamespaceFilter{{Name: sdtypes.NamespaceFilterNameType, Values: []string{"DNS_PRIVATE"}}}})
	if n := must(m.house, private, err).Namespaces; len(n) != 1 || *n[0].ServiceCount != 1 || n[0].Properties.DnsProperties == nil {
		t.Errorf("%s", m.last.answer())
	}
	_, err = m.TagResource(t.Context(), &sd.TagResourceInput{ResourceARN: r.Arn, Tags: []sdtypes.Tag{{Key: aws.String("k"), Value: aws.String("v")}}})
	must(m.house, 0, err)
	for arn, want := range map[string]string{*r.Arn: "k", *found.Namespace.Arn: "a"} {
		tags, err := m.ListTagsForResource(t.Context(), &sd.ListTagsForResourceInput{ResourceARN: &arn})
		if must(m.house, tags, err); len(tags.Tags) != 1 || *tags.Tags[0].Key != want {
			t.Errorf("%s: %s", arn, m.last.answer())
		}
	}
	_, err = m.CreateHttpNamespace(t.Context(), &sd.CreateHttpNamespaceInput{Name: aws.String("WEB")})
	m.refused("a name that is taken", err, "NamespaceAlreadyExists", "WEB")
	_, err = m.CreateService(t.Context(), &sd.CreateServiceInput{Name: aws.String("API"), NamespaceId: &ns})
	m.refused("a service that is there", err, "ServiceAlreadyExists", "already exists")
	_, err = m.RegisterInstance(t.Context(), &sd.RegisterInstanceInput{ServiceId: r.Id, InstanceId: aws.String("x"), Attributes: map[string]string{"a": "b"}})
	m.refused("an instance without its address", err, "InvalidInput", "AWS_INSTANCE_IPV4")
	_, err = m.DiscoverInstances(t.Context(), &sd.DiscoverInstancesInput{NamespaceName: aws.String("shop.local"), ServiceName: aws.String("none")})
	m.refused("a service that isn't there", err, "ServiceNotFound", "none")
}

func TestTasksAreFoundWhileTheyRun(t *testing.T) {
	t.Parallel()
	m := mappedOf(newHouse(t))
	r := m.registry(m.namespace("shop.local"), "api", sdtypes.RecordTypeA)
	vpc := func(in *ecs.RegisterTaskDefinitionInput) { in.NetworkMode = types.NetworkModeAwsvpc }
	m.create("default", "web", m.register("web", vpc), func(in *ecs.CreateServiceInput) {
		in.ServiceRegistries = []types.ServiceRegistry{{RegistryArn: r.Arn}}
		in.NetworkConfiguration = &types.NetworkConfiguration{AwsvpcConfiguration: &types.AwsVpcConfiguration{Subnets: []string{"subnet-1"}}}
	})
	m.completed("default", "web")
	listed, err := m.ecs.DescribeServices(t.Context(), &ecs.DescribeServicesInput{Services: []string{"web"}})
	if s := must(m.house, listed, err).Services[0]; len(s.ServiceRegistries) != 1 || *s.ServiceRegistries[0].RegistryArn != *r.Arn {
		t.Errorf("described as %s", m.last.answer())
	}
	first := m.discover("shop.local", "api", nil)
	if len(first) != 2 {
		t.Fatalf("%s", m.last.answer())
	}
	for _, i := range first {
		task, ok := m.DB().Read().Task(state.TaskID(*i.InstanceId))
		if !ok || i.Attributes["AWS_INSTANCE_IPV4"] != task.Address.String() || i.Attributes["ECS_SERVICE_NAME"] != "web" ||
			i.Attributes["ECS_CLUSTER_NAME"] != "default" || i.Attributes["ECS_TASK_DEFINITION_FAMILY"] != "web" || i.Attributes["AWS_INSTANCE_PORT"] != "" ||
			i.Attributes["REGION"] != "us-east-1" || i.Attributes["AVAILABILITY_ZONE"] != task.Zone {
			t.Errorf("%v", i.Attributes)
		}
	}
	_, err = m.DeregisterInstance(t.Context(), &sd.DeregisterInstanceInput{ServiceId: r.Id, InstanceId: first[0].InstanceId})
	m.refused("a task", err, "InvalidInput", "deregistered when it stops")
	m.update(&ecs.UpdateServiceInput{Service: aws.String("web"), ForceNewDeployment: true})
	m.completed("default", "web")
	second := m.discover("shop.local", "api", nil)
	if len(second) != 2 || slices.ContainsFunc(idsOf(second), func(id string) bool { return slices.Contains(idsOf(first), id) }) {
		t.Errorf("after a rollout: %v, before %v", idsOf(second), idsOf(first))
	}
	m.update(&ecs.UpdateServiceInput{Service: aws.String("web"), DesiredCount: aws.Int32(0)})
	m.stable("default", "web")
	if rest := m.discover("shop.local", "api", func(in *sd.DiscoverInstancesInput) { in.HealthStatus = sdtypes.HealthStatusFilterAll }); len(rest) != 0 {
		t.Errorf("left: %v", idsOf(rest))
	}
}

func TestTasksOnInstancesAreFoundAtTheirHostPorts(t *testing.T) {
	t.Parallel()
	m := mappedOf(newHouse(t))
	r := m.registry(m.namespace("shop.local"), "api", sdtypes.RecordTypeSrv)
	checked := func(in *ecs.RegisterTaskDefinitionInput) {
		c := &in.ContainerDefinitions[0]
		c.HealthCheck = &types.HealthCheck{Command: []string{"CMD", "true"}, Interval: aws.Int32(5)}
		c.DockerLabels = map[string]string{"slipway.script": "unhealthy"}
	}
	m.create("default", "web", m.register("web", checked), func(in *ecs.CreateServiceInput) {
		in.DesiredCount = aws.Int32(1)
		in.ServiceRegistries = []types.ServiceRegistry{{RegistryArn: r.Arn, ContainerName: aws.String("app"), ContainerPort: aws.Int32(80)}}
	})
	m.until("a task runs", func(snap state.Snapshot) bool {
		for task := range snap.TasksOfService(state.ServiceKey{Cluster: "default", Name: "web"}) {
			if task.Last == state.Running {
				return true
			}
		}
		return false
	})
	m.until("it is found with its host port, and not healthy", func(snap state.Snapshot) bool {
		all := m.discover("shop.local", "api", func(in *sd.DiscoverInstancesInput) { in.HealthStatus = sdtypes.HealthStatusFilterAll })
		for _, i := range all {
			task, ok := snap.Task(state.TaskID(*i.InstanceId))
			if ok && i.HealthStatus == sdtypes.HealthStatusUnhealthy && i.Attributes["AWS_INSTANCE_PORT"] == strconv.Itoa(task.Ports[0].Port) &&
				i.Attributes["AWS_INIT_HEALTH_STATUS"] == "UNHEALTHY" && i.Attributes["EC2_INSTANCE_ID"] != "" {
				return true
			}
		}
		return false
	})
	if healthy := m.discover("shop.local", "api", nil); len(healthy) != 0 {
		t.Errorf("healthy: %v", idsOf(healthy))
	}
}

func TestRegistriesThatDoNotFitAreRefused(t *testing.T) {
	t.Parallel()
	m := mappedOf(newStillHouse(t))
	ns := m.namespace("shop.local")
	a, srv := m.registry(ns, "a", sdtypes.RecordTypeA).Arn, m.registry(ns, "srv", sdtypes.RecordTypeSrv).Arn
	bridge := m.register("web", nil)
	vpc := m.register("vpc", func(in *ecs.RegisterTaskDefinitionInput) { in.NetworkMode = types.NetworkModeAwsvpc })
	network := &types.NetworkConfiguration{AwsvpcConfiguration: &types.AwsVpcConfiguration{Subnets: []string{"subnet-1"}}}
	for name, c := range map[string]struct {
		definition string
		registry   types.ServiceRegistry
		want       string
	}{
		"unknown":                {bridge, types.ServiceRegistry{RegistryArn: aws.String("arn:x/srv-1")}, "does not exist"},
		"bridge without port":    {bridge, types.ServiceRegistry{RegistryArn: srv}, "'host' or 'bridge'"},
		"bridge with addresses":  {bridge, types.ServiceRegistry{RegistryArn: a, ContainerName: aws.String("app"), ContainerPort: aws.Int32(80)}, "requires a service registry with SRV records"},
		"awsvpc without port":    {vpc, types.ServiceRegistry{RegistryArn: srv}, "'awsvpc'"},
		"two ports":              {vpc, types.ServiceRegistry{RegistryArn: srv, ContainerName: aws.String("app"), ContainerPort: aws.Int32(80), Port: aws.Int32(80)}, "not both"},
		"half a container":       {vpc, types.ServiceRegistry{RegistryArn: a, ContainerName: aws.String("app")}, "together"},
		"unknown container":      {vpc, types.ServiceRegistry{RegistryArn: srv, ContainerName: aws.String("x"), ContainerPort: aws.Int32(80)}, "The container x does not exist"},
		"unknown container port": {vpc, types.ServiceRegistry{RegistryArn: srv, ContainerName: aws.String("app"), ContainerPort: aws.Int32(81)}, "did not have a container port 81"},
	} {
		in := &ecs.CreateServiceInput{ServiceName: aws.String("s"), TaskDefinition: &c.definition, DesiredCount: aws.Int32(1), ServiceRegistries: []types.ServiceRegistry{c.registry}}
		if c.definition == vpc {
			in.NetworkConfiguration = network
		}
		_, err := m.ecs.CreateCluster(t.Context(), &ecs.CreateClusterInput{})
		must(m.house, 0, err)
		_, err = m.ecs.CreateService(t.Context(), in)
		m.refused(name, err, "InvalidParameterException", c.want)
	}
}
