package app

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/slipway-cd/slipway/engine/faults"
	"github.com/slipway-cd/slipway/engine/state"
	"github.com/slipway-cd/slipway/fault"
)

// furnish makes one of everything that a reset has to remove besides services.
func furnish(t *testing.T, e *Engine) {
	t.Helper()
	config := clientConfig(t, e)
	name := aws.String("things")
	_, err := secretsmanager.NewFromConfig(config).CreateSecret(t.Context(), &secretsmanager.CreateSecretInput{Name: name, SecretString: name})
	check(t, err)
	_, err = cloudwatchlogs.NewFromConfig(config).CreateLogGroup(t.Context(), &cloudwatchlogs.CreateLogGroupInput{LogGroupName: name})
	check(t, err)
	_, err = elbv2.NewFromConfig(config).CreateLoadBalancer(t.Context(), &elbv2.CreateLoadBalancerInput{Name: name, Subnets: []string{"subnet-1", "subnet-2"}})
	check(t, err)
	_, err = ecr.NewFromConfig(config).CreateRepository(t.Context(), &ecr.CreateRepositoryInput{RepositoryName: name})
	check(t, err)
	objects := buckets(config)
	_, err = objects.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: name})
	check(t, err)
	_, err = objects.PutObject(t.Context(), &s3.PutObjectInput{Bucket: name, Key: name, Body: strings.NewReader("thing")})
	check(t, err)
}

func buckets(config aws.Config) *s3.Client {
	return s3.NewFromConfig(config, func(o *s3.Options) { o.UsePathStyle = true })
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// left returns how many records there are, but for those of the kinds.
func left(e *Engine) map[string]int {
	snap, counts := e.engine.DB().Read(), map[string]int{}
	for range snap.Clusters() {
		counts["clusters"]++
	}
	for range snap.AllInstances() {
		counts["instances"]++
	}
	for range snap.AllServices() {
		counts["services"]++
	}
	for range snap.TaskDefinitions("") {
		counts["task definitions"]++
	}
	for range snap.AllTasks() {
		counts["tasks"]++
	}
	for range snap.Balancers() {
		counts["load balancers"]++
	}
	for range snap.LogGroups() {
		counts["log groups"]++
	}
	return counts
}

func TestAResetLeavesNothingAndTheEngineServesOn(t *testing.T) {
	t.Parallel()
	e := startEngine(t, EngineOptions{Speed: 100})
	for _, images := range []bool{false, true} {
		client := run(t, e, 3, types.LaunchTypeEc2)
		if d, err := client.DescribeTaskDefinition(t.Context(), &ecs.DescribeTaskDefinitionInput{TaskDefinition: aws.String("web")}); err != nil || d.TaskDefinition.Revision != 1 {
			t.Fatalf("the first revision is %+v, %v", d, err)
		}
		furnish(t, e)
		_, err := e.AddFault(t.Context(), faults.Fault{Kind: faults.Freeze, Target: "web", Tasks: 1})
		check(t, err)
		_, err = e.AddFault(t.Context(), faults.Fault{Kind: faults.Kill, Target: "a"})
		check(t, err)

		s, err := ResetEngine(t.Context(), e.Endpoint(), images)
		if err != nil || s.Clusters+s.Services+s.Tasks != 0 || s.Endpoint == "" {
			t.Fatalf("%+v, %v", s, err)
		}
		if counts := left(e); len(counts) != 0 || len(e.Faults()) != 0 {
			t.Errorf("left: %v, faults %v", counts, e.Faults())
		}
		list, err := e.engine.Runtime().List(t.Context(), nil)
		if err != nil || len(list) != 0 {
			t.Errorf("containers: %+v, %v", list, err)
		}
		found, err := ecr.NewFromConfig(clientConfig(t, e)).DescribeRepositories(t.Context(), &ecr.DescribeRepositoriesInput{})
		if err != nil || len(found.Repositories) == 0 != images {
			t.Errorf("with images %v: repositories %+v, %v", images, found, err)
		}
		all, err := buckets(clientConfig(t, e)).ListBuckets(t.Context(), &s3.ListBucketsInput{})
		if err != nil || len(all.Buckets) != 0 {
			t.Errorf("buckets: %+v, %v", all, err)
		}
		if !images { // of the same name again
			_, err := ecr.NewFromConfig(clientConfig(t, e)).DeleteRepository(t.Context(), &ecr.DeleteRepositoryInput{RepositoryName: aws.String("things")})
			check(t, err)
		}
	}
}

func TestAnEngineThatWasResetComesBackEmpty(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	e, err := NewEngine(t.Context(), EngineOptions{Listen: "127.0.0.1:0", Dir: dir, Runtime: Scripted, Speed: 100})
	check(t, err)
	check(t, e.Start(t.Context()))
	run(t, e, 2, types.LaunchTypeEc2)
	check(t, e.Reset(t.Context(), false))
	check(t, e.Stop(t.Context()))
	if err := e.Reset(t.Context(), false); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("an engine that has stopped was reset: %v", err)
	}
	again := startEngine(t, EngineOptions{Dir: dir, Speed: 100})
	if counts := left(again); len(counts) != 0 {
		t.Errorf("left: %v", counts)
	}
	run(t, again, 2, types.LaunchTypeEc2)
}

// Clients that write while an engine is reset see it done or undone, and nothing of what they make is half there.
func TestAResetAmongRequestsLeavesNothingHalf(t *testing.T) {
	t.Parallel()
	e := startEngine(t, EngineOptions{Speed: 100})
	client := run(t, e, 2, types.LaunchTypeEc2)
	ctx, stop := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer stop()
	var clients sync.WaitGroup
	for _, name := range []string{"one", "two", "three"} {
		clients.Go(func() {
			for ctx.Err() == nil {
				_, _ = client.CreateCluster(ctx, &ecs.CreateClusterInput{ClusterName: &name})
				_, _ = client.RunTask(ctx, &ecs.RunTaskInput{Cluster: &name, TaskDefinition: aws.String("web"), Count: aws.Int32(2)})
				_, _ = client.RegisterTaskDefinition(ctx, &ecs.RegisterTaskDefinitionInput{
					Family: aws.String("web"), ContainerDefinitions: []types.ContainerDefinition{{Name: &name, Image: aws.String("web:1"), Memory: aws.Int32(64)}},
				})
			}
		})
	}
	for ctx.Err() == nil {
		check(t, e.Reset(t.Context(), false))
	}
	clients.Wait()
	snap := e.engine.DB().Read()
	for i := range snap.AllInstances() {
		if _, ok := snap.Cluster(i.Cluster); !ok {
			t.Errorf("an instance of a cluster that isn't there: %s", i.Cluster)
		}
	}
	for task := range snap.AllTasks() {
		if _, ok := snap.TaskDefinition(task.TaskDefinition); !ok {
			t.Errorf("a task of a definition that isn't there: %s", task.TaskDefinition)
		}
	}
	check(t, e.Reset(t.Context(), false))
	settles(t, e, func(snap state.Snapshot) bool { return len(left(e)) == 0 })
	run(t, e, 2, types.LaunchTypeEc2)
}
