package ecs

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	logtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/aws/smithy-go"

	"github.com/slipway-cd/slipway/rollout"
)

// sickTargets tells what the load balancers say of the deployment's tasks, once their grace period is over.
func (q *inquiry) sickTargets(ctx context.Context) error {
	if len(q.service.LoadBalancers) == 0 || len(q.running) == 0 {
		return nil
	}
	targets, err := q.target.targets(ctx, q.ref, q.service.LoadBalancers, q.running, true)
	if err != nil {
		return err
	}
	grace := time.Duration(aws.ToInt32(q.service.HealthCheckGracePeriodSeconds)) * time.Second
	begun := map[rollout.TaskID]time.Time{}
	for _, task := range q.running {
		if task.StartedAt != nil {
			begun[taskID(task)] = *task.StartedAt
		}
	}
	for _, h := range targets {
		at, running := begun[h.Task]
		if !q.ours[h.Task] || !running || h.State != rollout.TargetUnhealthy || time.Since(at) < grace {
			continue
		}
		text := cmp.Or(h.Reason, "unhealthy")
		q.found = append(q.found, rollout.Evidence{
			Kind: rollout.TargetSick, At: time.Now(), New: true, Task: h.Task, Subject: h.Group, Port: h.Port, Text: text,
			Status: httpStatus(text), Points: targetCause("(reason " + text + ")"),
		})
	}
	return nil
}

func groupLabel(arn string) string {
	if arn == "" {
		return ""
	}
	return groupName(arn)
}

func number(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		return 0
	}
	return n
}

// What is read of the logs: of the newest failed tasks, the last lines each.
const (
	loggedTasks = 2
	loggedLines = 25
)

// logs adds what the containers wrote last that failed, or, where a health check did, all essential ones.
func (q *inquiry) logs(ctx context.Context) error {
	var failed []types.Task
	sick := map[rollout.TaskID]bool{}
	for _, e := range q.found {
		if e.Task != "" && e.New {
			sick[e.Task] = true
		}
	}
	for _, task := range slices.Concat(q.stopped, q.running) {
		if sick[taskID(task)] {
			failed = append(failed, task)
		}
	}
	slices.SortFunc(failed, func(a, b types.Task) int {
		return aws.ToTime(b.CreatedAt).Compare(aws.ToTime(a.CreatedAt))
	})
	for _, task := range failed[:min(len(failed), loggedTasks)] {
		d, err := q.target.definition(ctx, aws.ToString(task.TaskDefinitionArn))
		if err != nil {
			return err
		}
		for _, c := range d.ContainerDefinitions {
			if err := q.tail(ctx, task, c); err != nil {
				return err
			}
		}
	}
	return nil
}

// tail reads the last lines of a container whose log driver is awslogs: the stream is PREFIX/CONTAINER/TASK. Of other
// drivers it says how to make them readable, once.
func (q *inquiry) tail(ctx context.Context, task types.Task, c types.ContainerDefinition) error {
	name := aws.ToString(c.Name)
	l := c.LogConfiguration
	if l == nil || l.LogDriver != types.LogDriverAwslogs || l.Options["awslogs-stream-prefix"] == "" {
		q.cannotRead(task, name)
		return nil
	}
	group, id := l.Options["awslogs-group"], string(taskID(task))
	out, err := q.target.logs.GetLogEvents(ctx, &cloudwatchlogs.GetLogEventsInput{
		LogGroupName: &group, LogStreamName: aws.String(l.Options["awslogs-stream-prefix"] + "/" + name + "/" + id),
		Limit: aws.Int32(loggedLines),
	})
	if unreadable(err) {
		return nil // it has written nothing yet, or may not be read: a diagnosis can do without
	}
	if err != nil {
		return q.target.failed("read the log of container "+name, err)
	}
	for _, line := range out.Events {
		e := q.about(task)
		e.Kind, e.Container, e.Text = rollout.LogLine, name, aws.ToString(line.Message)
		e.At = time.UnixMilli(aws.ToInt64(line.Timestamp))
		if points(e.Text) == rollout.WrongArchitecture {
			e.Points, e.Subject = rollout.WrongArchitecture, aws.ToString(c.Image)
		}
		q.found = append(q.found, e)
	}
	return nil
}

func (q *inquiry) cannotRead(task types.Task, container string) {
	text := "container " + container + " writes no log that can be read here: give it the log driver awslogs with awslogs-group and awslogs-stream-prefix"
	said := func(e rollout.Evidence) bool { return e.Text == text }
	if !slices.ContainsFunc(q.found, said) {
		q.found = append(q.found, rollout.Evidence{Kind: rollout.EventSeen, At: aws.ToTime(task.CreatedAt), New: true, Text: text})
	}
}

func unreadable(err error) bool {
	if _, missing := errors.AsType[*logtypes.ResourceNotFoundException](err); missing {
		return true
	}
	api, ok := errors.AsType[smithy.APIError](err)
	return ok && api.ErrorCode() == "AccessDeniedException"
}
