package ecs

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway/descriptor"
	"github.com/slipway-cd/slipway/fault"
	"github.com/slipway-cd/slipway/rollout"
)

// batch is how many services one call describes.
const batch = 10

// service is a described service: as the SDK reads it, and as it came.
type service struct {
	types.Service
	raw    json.RawMessage
	newest *definition // the newest revision of its family, if it was asked for already
}

// Observe describes services, ten of a cluster at a time, and looks closer where that is asked for.
func (t *Target) Observe(ctx context.Context, refs []rollout.ServiceRef) ([]rollout.Observed, error) {
	clusters := map[rollout.ClusterName][]rollout.ServiceName{}
	var order []rollout.ClusterName
	for _, ref := range refs {
		if clusters[ref.Cluster] == nil {
			order = append(order, ref.Cluster)
		}
		if !slices.Contains(clusters[ref.Cluster], ref.Service) {
			clusters[ref.Cluster] = append(clusters[ref.Cluster], ref.Service)
		}
	}
	services := map[rollout.ClusterName]map[string]service{}
	for _, cluster := range order {
		services[cluster] = map[string]service{}
		for names := range slices.Chunk(clusters[cluster], batch) {
			if err := t.describe(ctx, cluster, names, services[cluster]); err != nil {
				return nil, err
			}
		}
	}
	all := make([]rollout.Observed, len(refs))
	for i, ref := range refs {
		seen, err := t.observe(ctx, ref, services[ref.Cluster])
		if err != nil {
			return nil, err
		}
		all[i] = seen
	}
	return all, nil
}

// describe adds services by their names and by their ARNs. One that doesn't exist is left out.
func (t *Target) describe(ctx context.Context, cluster rollout.ClusterName, names []rollout.ServiceName, into map[string]service) error {
	in := &ecs.DescribeServicesInput{Cluster: aws.String(string(cluster))}
	for _, name := range names {
		in.Services = append(in.Services, string(name))
	}
	var body []byte
	out, err := t.ecs.DescribeServices(ctx, in, keeping(&body))
	if err != nil {
		return t.failed(fmt.Sprintf("look at service %s in cluster %q", quoted(in.Services), cluster), err)
	}
	for _, f := range out.Failures {
		if aws.ToString(f.Reason) != "MISSING" {
			return fault.New(fault.Unavailable, "cannot look at service %q: %s %s", aws.ToString(f.Arn), aws.ToString(f.Reason), aws.ToString(f.Detail))
		}
	}
	var raw struct{ Services []json.RawMessage }
	if err := json.Unmarshal(body, &raw); err != nil || len(raw.Services) != len(out.Services) {
		return fault.New(fault.Unavailable, "cannot read the description of services %s", quoted(in.Services))
	}
	for i, s := range out.Services {
		into[aws.ToString(s.ServiceName)] = service{Service: s, raw: raw.Services[i]}
		into[aws.ToString(s.ServiceArn)] = service{Service: s, raw: raw.Services[i]}
	}
	return nil
}

func quoted(names []string) string {
	q := make([]string, len(names))
	for i, name := range names {
		q[i] = fmt.Sprintf("%q", name)
	}
	return strings.Join(q, ", ")
}

// observe tells what is known of one service.
func (t *Target) observe(ctx context.Context, ref rollout.ServiceRef, services map[string]service) (rollout.Observed, error) {
	seen := rollout.Observed{Ref: ref, At: time.Now(), Status: rollout.Missing}
	s, ok := services[string(ref.Service)]
	if ok {
		seen.Status = status(aws.ToString(s.Status))
	}
	if seen.Status != rollout.Active {
		return seen, t.compare(ctx, &seen, nil)
	}
	if err := drivable(ref, s); err != nil {
		return seen, err
	}
	seen.Raw = s.raw
	seen.Deployments = deployments(s)
	for _, e := range s.Events {
		seen.Events = append(seen.Events, rollout.Event{ID: aws.ToString(e.Id), At: aws.ToTime(e.CreatedAt), Text: aws.ToString(e.Message)})
	}
	seen.Trouble = trouble(seen)
	if rollout.Settled(seen) {
		seen.Ref.Depth = ref.Depth.Settle()
	}
	if err := t.ahead(ctx, seen, &s); err != nil {
		return seen, err
	}
	if err := t.versions(ctx, &seen); err != nil {
		return seen, err
	}
	for _, look := range []struct {
		at rollout.Depth
		do func(context.Context, *rollout.Observed, *service) error
	}{
		{rollout.Glance, t.compare},
		{rollout.Glance, t.shift},
		{rollout.Tasks, t.tasks},
		{rollout.Past, t.past},
		{rollout.Addresses, t.addresses},
	} {
		if seen.Ref.Depth.Has(look.at) {
			if err := look.do(ctx, &seen, &s); err != nil {
				return seen, err
			}
		}
	}
	return seen, nil
}

func status(s string) rollout.ServiceStatus {
	switch s {
	case "ACTIVE":
		return rollout.Active
	case "DRAINING":
		return rollout.Draining
	}
	return rollout.Missing // INACTIVE: described for a while after it was deleted
}

// drivable refuses services whose deployments are somebody else's to drive.
func drivable(ref rollout.ServiceRef, s service) error {
	if c := s.DeploymentController; c != nil && c.Type != "" && c.Type != types.DeploymentControllerTypeEcs {
		return fault.New(fault.Refused, "service %q is deployed by %s, not by ECS's own deployments", ref.Service, c.Type).
			WithHint("deploy it there, or give the service the deployment controller ECS")
	}
	return nil
}

func deployments(s service) []rollout.Deployment {
	var all []rollout.Deployment
	for _, d := range s.Deployments {
		state := rollout.InProgress
		switch d.RolloutState {
		case types.DeploymentRolloutStateCompleted:
			state = rollout.Completed
		case types.DeploymentRolloutStateFailed:
			state = rollout.Broken
		case types.DeploymentRolloutStateInProgress:
		}
		reason := aws.ToString(d.RolloutStateReason)
		all = append(all, rollout.Deployment{
			ID: rollout.DeploymentID(aws.ToString(d.Id)), Primary: aws.ToString(d.Status) == "PRIMARY", State: state, Reason: reason,
			Undoes:   strings.Contains(reason, "rolling back to deploymentId "+aws.ToString(d.Id)),
			Revision: rollout.RevisionID(aws.ToString(d.TaskDefinition)),
			Desired:  int(d.DesiredCount), Running: int(d.RunningCount), Pending: int(d.PendingCount), Failed: int(d.FailedTasks),
			Created: aws.ToTime(d.CreatedAt),
		})
	}
	return all
}

// ahead asks for the newest revision of the family first, where it is to be compared: most often it is the one that runs,
// and one call does for both.
func (t *Target) ahead(ctx context.Context, seen rollout.Observed, s *service) (err error) {
	primary := seen.Primary()
	if primary == nil || seen.Ref.Wanted[descriptor.TaskDefinition] == nil || t.known(string(primary.Revision)) {
		return nil
	}
	s.newest, err = t.newest(ctx, seen.Ref.Family)
	return err
}

// known reports that a task definition has been asked for.
func (t *Target) known(arn string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	_, asked := t.definitions[arn]
	return asked
}

// versions tells which version each deployment runs. A task definition is described once and known from then on; one that
// was deleted since has no version any more.
func (t *Target) versions(ctx context.Context, seen *rollout.Observed) error {
	for i := range seen.Deployments {
		arn := string(seen.Deployments[i].Revision)
		if t.nameless(arn) {
			continue
		}
		d, err := t.definition(ctx, arn)
		switch kind := fault.KindOf(err); {
		case err == nil:
			seen.Deployments[i].Version = d.version
		case kind == fault.Invalid || kind == fault.NotFound || kind == fault.Denied:
			t.mu.Lock()
			t.definitions[arn] = nil
			t.mu.Unlock()
		default:
			return err
		}
	}
	return nil
}

// nameless reports that a task definition was asked for and is not told.
func (t *Target) nameless(arn string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	d, asked := t.definitions[arn]
	return asked && d == nil
}

// compare tells how what is wanted differs from the family's newest revision, from what runs, and from the service.
func (t *Target) compare(ctx context.Context, seen *rollout.Observed, s *service) error {
	ref := seen.Ref
	primary := seen.Primary()
	if primary != nil && (len(ref.Wanted) > 0 || ref.Depth.Has(rollout.Records)) {
		d, err := t.definition(ctx, string(primary.Revision))
		if err != nil {
			return err
		}
		if seen.Running, err = d.against(ref); err != nil {
			return err
		}
	}
	if ref.Wanted[descriptor.TaskDefinition] != nil && (seen.Running == nil || len(seen.Running.Differs) > 0) {
		d, err := t.newestOf(ctx, ref.Family, s)
		if err != nil {
			return err
		}
		if d != nil {
			if seen.Newest, err = d.against(ref); err != nil {
				return err
			}
		}
	}
	update := ref.Wanted[descriptor.ServiceUpdate]
	if update == nil || s == nil {
		return nil
	}
	differs, err := descriptor.Compare(descriptor.ServiceUpdate, update, s.raw)
	for _, d := range differs {
		if d.Path != "taskDefinition" { // told by comparing the task definitions themselves
			seen.Differs = append(seen.Differs, difference(descriptor.ServiceUpdate, d))
		}
	}
	return err
}

func (t *Target) newestOf(ctx context.Context, family rollout.Family, s *service) (*definition, error) {
	if s != nil && s.newest != nil {
		return s.newest, nil
	}
	return t.newest(ctx, family)
}

func difference(kind descriptor.Kind, d descriptor.Difference) rollout.Difference {
	return rollout.Difference{Document: kind, Path: d.Path, Have: d.Have, Want: d.Want}
}
