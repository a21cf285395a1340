package app

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/smithy-go"
	awshttp "github.com/aws/smithy-go/transport/http"

	"github.com/slipway-cd/slipway/engine/faults"
	"github.com/slipway-cd/slipway/engine/state"
	"github.com/slipway-cd/slipway/fault"
)

// clientConfig leads the SDK's clients to an engine; they try once.
func clientConfig(t *testing.T, e *Engine) aws.Config {
	t.Helper()
	config, err := AWSConfig(t.Context(), TargetOptions{Endpoint: e.Endpoint()})
	if err != nil {
		t.Fatal(err)
	}
	config.Retryer = func() aws.Retryer { return aws.NopRetryer{} }
	return config
}

// codeOf returns an error's code and its HTTP status.
func codeOf(err error) (string, int) {
	var code string
	if api, ok := errors.AsType[smithy.APIError](err); ok {
		code = api.ErrorCode() + ": " + api.ErrorMessage()
	}
	if response, ok := errors.AsType[*awshttp.ResponseError](err); ok {
		return code, response.HTTPStatusCode()
	}
	return code, 0
}

// run creates a cluster with a service of that many tasks, and waits until they run.
func run(t *testing.T, e *Engine, tasks int32, launch types.LaunchType) *ecs.Client {
	t.Helper()
	client := ecs.NewFromConfig(clientConfig(t, e))
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	_, err := client.CreateCluster(t.Context(), &ecs.CreateClusterInput{})
	must(err)
	network := types.NetworkModeBridge
	var awsvpc *types.NetworkConfiguration
	if launch == types.LaunchTypeFargate {
		network = types.NetworkModeAwsvpc
		awsvpc = &types.NetworkConfiguration{AwsvpcConfiguration: &types.AwsVpcConfiguration{Subnets: []string{"subnet-1"}}}
	}
	_, err = client.RegisterTaskDefinition(t.Context(), &ecs.RegisterTaskDefinitionInput{
		Family: aws.String("web"), Cpu: aws.String("256"), Memory: aws.String("512"), NetworkMode: network,
		RequiresCompatibilities: []types.Compatibility{types.Compatibility(launch)},
		ContainerDefinitions:    []types.ContainerDefinition{{Name: aws.String("web"), Image: aws.String("web:1"), Memory: aws.Int32(64)}},
	})
	must(err)
	_, err = client.CreateService(t.Context(), &ecs.CreateServiceInput{
		ServiceName: aws.String("web"), TaskDefinition: aws.String("web"), DesiredCount: &tasks, LaunchType: launch, NetworkConfiguration: awsvpc,
	})
	must(err)
	running(t, e, int(tasks))
	return client
}

// running waits until that many tasks of the service run that are not asked to stop.
func running(t *testing.T, e *Engine, want int) []*state.Task {
	t.Helper()
	var tasks []*state.Task
	settles(t, e, func(snap state.Snapshot) bool {
		tasks = nil
		for task := range snap.AllTasks() {
			if task.Last == state.Running && task.Desired == state.Running {
				tasks = append(tasks, task)
			}
		}
		return len(tasks) == want
	})
	return tasks
}

// settles waits for a change of the state that makes something so.
func settles(t *testing.T, e *Engine, so func(state.Snapshot) bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	watch := e.engine.DB().Watch()
	defer watch.Close()
	for !so(e.engine.DB().Read()) {
		if _, err := watch.Next(ctx); err != nil {
			t.Fatal("it has not become so within a minute")
		}
	}
}

func TestClientsAreThrottledAsByAWSInEveryProtocol(t *testing.T) {
	t.Parallel()
	e := startEngine(t, EngineOptions{Limits: AWSLimits})
	config := clientConfig(t, e)
	refused := func(n int, call func() error) (first string, status, passed int) {
		for range n {
			err := call()
			if err == nil {
				passed++
			} else if first == "" {
				first, status = codeOf(err)
			}
		}
		return first, status, passed
	}
	json, query := ecs.NewFromConfig(config), elbv2.NewFromConfig(config)
	code, status, passed := refused(80, func() error {
		_, err := json.ListClusters(t.Context(), &ecs.ListClustersInput{})
		return err
	})
	if code != "ThrottlingException: Rate exceeded" || status != 400 || passed < 50 || passed == 80 {
		t.Errorf("JSON: %q (%d), %d passed", code, status, passed)
	}
	code, status, passed = refused(70, func() error {
		_, err := query.DescribeTargetGroups(t.Context(), &elbv2.DescribeTargetGroupsInput{})
		return err
	})
	if code != "Throttling: Rate exceeded" || status != 400 || passed < 40 || passed == 70 {
		t.Errorf("Query: %q (%d), %d passed", code, status, passed)
	}
	if err := e.Reset(t.Context(), false); err != nil {
		t.Fatal(err)
	}
	if _, err := json.ListClusters(t.Context(), &ecs.ListClustersInput{}); err != nil {
		t.Errorf("after a reset: %v", err)
	}
}

func TestFaultsMeetRequestsInEveryProtocol(t *testing.T) {
	t.Parallel()
	e := startEngine(t, EngineOptions{})
	config := clientConfig(t, e)
	calls := map[string]func() error{
		"ecs:ListClusters": func() error {
			_, err := ecs.NewFromConfig(config).ListClusters(t.Context(), &ecs.ListClustersInput{})
			return err
		},
		"elbv2:DescribeTargetGroups": func() error {
			_, err := elbv2.NewFromConfig(config).DescribeTargetGroups(t.Context(), &elbv2.DescribeTargetGroupsInput{})
			return err
		},
		"cloudwatch:ListMetrics": func() error {
			_, err := cloudwatch.NewFromConfig(config).ListMetrics(t.Context(), &cloudwatch.ListMetricsInput{})
			return err
		},
	}
	for action, call := range calls {
		if err := call(); err != nil {
			t.Fatalf("%s: %v", action, err)
		}
		for _, f := range []faults.Fault{
			{Kind: faults.Fail, Target: action, Error: "ServiceUnavailable", Message: "later", Count: 1},
			{Kind: faults.Throttle, Target: action, Count: 1},
		} {
			if _, err := e.AddFault(t.Context(), f); err != nil {
				t.Fatal(err)
			}
			code, status := codeOf(call())
			want, wantStatus := "ServiceUnavailable: later", 503
			if f.Kind == faults.Throttle {
				want, wantStatus = "ThrottlingException: Rate exceeded", 400
				if strings.HasPrefix(action, "elb") {
					want = "Throttling: Rate exceeded"
				}
			}
			if code != want || status != wantStatus {
				t.Errorf("%s, %s: %q (%d)", action, f.Kind, code, status)
			}
			if err := call(); err != nil {
				t.Errorf("%s, %s: it must be over after once: %v", action, f.Kind, err)
			}
		}
	}
}

func TestARequestThatWaitsCanBeGivenUp(t *testing.T) {
	t.Parallel()
	e := startEngine(t, EngineOptions{})
	if _, err := e.AddFault(t.Context(), faults.Fault{Kind: faults.Delay, Target: "ecs:*", DelaySeconds: 3600}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := ecs.NewFromConfig(clientConfig(t, e)).ListClusters(ctx, &ecs.ListClustersInput{}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("it did not wait: %v", err)
	}
}

func TestALostZoneIsReplacedWhenItsFaultEndsByItself(t *testing.T) {
	t.Parallel()
	e := startEngine(t, EngineOptions{Speed: 100})
	run(t, e, 4, types.LaunchTypeEc2)
	f, err := e.AddFault(t.Context(), faults.Fault{Kind: faults.Kill, Target: "a", ForSeconds: 0.2})
	if err != nil || len(f.Affected) != 2 || f.Hits != 2 {
		t.Fatalf("%+v, %v", f, err)
	}
	settles(t, e, func(snap state.Snapshot) bool {
		zones := map[string]int{}
		for i := range snap.AllInstances() {
			if i.Gone.IsZero() {
				zones[i.Zone]++
			}
		}
		return zones["us-east-1a"] == 2 && zones["us-east-1b"] == 2
	})
	for _, task := range running(t, e, 4) {
		if slices.Contains(f.Affected, string(task.Instance)) {
			t.Errorf("a task runs on an instance that is lost: %s", task.Instance)
		}
	}
	if list := e.Faults(); len(list) != 0 {
		t.Errorf("faults: %+v", list)
	}
}

func TestALostZoneTakesWhatRunsThereOnFargate(t *testing.T) {
	t.Parallel()
	e := startEngine(t, EngineOptions{Speed: 100, Instances: -1})
	run(t, e, 4, types.LaunchTypeFargate)
	there := map[state.TaskID]bool{}
	for _, task := range running(t, e, 4) {
		if task.Zone == "us-east-1a" {
			there[task.ID] = true
		}
	}
	if len(there) != 2 {
		t.Fatalf("%d of 4 tasks are in the zone", len(there))
	}
	if _, err := e.AddFault(t.Context(), faults.Fault{Kind: faults.Kill, Target: "us-east-1a"}); err != nil {
		t.Fatal(err)
	}
	settles(t, e, func(snap state.Snapshot) bool {
		stopped := 0
		for task := range snap.AllTasks() {
			if task.Last == state.Stopped && task.StopCode == types.TaskStopCodeInfrastructureHealth {
				stopped++
			}
		}
		return stopped == 2
	})
	for _, task := range running(t, e, 4) { // its scheduler has started others
		if there[task.ID] {
			t.Errorf("task %s runs on", task.ID)
		}
		if task.Zone == "us-east-1a" {
			t.Errorf("task %s was started in the lost zone", task.ID)
		}
	}
}

func TestNothingIsStartedOnFargateWhileAllZonesAreLost(t *testing.T) {
	t.Parallel()
	e := startEngine(t, EngineOptions{Speed: 1000, Instances: -1})
	client := run(t, e, 2, types.LaunchTypeFargate)
	for _, zone := range []string{"a", "b"} {
		if _, err := e.AddFault(t.Context(), faults.Fault{Kind: faults.Kill, Target: zone}); err != nil {
			t.Fatal(err)
		}
	}
	const want = "(service web) was unable to place a task. Reason: Capacity is unavailable at this time. Please try again later or in a " +
		"different availability zone. For more information, see the Troubleshooting section of the Amazon ECS Developer Guide."
	settles(t, e, func(snap state.Snapshot) bool {
		events := snap.Events(state.ServiceKey{Cluster: "default", Name: "web"}).List
		return slices.ContainsFunc(events, func(e types.ServiceEvent) bool { return *e.Message == want })
	})
	one, err := client.RunTask(t.Context(), &ecs.RunTaskInput{
		TaskDefinition: aws.String("web"), LaunchType: types.LaunchTypeFargate,
		NetworkConfiguration: &types.NetworkConfiguration{AwsvpcConfiguration: &types.AwsVpcConfiguration{Subnets: []string{"subnet-1"}}},
	})
	if err != nil || len(one.Tasks) != 0 || len(one.Failures) != 1 || !strings.HasPrefix(*one.Failures[0].Reason, "Capacity is unavailable") {
		t.Errorf("%+v, error %v", one, err)
	}
	if _, err := e.ClearFaults(t.Context()); err != nil {
		t.Fatal(err)
	}
	running(t, e, 2)
}

func TestAFrozenTaskGoesOnAtTheEndOfItsFaultOrOfTheEngine(t *testing.T) {
	t.Parallel()
	e := startEngine(t, EngineOptions{Speed: 100})
	run(t, e, 3, types.LaunchTypeEc2)
	f, err := e.AddFault(t.Context(), faults.Fault{Kind: faults.Freeze, Target: "web", Tasks: 2})
	if err != nil || len(f.Affected) != 2 {
		t.Fatalf("%+v, %v", f, err)
	}
	one := running(t, e, 3)[0]
	arn := e.engine.Identity().TaskARN(one.Cluster, one.ID)
	if g, err := e.AddFault(t.Context(), faults.Fault{Kind: faults.Freeze, Target: arn, Container: "web"}); err != nil || len(g.Affected) != 1 {
		t.Errorf("by its ARN: %+v, %v", g, err)
	}
	if _, err := e.AddFault(t.Context(), faults.Fault{Kind: faults.Freeze, Target: arn, Container: "db"}); fault.KindOf(err) != fault.NotFound {
		t.Errorf("a container that isn't there: %v", err)
	}
	if _, err := os.Stat(e.frozenFile()); err != nil {
		t.Errorf("nobody knows after a kill what stands still: %v", err)
	}
	limited, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	task, container, _ := strings.Cut(f.Affected[0], "/")
	if _, _, err := e.engine.Exec(limited, state.TaskID(task), container, []string{"true"}); fault.KindOf(err) != fault.Timeout {
		t.Errorf("a command ends in a frozen container: %v", err)
	}
	if _, err := e.ClearFaults(t.Context()); err != nil {
		t.Fatal(err)
	}
	if code, _, err := e.engine.Exec(t.Context(), state.TaskID(task), container, []string{"true"}); err != nil || code != 0 {
		t.Errorf("it does not go on: %d, %v", code, err)
	}
	if _, err := os.Stat(e.frozenFile()); err == nil {
		t.Error("what stands still is still noted")
	}
}

func TestAnEngineThatWasKilledHasFrozenContainersGoOn(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	before := &Engine{options: EngineOptions{Dir: dir}}
	if err := before.markFrozen([]standing{{"0123456789abcdef0123456789abcdef", "web"}}, true); err != nil {
		t.Fatal(err)
	}
	e := startEngine(t, EngineOptions{Dir: dir})
	if _, err := os.Stat(e.frozenFile()); err == nil {
		t.Error("the next engine has not looked after them")
	}
}

// admin sends a request to the engine's own paths, as a program that is not ours does.
func admin(t *testing.T, e *Engine, method, path, body string, header bool) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, e.Endpoint()+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if header {
		req.Header.Set(adminHeader, "1")
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var b bytes.Buffer
	_, _ = b.ReadFrom(resp.Body)
	return resp.StatusCode, b.String()
}

func TestTheAdminAPIKeepsStrangersOutAndReadsWithCare(t *testing.T) {
	t.Parallel()
	e := startEngine(t, EngineOptions{})
	const good = `{"kind":"throttle","target":"ecs:*"}`
	for name, tc := range map[string]struct {
		method, path, body string
		header             bool
		status             int
		want               string
	}{
		"a page adds":          {"POST", "/_slipway/faults", good, false, 403, "X-Slipway-Admin"},
		"a page clears":        {"DELETE", "/_slipway/faults", "", false, 403, "X-Slipway-Admin"},
		"a page resets":        {"POST", "/_slipway/reset", "", false, 403, "X-Slipway-Admin"},
		"a reset by GET":       {"GET", "/_slipway/reset", "", true, 403, "POST with the header"},
		"an unknown fault":     {"DELETE", "/_slipway/faults/fault-7", "", true, 404, `"kind":"not-found"`},
		"an unknown member":    {"POST", "/_slipway/faults", `{"kind":"disk","size":1}`, true, 400, "unknown field"},
		"an id of one's own":   {"POST", "/_slipway/faults", `{"kind":"disk","id":"mine"}`, true, 400, "are the engine's to say"},
		"no JSON":              {"POST", "/_slipway/faults", `disk`, true, 400, "cannot read the fault"},
		"far too much":         {"POST", "/_slipway/faults", `{"kind":"disk","target":"` + strings.Repeat("x", 1<<20) + `"}`, true, 400, "too large"},
		"an unknown cluster":   {"POST", "/_slipway/faults", `{"kind":"kill","target":"a","cluster":"qa"}`, true, 404, `no cluster \"qa\"`},
		"an unknown operation": {"POST", "/_slipway/faults", `{"kind":"fail","target":"ecs:PutObject"}`, true, 400, "no operation is served"},
		"one of Amazon S3": {
			"POST", "/_slipway/faults", `{"kind":"fail","target":"s3:PutObject"}`, true, 400,
			"requests to Amazon S3 and to the image registry meet no faults of the kind fail",
		},
	} {
		if status, body := admin(t, e, tc.method, tc.path, tc.body, tc.header); status != tc.status || !strings.Contains(body, tc.want) {
			t.Errorf("%s: %d %s", name, status, body)
		}
	}
	status, body := admin(t, e, "POST", "/_slipway/faults", good, true)
	var f faults.Fault
	if err := json.Unmarshal([]byte(body), &f); err != nil || status != 200 || f.ID != "fault-1" {
		t.Errorf("%d %s", status, body)
	}
	if status, body = admin(t, e, "DELETE", "/_slipway/faults/fault-1", "", true); status != 200 || !strings.Contains(body, "fault-1") {
		t.Errorf("%d %s", status, body)
	}
	if status, body = admin(t, e, "GET", "/_slipway/faults", "", false); status != 200 || strings.TrimSpace(body) != "[]" {
		t.Errorf("%d %s", status, body)
	}
}

func TestTheNumberOfFaultsIsBounded(t *testing.T) {
	t.Parallel()
	e := startEngine(t, EngineOptions{})
	for range mostFaults {
		if _, err := e.AddFault(t.Context(), faults.Fault{Kind: faults.Disk}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := e.AddFault(t.Context(), faults.Fault{Kind: faults.Disk}); fault.KindOf(err) != fault.Refused {
		t.Errorf("one more: %v", err)
	}
}
