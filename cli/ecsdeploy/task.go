package ecsdeploy

import (
	"cmp"
	"context"
	"crypto/rand"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway/fault"
	"github.com/slipway-cd/slipway/rollout"
	"github.com/slipway-cd/slipway/target/ecs"
)

// runTask runs a task of the new revision, and waits for its end where that is asked for.
func (f *flow) runTask(ctx context.Context, made *types.TaskDefinition) error {
	document, err := f.runDocument(aws.ToString(made.TaskDefinitionArn))
	if err != nil {
		return err
	}
	out, err := f.ecs.RunTask(ctx, &awsecs.RunTaskInput{TaskDefinition: made.TaskDefinitionArn}, ecs.Sending(document))
	if err != nil {
		return f.target.Failed("run the task", err)
	}
	if len(out.Failures) > 0 || len(out.Tasks) == 0 {
		return fault.New(fault.Refused, "the task was not started: %s", unplaced(out.Failures))
	}
	var ids []rollout.TaskID
	for _, t := range out.Tasks {
		arn := aws.ToString(t.TaskArn)
		fmt.Fprintln(f.Out, arn)
		ids = append(ids, rollout.TaskID(arn[strings.LastIndexByte(arn, '/')+1:]))
	}
	f.say("started a task of %s:%d", aws.ToString(made.Family), made.Revision)
	if !f.o.wait {
		return nil
	}
	return f.awaitTasks(ctx, ids)
}

func unplaced(failures []types.Failure) string {
	var reasons []string
	for _, failure := range failures {
		text := aws.ToString(failure.Reason)
		if detail := aws.ToString(failure.Detail); detail != "" {
			text += ": " + detail
		}
		reasons = append(reasons, text)
	}
	return cmp.Or(strings.Join(reasons, "; "), "ECS does not say why")
}

// taskCluster is where the task runs: ECS's own default unless -c names another.
func (f *flow) taskCluster() string { return cmp.Or(f.o.cluster, "default") }

// runDocument is the request. Its token makes it idempotent, however often it has to be sent.
func (f *flow) runDocument(definition string) ([]byte, error) {
	members := map[string]any{"cluster": f.taskCluster(), "taskDefinition": definition, "count": 1, "clientToken": rand.Text()}
	for name, value := range map[string]string{"launchType": f.o.launchType, "platformVersion": f.o.platformVersion} {
		if value != "" {
			members[name] = value
		}
	}
	if f.o.network != "" {
		network, err := networkConfiguration(f.o.network)
		if err != nil {
			return nil, err
		}
		members["networkConfiguration"] = network
	}
	return written(members)
}

// awaitTasks waits until the tasks have stopped. They have failed unless all their containers exited with 0.
func (f *flow) awaitTasks(ctx context.Context, ids []rollout.TaskID) error {
	cluster := rollout.ClusterName(f.taskCluster())
	var tasks []rollout.TaskReport
	f.say("waiting until it has stopped, %v at the most", f.o.timeout)
	err := f.await(ctx, "the task has not stopped", func(ctx context.Context) (over bool, err error) {
		tasks, err = f.target.TaskReports(ctx, rollout.ServiceRef{Cluster: cluster}, rollout.TaskQuery{IDs: ids})
		return err == nil && len(tasks) == len(ids) && rollout.Over(tasks), err
	})
	if err != nil {
		return err
	}
	_, reasons := rollout.JudgeOneOff(tasks, 0)
	reasons = append(reasons, failedSidecars(tasks)...)
	if len(reasons) == 0 {
		f.say("the task succeeded")
		return nil
	}
	if evidence, err := f.target.TaskEvidence(ctx, cluster, ids); err == nil {
		f.tell(evidence)
	} else {
		f.say("warning: the cause cannot be looked for: %v", err)
	}
	var texts []string
	for _, r := range reasons {
		texts = append(texts, string(r))
	}
	return fault.New(fault.Internal, "%s", strings.Join(texts, "; "))
}

// failedSidecars tells of containers that are not essential, exited by themselves, and not with 0. What a signal ended was
// stopped along with the rest.
func failedSidecars(tasks []rollout.TaskReport) []rollout.Reason {
	var reasons []rollout.Reason
	for _, t := range tasks {
		for _, c := range t.Containers {
			if !c.Essential && c.ExitCode != nil && *c.ExitCode != 0 && c.Signal == "" {
				reasons = append(reasons, rollout.Reason(fmt.Sprintf("task %s: container %s exited with code %d", t.ID, c.Name, *c.ExitCode)))
			}
		}
	}
	return reasons
}
