package ecsdeploy

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway/rollout"
)

// deregister deregisters the oldest ACTIVE revisions of the family, beyond those that are to be kept.
func (f *flow) deregister(ctx context.Context, d *deployment) error {
	active, err := f.activeRevisions(ctx, d.family)
	if err != nil {
		return err
	}
	if len(active) <= f.o.keeps() {
		return nil
	}
	needed, err := f.needed(ctx, d)
	if err != nil {
		return err
	}
	for _, arn := range superfluous(active, f.o.keeps(), needed) {
		if _, err := f.ecs.DeregisterTaskDefinition(ctx, &awsecs.DeregisterTaskDefinitionInput{TaskDefinition: &arn}); err != nil {
			return f.target.Failed(fmt.Sprintf("deregister %s", arn), err)
		}
		f.say("deregistered %s", arn)
	}
	return nil
}

// superfluous returns the oldest of the active revisions, so many that the others are as many as are kept. Needed ones stay,
// though there be more then.
func superfluous(active []string, keep int, needed map[string]bool) []string {
	var oldest []string
	for _, arn := range active[:max(0, len(active)-keep)] {
		if !needed[arn] {
			oldest = append(oldest, arn)
		}
	}
	return oldest
}

// activeRevisions lists the ACTIVE revisions of a family, the oldest first.
func (f *flow) activeRevisions(ctx context.Context, family string) ([]string, error) {
	var all []string
	pages := awsecs.NewListTaskDefinitionsPaginator(f.ecs, &awsecs.ListTaskDefinitionsInput{
		FamilyPrefix: &family, Status: types.TaskDefinitionStatusActive, Sort: types.SortOrderAsc,
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, f.target.Failed(fmt.Sprintf("list the revisions of task definition %q", family), err)
		}
		for _, arn := range page.TaskDefinitionArns {
			if familyOf(arn) == family {
				all = append(all, arn)
			}
		}
	}
	return all, nil
}

// needed are the revisions that stay: the one from before and the new one, those of the service's deployments, what tasks of
// the family in the cluster run, and the last one that was proven, to which a rollback goes.
func (f *flow) needed(ctx context.Context, d *deployment) (map[string]bool, error) {
	needed := map[string]bool{d.definition: true, aws.ToString(d.before.TaskDefinition): true}
	seen, err := f.target.Observe(ctx, []rollout.ServiceRef{{
		Cluster: rollout.ClusterName(f.o.cluster), Service: rollout.ServiceName(f.o.service), Depth: rollout.Past | rollout.Records,
	}})
	if err != nil {
		return nil, err
	}
	for _, s := range seen {
		for _, of := range s.Deployments {
			needed[string(of.Revision)] = true
		}
		if len(s.Proven) > 0 {
			needed[string(s.Proven[0].Revision)] = true
		}
	}
	return needed, f.runningRevisions(ctx, d.family, needed)
}

// runningRevisions adds what the tasks of the family in the cluster run, whoever started them.
func (f *flow) runningRevisions(ctx context.Context, family string, needed map[string]bool) error {
	pages := awsecs.NewListTasksPaginator(f.ecs, &awsecs.ListTasksInput{
		Cluster: &f.o.cluster, Family: &family, DesiredStatus: types.DesiredStatusRunning, MaxResults: aws.Int32(tasksAtOnce),
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return f.target.Failed(fmt.Sprintf("list the tasks of task definition %q", family), err)
		}
		if len(page.TaskArns) == 0 {
			continue
		}
		out, err := f.ecs.DescribeTasks(ctx, &awsecs.DescribeTasksInput{Cluster: &f.o.cluster, Tasks: page.TaskArns})
		if err != nil {
			return f.target.Failed(fmt.Sprintf("look at the tasks of task definition %q", family), err)
		}
		for _, t := range out.Tasks {
			needed[aws.ToString(t.TaskDefinitionArn)] = true
		}
	}
	return nil
}
