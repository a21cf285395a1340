package ecs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway/descriptor"
	"github.com/slipway-cd/slipway/fault"
	"github.com/slipway-cd/slipway/rollout"
)

// StartedBy is what tasks that run once say of who started them.
const StartedBy = "slipway-run"

// RunOnce starts tasks beside a service. The token makes it idempotent: asked twice, it starts them once.
func (t *Target) RunOnce(ctx context.Context, want rollout.OneOff) (rollout.Launch, error) {
	s, err := t.beside(ctx, want.Ref)
	if err != nil {
		return rollout.Launch{}, err
	}
	d, err := t.definitionFor(ctx, want.Ref, s)
	if err != nil {
		return rollout.Launch{}, err
	}
	launch := rollout.Launch{Revision: rollout.RevisionID(aws.ToString(d.TaskDefinitionArn)), Version: d.version}
	document, err := runDocument(want, d, s)
	if err != nil {
		return launch, err
	}
	out, err := t.ecs.RunTask(ctx, &ecs.RunTaskInput{TaskDefinition: d.TaskDefinitionArn}, sending(document))
	if refused, ok := errors.AsType[*types.InvalidParameterException](err); ok && points(refused.ErrorMessage()) == rollout.NoInstances {
		for range want.Count {
			launch.Failures = append(launch.Failures, noPlace(refused.ErrorMessage()))
		}
		return launch, nil
	}
	if err != nil {
		return launch, t.failed(fmt.Sprintf("run a task of service %q", want.Ref.Service), err)
	}
	for _, f := range out.Failures {
		launch.Failures = append(launch.Failures, noPlace(unplaced(f)))
	}
	if len(launch.Failures) > 0 {
		launch.Failures = append(launch.Failures, t.forGood(ctx, want.Ref, sized(d, want))...)
	}
	launch.Tasks, err = t.reports(ctx, want.Ref, out.Tasks)
	return launch, err
}

// beside describes the service that a task runs beside, which need not exist when documents say how it would be.
func (t *Target) beside(ctx context.Context, ref rollout.ServiceRef) (service, error) {
	services := map[string]service{}
	if err := t.describe(ctx, ref.Cluster, []rollout.ServiceName{ref.Service}, services); err != nil {
		return service{}, err
	}
	s, ok := services[string(ref.Service)]
	if ok && aws.ToString(s.Status) == "ACTIVE" {
		return s, nil
	}
	if ref.Wanted[descriptor.TaskDefinition] == nil {
		return service{}, fault.New(fault.NotFound, "there is no service %q in cluster %q", ref.Service, ref.Cluster).
			WithHint("check --cluster, --service and --region, or name a published version: `slipway run VERSION`")
	}
	return service{}, nil
}

// definitionFor returns the task definition that the service runs, or the one that the documents ask for, which is
// registered when there is none such.
func (t *Target) definitionFor(ctx context.Context, ref rollout.ServiceRef, s service) (*definition, error) {
	document := ref.Wanted[descriptor.TaskDefinition]
	if document == nil {
		return t.definition(ctx, runs(s))
	}
	if d, err := t.newest(ctx, ref.Family); err != nil {
		return nil, err
	} else if d != nil {
		if same, err := isWanted(d, ref); err != nil || same {
			return d, err
		}
	}
	if arn := runs(s); arn != "" {
		d, err := t.definition(ctx, arn)
		if err != nil {
			return nil, err
		}
		if same, err := isWanted(d, ref); err != nil || same {
			return d, err
		}
	}
	receipt, err := t.register(ctx, rollout.Step{Kind: rollout.Register, Ref: ref, Document: descriptor.TaskDefinition, Content: document})
	if err != nil {
		return nil, err
	}
	return t.definition(ctx, string(receipt.Revision))
}

func isWanted(d *definition, ref rollout.ServiceRef) (bool, error) {
	r, err := d.against(ref)
	return err == nil && len(r.Differs) == 0 && d.Status != types.TaskDefinitionStatusInactive, err
}

// runs returns the task definition of a service, whoever controls its deployments.
func runs(s service) string {
	if d := primaryOf(s); d != nil {
		return aws.ToString(d.TaskDefinition)
	}
	for _, set := range s.TaskSets {
		if aws.ToString(set.Status) == "PRIMARY" {
			return aws.ToString(set.TaskDefinition)
		}
	}
	return aws.ToString(s.TaskDefinition)
}

// shared are the members that a service and a task that runs beside it have in common.
var shared = []string{
	"networkConfiguration", "launchType", "capacityProviderStrategy", "platformVersion", "placementConstraints",
	"placementStrategy", "enableExecuteCommand", "enableECSManagedTags", "propagateTags",
}

// runDocument is the request: what the service is like, member by member as it stands, and what was asked for.
func runDocument(want rollout.OneOff, d *definition, s service) ([]byte, error) {
	document := map[string]json.RawMessage{}
	for _, like := range [][]byte{s.raw, want.Ref.Wanted[descriptor.ServiceDefinition], want.Ref.Wanted[descriptor.ServiceUpdate]} {
		all, err := members(like)
		if err != nil {
			return nil, err
		}
		for _, name := range shared {
			if value, ok := all[name]; ok {
				document[name] = value
			}
		}
		if strategy := string(all["capacityProviderStrategy"]); strategy != "" && strategy != "[]" {
			delete(document, "launchType") // only one of both may be given
		}
	}
	if string(document["propagateTags"]) != `"TASK_DEFINITION"` {
		delete(document, "propagateTags") // a task by itself has no service to take them from
	}
	if d.NetworkMode != types.NetworkModeAwsvpc {
		delete(document, "networkConfiguration")
	}
	maps.DeleteFunc(document, func(_ string, value json.RawMessage) bool { return string(value) == "[]" || string(value) == `""` })
	overrides, err := overrides(want, d)
	if err != nil {
		return nil, err
	}
	for name, value := range map[string]any{
		"cluster": want.Ref.Cluster, "taskDefinition": d.TaskDefinitionArn, "count": max(want.Count, 1), "clientToken": want.Token,
		"startedBy": StartedBy, "overrides": overrides,
	} {
		text, err := json.Marshal(value)
		if err != nil {
			return nil, fault.New(fault.Internal, "cannot write member %q: %w", name, err)
		}
		if document[name] = text; string(text) == "null" {
			delete(document, name)
		}
	}
	return json.Marshal(document)
}

// taskOverrides are the members of a TaskOverride that are used here. [API reference, TaskOverride]
type taskOverrides struct {
	CPU        string              `json:"cpu,omitempty"`
	Memory     string              `json:"memory,omitempty"`
	Containers []containerOverride `json:"containerOverrides,omitempty"`
}

type containerOverride struct {
	Name        string     `json:"name"`
	Command     []string   `json:"command,omitempty"`
	Environment []variable `json:"environment,omitempty"`
	CPU         int        `json:"cpu,omitempty"`
	Memory      int        `json:"memory,omitempty"`
}

type variable struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// overrides are what is asked for besides the task definition; nil when that is nothing. Sizes are the task's where its
// definition gives it some, as it must on Fargate, else the container's.
func overrides(want rollout.OneOff, d *definition) (*taskOverrides, error) {
	if want.Container == "" && len(want.Command) == 0 && len(want.Env) == 0 && want.CPU == 0 && want.Memory == 0 {
		return nil, nil //nolint:nilnil // no overrides
	}
	var all []rollout.ContainerReport
	for _, c := range d.ContainerDefinitions {
		all = append(all, rollout.ContainerReport{Name: aws.ToString(c.Name), Essential: essential(c)})
	}
	chosen, err := rollout.ChooseContainer(all, want.Container)
	if err != nil {
		return nil, err
	}
	c := containerOverride{Name: chosen.Name, Command: want.Command}
	for _, v := range want.Env {
		c.Environment = append(c.Environment, variable(v))
	}
	o := &taskOverrides{}
	size := func(n int, ofTask *string, task *string, container *int) {
		if aws.ToString(ofTask) == "" {
			*container = n
		} else if n > 0 {
			*task = strconv.Itoa(n)
		}
	}
	size(want.CPU, d.Cpu, &o.CPU, &c.CPU)
	size(want.Memory, d.Memory, &o.Memory, &c.Memory)
	o.Containers = []containerOverride{c}
	return o, nil
}

// sized returns a definition with the sizes that are asked for.
func sized(d *definition, want rollout.OneOff) *definition {
	o, err := overrides(want, d)
	if err != nil || o == nil {
		return d
	}
	other := &definition{TaskDefinition: d.TaskDefinition}
	other.ContainerDefinitions = slices.Clone(d.ContainerDefinitions)
	if o.CPU != "" {
		other.Cpu = &o.CPU
	}
	if o.Memory != "" {
		other.Memory = &o.Memory
	}
	c := other.container(o.Containers[0].Name)
	if n := o.Containers[0].CPU; n > 0 {
		c.Cpu = int32(n) //nolint:gosec // ECS has accepted it
	}
	if n := o.Containers[0].Memory; n > 0 {
		c.Memory, c.MemoryReservation = aws.Int32(int32(n)), nil //nolint:gosec // ECS has accepted it
	}
	return other
}

// unplaced is what RunTask says of a task that it did not start.
func unplaced(f types.Failure) string {
	text := aws.ToString(f.Reason)
	if detail := aws.ToString(f.Detail); detail != "" {
		text += ": " + detail
	}
	return text
}

func noPlace(text string) rollout.Evidence {
	e := rollout.Evidence{Kind: rollout.NoPlace, At: time.Now(), New: true, Text: text, Points: points(text)}
	if e.Points == "" {
		e.Points = rollout.NoCapacity
	}
	return e
}

// forGood tells what makes it certain that a task of a definition will never find a place. Without the right to look at
// instances, it tells nothing.
func (t *Target) forGood(ctx context.Context, ref rollout.ServiceRef, d *definition) []rollout.Evidence {
	sites, err := t.sites(ctx, ref)
	if err != nil {
		return nil
	}
	found := tooLarge(d, sites)
	for i := range found {
		found[i].Kind, found[i].New, found[i].Final, found[i].At = rollout.NoPlace, true, true, time.Now()
	}
	return found
}

// StopTask has a task stopped, for a reason that ECS tells from then on.
func (t *Target) StopTask(ctx context.Context, cluster rollout.ClusterName, id rollout.TaskID, reason string) error {
	_, err := t.ecs.StopTask(ctx, &ecs.StopTaskInput{
		Cluster: aws.String(string(cluster)), Task: aws.String(string(id)), Reason: &reason,
	})
	if err != nil {
		return t.failed(fmt.Sprintf("stop task %q", id), err)
	}
	return nil
}

// TaskEvidence gathers what tells why tasks that run by themselves failed: as Evidence does for those of a service.
func (t *Target) TaskEvidence(ctx context.Context, cluster rollout.ClusterName, ids []rollout.TaskID) ([]rollout.Evidence, error) {
	ref := rollout.ServiceRef{Cluster: cluster}
	tasks, err := t.queried(ctx, ref, rollout.TaskQuery{IDs: ids})
	if err != nil {
		return nil, err
	}
	q := &inquiry{target: t, ref: ref, ours: map[rollout.TaskID]bool{}}
	for _, task := range tasks {
		if endOf(task) == rollout.EndExited && !slices.ContainsFunc(q.culprits(task), failedContainer) {
			continue // it did what it should
		}
		q.stopped, q.ours[taskID(task)] = append(q.stopped, task), true
	}
	for _, gather := range []func(context.Context) error{q.ends, q.logs} {
		if err := gather(ctx); err != nil {
			return nil, err
		}
	}
	return q.found, nil
}

func failedContainer(c types.Container) bool {
	return c.ExitCode == nil || *c.ExitCode != 0 || points(aws.ToString(c.Reason)) != ""
}
