package conformance

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

func lastOf(arn string) string { return arn[strings.LastIndexByte(arn, '/')+1:] }

func stageOf(payload []byte) string {
	var p struct {
		Stage string `json:"lifecycleStage"`
	}
	_ = json.Unmarshal(payload, &p) // what is no JSON has no stage
	return p.Stage
}

// ends tells how things stand, as clients can see it: the service web with its deployments and their history, and the
// tasks that have stopped.
func (s *stage) ends(ctx context.Context) (string, error) {
	var b strings.Builder
	out, err := s.ecs.DescribeServices(ctx, &ecs.DescribeServicesInput{Services: []string{"web"}})
	if err != nil {
		return "", err
	}
	for _, service := range out.Services {
		if err := s.endOfService(ctx, &b, service); err != nil {
			return "", err
		}
	}
	err = s.endsOfTasks(ctx, &b)
	return b.String(), err
}

func (s *stage) endOfService(ctx context.Context, b *strings.Builder, service types.Service) error {
	fmt.Fprintf(b, "service %s %s: %d of %d running, %d pending, %s\n", *service.ServiceName, *service.Status,
		service.RunningCount, service.DesiredCount, service.PendingCount, shortDefinition(service.TaskDefinition))
	for _, d := range service.Deployments {
		fmt.Fprintf(b, "deployment %s %s %s: %d of %d running, %d pending, %d failed, %s, %s\n", s.names.deployment(*d.Id), *d.Status,
			d.RolloutState, d.RunningCount, d.DesiredCount, d.PendingCount, d.FailedTasks, shortDefinition(d.TaskDefinition),
			s.names.text(aws.ToString(d.RolloutStateReason)))
	}
	return s.endsOfHistory(ctx, b, service.ServiceArn)
}

func shortDefinition(arn *string) string { return lastOf(aws.ToString(arn)) }

func (s *stage) endsOfHistory(ctx context.Context, b *strings.Builder, service *string) error {
	list, err := s.ecs.ListServiceDeployments(ctx, &ecs.ListServiceDeploymentsInput{Service: service})
	if err != nil || len(list.ServiceDeployments) == 0 {
		return err
	}
	var arns []string
	for _, d := range list.ServiceDeployments {
		arns = append(arns, *d.ServiceDeploymentArn)
	}
	out, err := s.ecs.DescribeServiceDeployments(ctx, &ecs.DescribeServiceDeploymentsInput{ServiceDeploymentArns: arns})
	if err != nil {
		return err
	}
	slices.SortFunc(out.ServiceDeployments, func(a, b types.ServiceDeployment) int { return a.CreatedAt.Compare(*b.CreatedAt) })
	r := newRecord(s.names, nil)
	for _, d := range out.ServiceDeployments {
		fmt.Fprintf(b, "service deployment %s to %s\n", s.names.text(r.historyText(d)), s.names.text(aws.ToString(d.TargetServiceRevision.Arn)))
	}
	return nil
}

func (s *stage) endsOfTasks(ctx context.Context, b *strings.Builder) error {
	list, err := s.ecs.ListTasks(ctx, &ecs.ListTasksInput{DesiredStatus: types.DesiredStatusStopped})
	if err != nil || len(list.TaskArns) == 0 {
		return err
	}
	out, err := s.ecs.DescribeTasks(ctx, &ecs.DescribeTasksInput{Tasks: list.TaskArns})
	if err != nil {
		return err
	}
	type ended struct{ id, text string }
	var tasks []ended
	for _, t := range out.Tasks {
		tasks = append(tasks, ended{lastOf(*t.TaskArn), s.names.text(describedEnd(t))})
	}
	slices.SortFunc(tasks, func(a, b ended) int {
		return cmp.Or(cmp.Compare(s.names.rank(a.id), s.names.rank(b.id)), cmp.Compare(a.text, b.text))
	})
	for _, t := range tasks {
		fmt.Fprintf(b, "task %s %s\n", s.names.task(t.id), t.text)
	}
	return nil
}

// describedEnd tells how a task came to its end, as DescribeTasks does.
func describedEnd(t types.Task) string {
	text := fmt.Sprintf("%s %s %s: %s", shortDefinition(t.TaskDefinitionArn), *t.LastStatus, t.StopCode, aws.ToString(t.StoppedReason))
	for _, c := range t.Containers {
		var code *int
		if c.ExitCode != nil {
			n := int(*c.ExitCode)
			code = &n
		}
		text += " " + containerEnd(*c.Name, code, aws.ToString(c.Reason))
	}
	return text
}
