package api_test

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

func TestSeveralLinesAreOneEventWhereTheLogDriverIsToldSo(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.register("web", func(in *ecs.RegisterTaskDefinitionInput) {
		c := &in.ContainerDefinitions[0]
		c.DockerLabels = map[string]string{"slipway.script": `log "2026-11-21 ERROR: broken"; log "  at one"; log "  at two"; log "2026-11-21 on"; run 1s`}
		c.LogConfiguration = &types.LogConfiguration{LogDriver: types.LogDriverAwslogs, Options: map[string]string{
			"awslogs-group": "/web", "awslogs-region": "us-east-1", "awslogs-stream-prefix": "ecs", "awslogs-create-group": "true",
			"awslogs-datetime-format": "^%Y-%m-%d ",
		}}
	})
	_, err := h.ecs.CreateCluster(t.Context(), &ecs.CreateClusterInput{})
	must(h, 0, err)
	run, err := h.ecs.RunTask(t.Context(), &ecs.RunTaskInput{TaskDefinition: aws.String("web")})
	must(h, run, err)
	waiter := ecs.NewTasksStoppedWaiter(h.ecs, func(o *ecs.TasksStoppedWaiterOptions) { o.MinDelay, o.MaxDelay = quick, quick })
	if err := waiter.Wait(t.Context(), &ecs.DescribeTasksInput{Tasks: []string{*run.Tasks[0].TaskArn}}, time.Minute); err != nil {
		t.Fatal(err)
	}
	arn := *run.Tasks[0].TaskArn
	stream := "ecs/app/" + arn[strings.LastIndexByte(arn, '/')+1:]
	out, err := h.logs.GetLogEvents(t.Context(), &cloudwatchlogs.GetLogEventsInput{LogGroupName: aws.String("/web"), LogStreamName: &stream, StartFromHead: aws.Bool(true)})
	must(h, out, err)
	var got []string
	for _, e := range out.Events {
		got = append(got, *e.Message)
	}
	if text := strings.Join(got, "|"); text != "2026-11-21 ERROR: broken\n  at one\n  at two\n|2026-11-21 on\n" {
		t.Errorf("%q of %s", text, h.describe(arn))
	}
}

func (h *house) describe(arn string) string {
	out, err := h.ecs.DescribeTasks(h.Context(), &ecs.DescribeTasksInput{Tasks: []string{arn}})
	must(h, out, err)
	return h.last.answer()
}
