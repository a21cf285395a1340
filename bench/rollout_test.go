package bench

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway/internal/wiretap"
)

// rollout is one deployment as it was seen from outside and as the engine tells of it.
type rollout struct {
	wall   time.Duration // from the start of whoever deployed until it was done
	engine time.Duration // from the deployment's creation until the service's steady state, by the engine's own times
	lead   time.Duration // from the start until the deployment's creation
	tail   time.Duration // from the steady state until it was done
	calls  wiretap.Calls
}

// install installs a published version with the very program that users call.
func (s *stage) install(ctx context.Context, number string) (rollout, error) {
	args := []string{"install", number + ".RELEASE", "--project", s.project(), "--endpoint-url", s.tap.URL, "--no-verify"}
	for _, value := range s.set() {
		args = append(args, "--set", value)
	}
	return s.follow(ctx, func() error { return s.run(ctx, args...) })
}

// follow measures a deployment.
func (s *stage) follow(ctx context.Context, deploy func() error) (rollout, error) {
	s.tap.Take()
	begun := time.Now()
	if err := deploy(); err != nil {
		return rollout{}, err
	}
	done := time.Now()
	r := rollout{wall: done.Sub(begun), calls: s.tap.Take()}
	created, steady, err := s.engineTimes(ctx)
	if err != nil {
		return r, err
	}
	r.engine, r.lead, r.tail = steady.Sub(created), created.Sub(begun), done.Sub(steady)
	return r, nil
}

// engineTimes returns when the present deployment was created and when the engine told of its steady state, waiting for
// the latter.
func (s *stage) engineTimes(ctx context.Context) (created, steady time.Time, err error) {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		svc, err := s.describe(ctx)
		if err != nil {
			return created, steady, err
		}
		created = *svc.Deployments[0].CreatedAt
		for _, e := range svc.Events {
			if strings.Contains(*e.Message, "has reached a steady state") && e.CreatedAt.After(created) {
				return created, *e.CreatedAt, nil
			}
		}
		select {
		case <-ctx.Done():
			return created, steady, ctx.Err()
		case <-tick.C:
		}
	}
}

func (s *stage) describe(ctx context.Context) (types.Service, error) {
	out, err := s.ecs.DescribeServices(ctx, &ecs.DescribeServicesInput{Cluster: aws.String(cluster), Services: []string{service}})
	if err != nil {
		return types.Service{}, err
	}
	if len(out.Services) != 1 || len(out.Services[0].Deployments) == 0 {
		return types.Service{}, fmt.Errorf("the service is not there: %+v", out)
	}
	return out.Services[0], nil
}

// byHand deploys a version as scripts do that know nothing of Slipway: register, update, and wait with the waiter that
// AWS's own tools have, which looks every 15 seconds. [botocore, ecs waiters-2.json, ServicesStable]
func (s *stage) byHand(ctx context.Context, number string) (rollout, error) {
	counted := ecs.New(s.ecs.Options(), func(o *ecs.Options) { o.BaseEndpoint = &s.tap.URL })
	return s.follow(ctx, func() error {
		old, err := counted.DescribeTaskDefinition(ctx, &ecs.DescribeTaskDefinitionInput{TaskDefinition: aws.String(service)})
		if err != nil {
			return err
		}
		containers := old.TaskDefinition.ContainerDefinitions
		image := *containers[0].Image
		containers[0].Image = aws.String(image[:strings.LastIndexByte(image, ':')+1] + number + ".RELEASE")
		made, err := counted.RegisterTaskDefinition(ctx, &ecs.RegisterTaskDefinitionInput{
			Family: old.TaskDefinition.Family, ContainerDefinitions: containers,
		})
		if err != nil {
			return err
		}
		_, err = counted.UpdateService(ctx, &ecs.UpdateServiceInput{
			Cluster: aws.String(cluster), Service: aws.String(service), TaskDefinition: made.TaskDefinition.TaskDefinitionArn,
		})
		if err != nil {
			return err
		}
		wait := ecs.NewServicesStableWaiter(counted, func(o *ecs.ServicesStableWaiterOptions) {
			o.MinDelay, o.MaxDelay = 15*time.Second, 15*time.Second
		})
		return wait.Wait(ctx, &ecs.DescribeServicesInput{Cluster: aws.String(cluster), Services: []string{service}}, 20*time.Minute)
	})
}
