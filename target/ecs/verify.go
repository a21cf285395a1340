package ecs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"golang.org/x/sync/errgroup"

	"github.com/slipway-cd/slipway/descriptor"
	"github.com/slipway-cd/slipway/fault"
	"github.com/slipway-cd/slipway/rollout"
)

// Images tells of images in registries.
type Images interface {
	// Platforms returns what an image is for, as linux/amd64; none: it doesn't say. An error of the kind NotFound means that
	// there is no such image.
	Platforms(ctx context.Context, reference string) ([]string, error)
}

// askedAtOnce is how many questions are on their way at the same time: AWS counts per second, and limits waits for that.
const askedAtOnce = 8

// Verify looks at everything that a rollout of the documents would need, and touches nothing.
func (t *Target) Verify(ctx context.Context, want rollout.Desired) []rollout.Finding {
	v := &verification{target: t, want: want}
	if !v.begin(ctx) {
		return v.found
	}
	var group errgroup.Group
	group.SetLimit(askedAtOnce)
	for _, check := range slices.Concat(
		v.roles(), v.images(), v.secrets(), v.logGroups(), v.balancers(), []func(context.Context){v.alarms, v.capacity, v.rights, v.network},
	) {
		group.Go(func() error {
			check(ctx)
			return nil
		})
	}
	_ = group.Wait() // every check says by itself what it found
	return v.found
}

// verification is one preflight: what is wanted, what there is, and what was found.
type verification struct {
	target  *Target
	want    rollout.Desired
	task    *definition // as it would be registered
	service wanted      // as it would be: what there is, changed as the documents say
	current *service    // nil: it is to be created
	cluster *types.Cluster

	instances struct {
		once sync.Once
		all  []types.ContainerInstance
		err  error
	}

	mu    sync.Mutex
	found []rollout.Finding
}

// wanted are the members of a service that decide what it needs. [API reference: CreateService, UpdateService, Service]
type wanted struct {
	LoadBalancers            []types.LoadBalancer
	LaunchType               types.LaunchType
	CapacityProviderStrategy []types.CapacityProviderStrategyItem
	NetworkConfiguration     *types.NetworkConfiguration
	DeploymentController     *types.DeploymentController
	SchedulingStrategy       types.SchedulingStrategy
	PlacementConstraints     []types.PlacementConstraint
	ServiceRegistries        []types.ServiceRegistry
	DesiredCount             *int32
	DeploymentConfiguration  struct {
		MinimumHealthyPercent, MaximumPercent *int32
		Alarms                                *types.DeploymentAlarms
	}
}

// begin looks at the cluster and the service, on which all else depends. It reports whether it pays to go on.
func (v *verification) begin(ctx context.Context) bool {
	if err := v.read(); err != nil {
		v.problem(asks{}, "descriptors", err.Error(), fault.HintOf(err))
		return false
	}
	var group errgroup.Group
	services := map[string]service{}
	group.Go(func() error { return v.look(ctx) })
	var err error
	group.Go(func() error {
		err = v.target.describe(ctx, v.want.Ref.Cluster, []rollout.ServiceName{v.want.Ref.Service}, services)
		return nil
	})
	unsure := group.Wait()
	subject := fmt.Sprintf("service %s", v.want.Ref.Service)
	switch {
	case v.cluster != nil && aws.ToString(v.cluster.Status) != "ACTIVE", fault.KindOf(err) == fault.NotFound && err != nil:
		v.problem(v.member("cluster"), fmt.Sprintf("cluster %s", v.want.Ref.Cluster), "there is no such cluster in this account and region",
			"create the cluster, or correct its name, --region or --profile")
	case err != nil: // a rollout begins with the same question
		v.problem(asks{}, subject, err.Error(), fault.HintOf(err))
		return !fault.MayPass(err) && fault.KindOf(err) != fault.Denied
	case unsure != nil:
		v.unsure(asks{}, fmt.Sprintf("cluster %s", v.want.Ref.Cluster), unsure)
	}
	if s, ok := services[string(v.want.Ref.Service)]; ok && aws.ToString(s.Status) == "ACTIVE" {
		v.current = &s
	}
	if err := v.overlay(); err != nil {
		v.problem(asks{}, subject, err.Error(), "")
		return false
	}
	v.controller(subject)
	return true
}

// read reads the wanted task definition.
func (v *verification) read() error {
	document := v.want.Document(descriptor.TaskDefinition)
	v.task = &definition{raw: document}
	if document == nil {
		return fault.New(fault.Invalid, "the version has no task definition").WithHint("name one under descriptors in slipway.yaml, and publish again")
	}
	return lenient(document, &v.task.TaskDefinition)
}

// lenient reads JSON into values of the SDK. A member of another type than the SDK's is left out: it has been checked when the
// document was made, and may be newer than the SDK.
func lenient(document []byte, into any) error {
	err := json.Unmarshal(document, into)
	if _, other := errors.AsType[*json.UnmarshalTypeError](err); err == nil || other {
		return nil
	}
	return fault.New(fault.Invalid, "the document is no JSON: %w", err)
}

// look describes the cluster.
func (v *verification) look(ctx context.Context) error {
	out, err := v.target.ecs.DescribeClusters(ctx, &ecs.DescribeClustersInput{Clusters: []string{string(v.want.Ref.Cluster)}})
	switch {
	case err != nil:
		return v.target.failed(fmt.Sprintf("look at cluster %q", v.want.Ref.Cluster), err)
	case len(out.Clusters) > 0:
		v.cluster = &out.Clusters[0]
	}
	return nil
}

// account returns the account that the cluster is in; "" when nobody said.
func (v *verification) account() string {
	if v.cluster == nil {
		return ""
	}
	return accountOf(aws.ToString(v.cluster.ClusterArn))
}

// overlay computes the service as it would be.
func (v *verification) overlay() error {
	layers := [][]byte{v.want.Document(descriptor.ServiceDefinition)}
	if v.current != nil {
		layers = [][]byte{v.current.raw, v.want.Document(descriptor.ServiceUpdate)}
	}
	all := map[string]json.RawMessage{}
	for _, layer := range layers {
		some, err := members(layer)
		if err != nil {
			return err
		}
		maps.Copy(all, some)
	}
	document, err := json.Marshal(all)
	if err != nil {
		return fault.New(fault.Internal, "cannot lay the service update over the service: %w", err)
	}
	return lenient(document, &v.service)
}

// controller finds services whose deployments something else than ECS drives.
func (v *verification) controller(subject string) {
	have, ask := types.DeploymentControllerTypeEcs, types.DeploymentControllerTypeEcs
	if v.current != nil && v.current.DeploymentController != nil {
		have = v.current.DeploymentController.Type
	}
	if c := v.service.DeploymentController; c != nil {
		ask = c.Type
	}
	drivers := map[types.DeploymentControllerType]string{
		types.DeploymentControllerTypeCodeDeploy: "AWS CodeDeploy", types.DeploymentControllerTypeExternal: "an external deployment controller",
	}
	switch driver := drivers[have]; {
	case v.current != nil && driver != "":
		v.problem(asks{}, subject, "its deployments are driven by "+driver+", not by ECS", "deploy it with what drives it, or change its deployment controller to ECS")
	case drivers[ask] != "":
		v.problem(v.member("deploymentController"), subject, "its deployments would be driven by "+drivers[ask]+", not by ECS",
			"leave deploymentController out, or set its type to ECS")
	}
}

// asks is where a document asks for something; the zero value where none does.
type asks struct {
	document descriptor.Kind
	path     string
}

func inTask(format string, args ...any) asks {
	return asks{descriptor.TaskDefinition, fmt.Sprintf(format, args...)}
}

// member returns which document says how a member of the service should be: none, where only the service that runs does.
func (v *verification) member(path string) asks {
	kind := descriptor.ServiceDefinition
	if v.current != nil {
		kind = descriptor.ServiceUpdate
	}
	name, _, _ := strings.Cut(path, "[")
	name, _, _ = strings.Cut(name, ".")
	all, err := members(v.want.Document(kind))
	if _, there := all[name]; err != nil || !there {
		return asks{}
	}
	return asks{kind, path}
}

func (v *verification) problem(at asks, subject, text, hint string) {
	v.add(rollout.Finding{Kind: rollout.Problem, Subject: subject, Text: text, Hint: hint}, at)
}

func (v *verification) warning(at asks, subject, text, hint string) {
	v.add(rollout.Finding{Kind: rollout.Warning, Subject: subject, Text: text, Hint: hint}, at)
}

func (v *verification) unchecked(at asks, subject, text, hint string) {
	v.add(rollout.Finding{Kind: rollout.NotVerified, Subject: subject, Text: text, Hint: hint}, at)
}

// unsure says of something that could not be looked at why not.
func (v *verification) unsure(at asks, subject string, err error) {
	v.unchecked(at, subject, err.Error(), fault.HintOf(err))
}

func (v *verification) add(f rollout.Finding, at asks) {
	f.Document, f.Path = at.document, at.path
	v.mu.Lock()
	defer v.mu.Unlock()
	v.found = append(v.found, f)
}
