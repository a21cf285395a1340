package acceptance

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway/app"
	"github.com/slipway-cd/slipway/cli"
	"github.com/slipway-cd/slipway/cli/terminal"
	"github.com/slipway-cd/slipway/deploy"
	"github.com/slipway-cd/slipway/internal/wiretap"
)

// What AWS is asked for a rollout, at AWS's own pace.
const (
	callsAMinute  = 25              // of a rollout
	callsOfNone   = 3               // when there is nothing to do
	noticedWithin = 2 * time.Second // of the scheduler's own steady state
)

// TestARolloutAsksLittleAndNoticesItsEndSoon counts what AWS is asked, and when the end is noticed, with an engine as slow as
// AWS.
func TestARolloutAsksLittleAndNoticesItsEndSoon(t *testing.T) {
	t.Parallel()
	h := newHouse(t, app.Process, 1)
	h.project()
	h.classic()
	h.deliver("1.0.0.RELEASE")
	tap, err := wiretap.New(h.endpoint())
	h.must(err)
	defer tap.Close()
	h.front = tap.URL
	h.push("1.0.1.RELEASE")
	h.publish("1.0.1.RELEASE")
	i := h.install("1.0.1.RELEASE")
	h.wantExit(i, 0, deploy.Proven)
	calls := tap.Take()
	t.Logf("%d calls in %.0f s: %s", calls.Total(), i.result.Seconds, calls)
	if most := int(callsAMinute * i.result.Seconds / 60); calls.Total() > most {
		t.Errorf("%d calls, want at most %d\n%s", calls.Total(), most, i)
	}
	if late := i.ended.Sub(h.steadySince()); late < 0 || late > noticedWithin {
		t.Errorf("the end was noticed after %v, want at most %v\n%s", late, noticedWithin, i)
	}

	h.uncheck()
	tap.Take()
	i = h.install("1.0.1.RELEASE")
	h.wantExit(i, 0, deploy.Unchanged)
	if calls := tap.Take(); calls.Total() > callsOfNone {
		t.Errorf("%d calls with nothing to do, want at most %d: %s", calls.Total(), callsOfNone, calls)
	}
}

// uncheck takes the checks, which are asked again each time, out of the project.
func (h *house) uncheck() {
	h.Helper()
	path := filepath.Join(h.projectDir(), "slipway.yaml")
	text, err := os.ReadFile(path)
	h.must(err)
	before, _, found := strings.Cut(string(text), "\nchecks:")
	if !found {
		h.Fatal("the project has no checks")
	}
	h.must(os.WriteFile(path, []byte(before+"\n"), 0o644))
}

// steadySince returns when the service said that it is steady.
func (h *house) steadySince() time.Time {
	h.Helper()
	out, err := h.ecs.DescribeServices(h.Context(), &ecs.DescribeServicesInput{Cluster: aws.String(houseCluster), Services: []string{houseService}})
	h.must(err)
	for _, e := range out.Services[0].Events {
		if strings.Contains(*e.Message, "steady state") {
			return *e.CreatedAt
		}
	}
	h.Fatal("the service never said that it is steady")
	return time.Time{}
}

// TestFiftyDeploymentsAtOnceComeThroughAWSsLimits starts fifty installations at the same moment, each a program of its own as
// far as AWS can tell, against an engine that throttles as AWS does.
func TestFiftyDeploymentsAtOnceComeThroughAWSsLimits(t *testing.T) {
	t.Parallel()
	const deployments = 50
	e, err := app.NewEngine(t.Context(), app.EngineOptions{
		Listen: "127.0.0.1:0", Dir: filepath.Join(t.TempDir(), "engine"), Runtime: app.Scripted, Speed: 2, Limits: app.AWSLimits,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Stop(t.Context()) })
	if err := e.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	client := ecs.NewFromConfig(aws.Config{
		Region: "us-east-1", BaseEndpoint: aws.String(e.Endpoint()), Credentials: credentials.NewStaticCredentialsProvider("any", "any", ""),
	})
	if _, err := client.CreateCluster(t.Context(), &ecs.CreateClusterInput{}); err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	start := make(chan struct{})
	for i := range deployments {
		dir := fiftieth(t, i)
		all.Go(func() {
			<-start
			talk := new(bytes.Buffer)
			p := &cli.Program{
				Terminal: &terminal.Terminal{In: strings.NewReader(""), Out: new(bytes.Buffer), Err: talk, Env: func(string) string { return "" }},
				Version:  "1.2.3", Environ: append(os.Environ(), "BRANCH_NAME=master"),
			}
			if code := cli.Main(t.Context(), p, []string{"install", "1.0.0.RELEASE", "--project", dir, "--endpoint-url", e.Endpoint(), "--no-verify"}); code != 0 {
				t.Errorf("deployment %d ended with %d\n%s", i, code, talk)
			}
		})
	}
	close(start)
	all.Wait()
	out, err := client.DescribeClusters(t.Context(), &ecs.DescribeClustersInput{Include: []types.ClusterField{types.ClusterFieldStatistics}})
	if err != nil {
		t.Fatal(err)
	}
	if c := out.Clusters[0]; c.ActiveServicesCount != deployments || c.RunningTasksCount != deployments {
		t.Errorf("%d services and %d tasks run, want %d of each", c.ActiveServicesCount, c.RunningTasksCount, deployments)
	}
}

// fiftieth makes the directory of one of fifty projects, with a published version.
func fiftieth(t *testing.T, n int) string {
	t.Helper()
	dir, name := t.TempDir(), fmt.Sprintf("web-%02d", n)
	for file, text := range map[string]string{
		"slipway.yaml": "project: NAME\nversion: \"1.0.0\"\nimage: {repository: 127.0.0.1:1/web}\n" +
			"descriptors: {taskDefinition: task.json, serviceDefinition: service.json, serviceUpdate: update.json}\n",
		"task.json":    `{"family": "NAME", "containerDefinitions": [{"name": "web", "image": "web:1", "memory": 16, "dockerLabels": {"release": "${version}"}}]}`,
		"service.json": `{"serviceName": "NAME", "taskDefinition": "NAME", "desiredCount": 1, "clientToken": "${clientToken}"}`,
		"update.json":  `{"service": "NAME", "taskDefinition": "NAME"}`,
	} {
		if err := os.WriteFile(filepath.Join(dir, file), []byte(strings.ReplaceAll(text, "NAME", name)), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	talk := new(bytes.Buffer)
	p := &cli.Program{
		Terminal: &terminal.Terminal{In: strings.NewReader(""), Out: new(bytes.Buffer), Err: talk, Env: func(string) string { return "" }},
		Version:  "1.2.3", Environ: append(os.Environ(), "BRANCH_NAME=master"),
	}
	if code := cli.Main(t.Context(), p, []string{"publish", "--project", dir}); code != 0 {
		t.Fatalf("publish ended with %d\n%s", code, talk)
	}
	return dir
}
