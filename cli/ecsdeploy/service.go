package ecsdeploy

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway/fault"
	"github.com/slipway-cd/slipway/target/ecs"
)

// service is a described service, and its deployment configuration as it came.
type service struct {
	types.Service
	configuration json.RawMessage
}

// deployService makes a new revision and has the service run it.
func (f *flow) deployService(ctx context.Context, w wish) error {
	s, err := f.look(ctx)
	if err != nil {
		return err
	}
	if err := f.drivable(s); err != nil {
		return err
	}
	from := aws.ToString(s.TaskDefinition)
	if f.o.useLatest {
		from = familyOf(from)
	}
	made, err := f.newRevision(ctx, from, w)
	if err != nil {
		return err
	}
	document, err := f.update(s, made)
	if err != nil {
		return err
	}
	d, err := f.send(ctx, document)
	if err != nil {
		return err
	}
	d.before, d.checked, d.family = &s, checked(made), aws.ToString(made.Family)
	if err := f.follow(ctx, d); err != nil {
		return f.failed(ctx, d, err)
	}
	f.say("service %s runs %s:%d", f.o.service, aws.ToString(made.Family), made.Revision)
	return d.cleanUp
}

// redeploy starts a new deployment of what the service runs.
func (f *flow) redeploy(ctx context.Context) error {
	document, err := written(map[string]any{"cluster": f.o.cluster, "service": f.o.service, "forceNewDeployment": true})
	if err != nil {
		return err
	}
	d, err := f.send(ctx, document)
	if err != nil {
		return err
	}
	if f.o.skipCheck {
		return nil
	}
	if err := f.settle(ctx, d); err != nil {
		return f.failed(ctx, d, err)
	}
	f.say("service %s runs tasks of the new deployment only", f.o.service)
	return nil
}

// look describes the service.
func (f *flow) look(ctx context.Context) (service, error) {
	var body []byte
	in := &awsecs.DescribeServicesInput{Cluster: &f.o.cluster, Services: []string{f.o.service}}
	out, err := f.ecs.DescribeServices(ctx, in, ecs.Keeping(&body))
	if err != nil {
		return service{}, f.target.Failed(fmt.Sprintf("look at service %q in cluster %q", f.o.service, f.o.cluster), err)
	}
	var raw struct {
		Services []struct{ DeploymentConfiguration json.RawMessage }
	}
	if err := json.Unmarshal(body, &raw); err != nil {
		return service{}, fault.New(fault.Unavailable, "cannot read the description of service %q: %w", f.o.service, err)
	}
	if len(out.Services) != 1 || len(raw.Services) != 1 || aws.ToString(out.Services[0].Status) != "ACTIVE" {
		return service{}, fault.New(fault.NotFound, "there is no service %q in cluster %q", f.o.service, f.o.cluster).
			WithHint("check -c, -n and -r")
	}
	return service{out.Services[0], raw.Services[0].DeploymentConfiguration}, nil
}

// drivable refuses a service before anything is registered for it that ECS itself would not deploy.
func (f *flow) drivable(s service) error {
	if c := s.DeploymentController; c != nil && c.Type != "" && c.Type != types.DeploymentControllerTypeEcs {
		return fault.New(fault.Refused, "service %q is deployed by %s, not by ECS's own deployments", f.o.service, c.Type).
			WithHint("deploy it there, or give the service the deployment controller ECS")
	}
	return nil
}

// update is the request that has the service run a revision. What is not asked for is not sent.
func (f *flow) update(s service, made *types.TaskDefinition) ([]byte, error) {
	members := map[string]any{"cluster": f.o.cluster, "service": f.o.service, "taskDefinition": made.TaskDefinitionArn}
	if f.o.desired != nil {
		members["desiredCount"] = *f.o.desired
	}
	if f.o.min != nil || f.o.max != nil {
		configuration, err := s.percents(f.o.min, f.o.max)
		if err != nil {
			return nil, err
		}
		members["deploymentConfiguration"] = configuration
	}
	return written(members)
}

// percents is the service's deployment configuration with other percentages: circuit breaker, alarms and all else stay.
func (s service) percents(least, most *int) (json.RawMessage, error) {
	members := map[string]json.RawMessage{}
	if len(s.configuration) > 0 {
		var err error
		if members, err = object(s.configuration); err != nil {
			return nil, fault.New(fault.Unavailable, "cannot read the service's deployment configuration: %w", err)
		}
	}
	for name, percent := range map[string]*int{"minimumHealthyPercent": least, "maximumPercent": most} {
		if percent != nil {
			members[name] = fmt.Append(nil, *percent)
		}
	}
	return written(members)
}

// send updates the service and returns the deployment that this has started.
func (f *flow) send(ctx context.Context, document []byte) (*deployment, error) {
	out, err := f.ecs.UpdateService(ctx, &awsecs.UpdateServiceInput{Service: &f.o.service}, ecs.Sending(document))
	if err != nil {
		return nil, f.target.Failed(fmt.Sprintf("update service %q", f.o.service), err)
	}
	for _, d := range out.Service.Deployments {
		if aws.ToString(d.Status) == primary {
			f.say("deployment %s of service %s has begun", aws.ToString(d.Id), f.o.service)
			return &deployment{
				id: aws.ToString(d.Id), definition: aws.ToString(d.TaskDefinition), created: aws.ToTime(d.CreatedAt),
				desired: int(out.Service.DesiredCount),
			}, nil
		}
	}
	return nil, fault.New(fault.Unavailable, "ECS has not told of a deployment of service %q", f.o.service)
}

// checked reports that an essential container has a health check.
func checked(d *types.TaskDefinition) bool {
	for _, c := range d.ContainerDefinitions {
		if c.HealthCheck != nil && (c.Essential == nil || *c.Essential) {
			return true
		}
	}
	return false
}
