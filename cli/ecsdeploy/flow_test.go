package ecsdeploy

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/google/go-cmp/cmp"

	"github.com/slipway-cd/slipway/app"
	"github.com/slipway-cd/slipway/internal/wiretap"
)

// place is an engine with a service to deploy to, and a tap that notes what it is asked.
type place struct {
	*testing.T
	ecs *awsecs.Client
	tap *wiretap.Tap

	out, talk bytes.Buffer
	order     []string
}

const secret = "hunter2-is-a-secret"

func newPlace(t *testing.T, options app.EngineOptions) *place {
	t.Helper()
	options.Listen, options.Dir, options.Runtime = "127.0.0.1:0", filepath.Join(t.TempDir(), "engine"), app.Scripted
	if options.Speed == 0 {
		options.Speed = 100
	}
	e, err := app.NewEngine(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Stop(context.WithoutCancel(t.Context())) })
	if err := e.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	tap, err := wiretap.New(e.Endpoint())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(tap.Close)
	key, password := "any", "any"
	for k, s := range options.Credentials {
		key, password = k, s
	}
	p := &place{T: t, tap: tap, ecs: awsecs.NewFromConfig(aws.Config{
		Region: "us-east-1", BaseEndpoint: aws.String(e.Endpoint()), Credentials: credentials.NewStaticCredentialsProvider(key, password, ""),
	})}
	p.must(p.ecs.CreateCluster(t.Context(), &awsecs.CreateClusterInput{ClusterName: aws.String("qa")}))
	return p
}

func (p *place) must(_ any, err error) {
	p.Helper()
	if err != nil {
		p.Fatal(err)
	}
}

// register registers web, which has a sidecar.
func (p *place) register(script string) string {
	p.Helper()
	out, err := p.ecs.RegisterTaskDefinition(p.Context(), &awsecs.RegisterTaskDefinitionInput{
		Family: aws.String("web"), Tags: []types.Tag{{Key: aws.String("team"), Value: aws.String("blue")}},
		ContainerDefinitions: []types.ContainerDefinition{
			{
				Name: aws.String("web"), Image: aws.String("host.x/web:1"), Memory: aws.Int32(16), DockerLabels: map[string]string{"slipway.script": script},
				Environment: []types.KeyValuePair{{Name: aws.String("PASSWORD"), Value: aws.String(secret)}},
			},
			{Name: aws.String("log"), Image: aws.String("host.x/log"), Memory: aws.Int32(16), Essential: aws.Bool(false)},
		},
	})
	p.must(out, err)
	return *out.TaskDefinition.TaskDefinitionArn
}

// serve has a service run web, and waits until it does.
func (p *place) serve(change func(*awsecs.CreateServiceInput)) {
	p.Helper()
	in := &awsecs.CreateServiceInput{
		Cluster: aws.String("qa"), ServiceName: aws.String("web"), TaskDefinition: aws.String(p.register("")), DesiredCount: aws.Int32(2),
	}
	if change != nil {
		change(in)
	}
	p.must(p.ecs.CreateService(p.Context(), in))
	if got := p.deploy("-c qa -n web --force-new-deployment"); got != exitDone {
		p.Fatalf("the service did not come up: %s", &p.talk)
	}
}

// deploy runs the command, and keeps what it wrote and asked.
func (p *place) deploy(args string, environ ...string) int {
	p.Helper()
	return p.call(strings.Fields(args), environ...)
}

func (p *place) call(args []string, environ ...string) int {
	p.Helper()
	p.out.Reset()
	p.talk.Reset()
	p.tap.Take()
	environ = append([]string{"AWS_ENDPOINT_URL=" + p.tap.URL, "AWS_REGION=us-east-1"}, environ...)
	code := Main(p.Context(), &Program{Name: "ecs-deploy", Version: "1.2.3", Out: &p.out, Err: &p.talk, Environ: environ}, args)
	p.order = p.tap.Order()
	return code
}

// wants holds the exit code and what was said.
func (p *place) wants(got, want int, says ...string) {
	p.Helper()
	if got != want {
		p.Errorf("exit code %d, want %d\n%s", got, want, &p.talk)
	}
	for _, s := range says {
		if !strings.Contains(p.talk.String(), s) {
			p.Errorf("%q was not said:\n%s", s, &p.talk)
		}
	}
	if strings.Contains(p.talk.String()+p.out.String(), secret) {
		p.Errorf("a secret was told:\n%s%s", &p.talk, &p.out)
	}
}

// asked holds what AWS was asked, in order: looks at a service and its tasks after the first change count as a wait.
func (p *place) asked(want ...string) {
	p.Helper()
	var got []string
	waiting := false
	for _, name := range p.order {
		if waiting && (name == "DescribeServices" || name == "ListTasks" || name == "DescribeTasks") {
			name = "wait"
		}
		if name == "UpdateService" || name == "RunTask" {
			waiting = true
		}
		if name != "wait" || got[len(got)-1] != "wait" {
			got = append(got, name)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		p.Errorf("calls (-want +got):\n%s\n%s", diff, &p.talk)
	}
}

func (p *place) service() types.Service {
	p.Helper()
	out, err := p.ecs.DescribeServices(p.Context(), &awsecs.DescribeServicesInput{Cluster: aws.String("qa"), Services: []string{"web"}})
	p.must(out, err)
	return out.Services[0]
}

func (p *place) definition(name string) (types.TaskDefinition, []types.Tag) {
	p.Helper()
	out, err := p.ecs.DescribeTaskDefinition(p.Context(), &awsecs.DescribeTaskDefinitionInput{
		TaskDefinition: &name, Include: []types.TaskDefinitionField{types.TaskDefinitionFieldTags},
	})
	p.must(out, err)
	return *out.TaskDefinition, out.Tags
}

// runs holds which revision the service runs, and that its image is this one.
func (p *place) runs(revision int32, image string) {
	p.Helper()
	d, _ := p.definition(*p.service().TaskDefinition)
	if d.Revision != revision || *d.ContainerDefinitions[0].Image != image || *d.ContainerDefinitions[1].Image != "host.x/log" {
		p.Errorf("the service runs revision %d with %s and %s", d.Revision, *d.ContainerDefinitions[0].Image, *d.ContainerDefinitions[1].Image)
	}
}

func TestAServiceGetsANewRevisionInTheScriptsOrder(t *testing.T) {
	t.Parallel()
	p := newPlace(t, app.EngineOptions{})
	p.serve(nil)
	p.wants(p.deploy("-c qa -n web -i host.x/web:2 -v"), exitDone, "container web: host.x/web:1 → host.x/web:2", "registered web:2", "aws ECS UpdateService: ok", "service web runs web:2")
	p.asked("DescribeServices", "DescribeTaskDefinition", "RegisterTaskDefinition", "UpdateService", "wait")
	if !slices.Contains(p.order, "ListTasks") || p.order[len(p.order)-1] != "DescribeServices" {
		t.Errorf("two waits, of which the second is for the service: %v", p.order)
	}
	if s := p.service(); len(s.Deployments) != 1 || s.RunningCount != 2 || strings.TrimSpace(p.out.String()) != *s.TaskDefinition {
		t.Errorf("%d deployments, %d tasks, wrote %s", len(s.Deployments), s.RunningCount, &p.out)
	}
	p.runs(2, "host.x/web:2")
	d, tags := p.definition("web")
	if len(tags) != 0 || *d.ContainerDefinitions[0].Environment[0].Value != secret {
		t.Errorf("tags %v, %v", tags, d.ContainerDefinitions[0].Environment)
	}

	p.wants(p.deploy("-c qa -n web -i x -to 3 --skip-deployments-check --copy-task-definition-tags"), exitDone, "container log: host.x/log → host.x/log:3")
	p.asked("DescribeServices", "DescribeTaskDefinition", "RegisterTaskDefinition", "UpdateService", "wait")
	if last := p.order[len(p.order)-1]; last != "DescribeTasks" {
		t.Errorf("the second wait was to be skipped, the last call is %s", last)
	}

	p.wants(p.deploy("-c qa -n web -i host.x/web -e TAG -D 0 -m 0 -M 150", "TAG=4"), exitDone)
	if slices.Contains(p.order, "ListTasks") {
		t.Errorf("a task was waited for: %v", p.order)
	}
	if s := p.service(); s.DesiredCount != 0 || *s.DeploymentConfiguration.MinimumHealthyPercent != 0 || *s.DeploymentConfiguration.MaximumPercent != 150 {
		t.Errorf("%d tasks, %+v", s.DesiredCount, s.DeploymentConfiguration)
	}
}

func TestANewDeploymentNeedsNoRevision(t *testing.T) {
	t.Parallel()
	p := newPlace(t, app.EngineOptions{})
	p.serve(nil)
	p.wants(p.deploy("-c qa -n web --force-new-deployment"), exitDone)
	p.asked("UpdateService", "wait")
	p.runs(1, "host.x/web:1")
	p.wants(p.deploy("-c qa -n web --force-new-deployment --skip-deployments-check"), exitDone)
	p.asked("UpdateService")
}

func TestWhatCannotBeDeployedChangesNothing(t *testing.T) {
	t.Parallel()
	p := newPlace(t, app.EngineOptions{})
	p.serve(nil)
	p.wants(p.deploy("-c qa -n web -i web:9"), exitFailed, "no container has an image of repository web; there are host.x/log, host.x/web:1")
	p.asked("DescribeServices", "DescribeTaskDefinition")
	p.wants(p.deploy("-c qa -n api -i web:9"), exitFailed, `there is no service "api" in cluster "qa"`)
	p.asked("DescribeServices")
	p.wants(p.deploy("-c production -n web -i web:9"), exitFailed, "Cluster not found")
	p.wants(p.deploy("-d api -i web:9"), exitFailed, `cannot look at task definition "api"`)
	p.asked("DescribeTaskDefinition")
	p.wants(p.deploy("-c qa -n web -i web:9 --task-definition-file no-such-file"), exitFailed, "--task-definition-file: open no-such-file")
	p.runs(1, "host.x/web:1")
}

func TestAFailedDeploymentIsExplainedAndTakenBack(t *testing.T) {
	t.Parallel()
	p := newPlace(t, app.EngineOptions{})
	p.serve(nil)
	dir := t.TempDir()
	file := filepath.Join(dir, "broken.json")
	broken := `{"taskDefinition": {"family": "web", "revision": 7, "containerDefinitions": [
		{"name": "web", "image": "host.x/web:1", "memory": 16, "dockerLabels": {"slipway.script": "start fails \"no such file\""}}, {"name": "log", "image": "host.x/log", "memory": 16, "essential": false}]}}`
	if err := os.WriteFile(file, []byte(broken), 0o600); err != nil {
		t.Fatal(err)
	}
	p.wants(p.deploy("-c qa -n web -i host.x/web:2 -t 2 -D 3 -m 50 --enable-rollback --task-definition-file "+file), exitFailed,
		"no task of the new revision has come up within 2s", "container web cannot be started", "going back to", "service web was not deployed")
	if first, last := slices.Index(p.order, "UpdateService"), p.order[len(p.order)-1]; slices.Contains(p.order[:first], "DescribeTaskDefinition") || last != "UpdateService" {
		t.Errorf("calls %v", p.order)
	}
	p.runs(1, "host.x/web:1")
	if s := p.service(); s.DesiredCount != 2 || *s.DeploymentConfiguration.MinimumHealthyPercent != 100 {
		t.Errorf("what was changed along with it is not as before: %d, %+v", s.DesiredCount, s.DeploymentConfiguration)
	}

	p.wants(p.deploy("-c qa -n web -i host.x/web:3 -t 1 --task-definition-file "+file), exitFailed, "within 1s")
	p.runs(3, "host.x/web:3")
	p.wants(p.deploy("-c qa -n web -i host.x/web:4 -t 0 --task-definition-file "+file), exitFailed, "within 0s")
}

func TestADeploymentThatECSTookBackHasFailed(t *testing.T) {
	t.Parallel()
	p := newPlace(t, app.EngineOptions{})
	p.serve(func(in *awsecs.CreateServiceInput) {
		in.DeploymentConfiguration = &types.DeploymentConfiguration{DeploymentCircuitBreaker: &types.DeploymentCircuitBreaker{Enable: true, Rollback: true}}
	})
	file := filepath.Join(t.TempDir(), "broken.json")
	broken := `{"family": "web", "containerDefinitions": [
		{"name": "web", "image": "host.x/web", "memory": 16, "dockerLabels": {"slipway.script": "exit 3"}}, {"name": "log", "image": "host.x/log", "memory": 16, "essential": false}]}`
	if err := os.WriteFile(file, []byte(broken), 0o600); err != nil {
		t.Fatal(err)
	}
	p.wants(p.deploy("-c qa -n web -i host.x/web:2 -m 50 -t 60 --enable-rollback --task-definition-file "+file), exitFailed,
		"container web exits with code 3", "ECS has gone back to", "by itself")
	updates := 0
	for _, name := range p.order {
		if name == "UpdateService" {
			updates++
		}
	}
	if updates != 1 {
		t.Errorf("%d updates: %v", updates, p.order)
	}
	p.runs(1, "host.x/web:1")
	if s := p.service(); s.DeploymentConfiguration.DeploymentCircuitBreaker == nil || !s.DeploymentConfiguration.DeploymentCircuitBreaker.Enable {
		t.Error("-m has switched the circuit breaker off")
	}
}

func TestOldRevisionsGoAndThoseThatAreNeededStay(t *testing.T) {
	t.Parallel()
	p := newPlace(t, app.EngineOptions{})
	p.serve(nil)
	p.register("")
	p.register("")
	p.must(p.ecs.RunTask(t.Context(), &awsecs.RunTaskInput{Cluster: aws.String("qa"), TaskDefinition: aws.String("web:2")}))
	p.wants(p.deploy("-c qa -n web -i host.x/web:2 --max-definitions 1"), exitDone, "deregistered arn:aws:ecs:us-east-1:000000000000:task-definition/web:3")
	between := slices.Index(p.order, "DeregisterTaskDefinition")
	if between < slices.Index(p.order, "ListTasks") || p.order[len(p.order)-1] != "DescribeServices" {
		t.Errorf("old revisions go between the waits: %v", p.order)
	}
	out, err := p.ecs.ListTaskDefinitions(t.Context(), &awsecs.ListTaskDefinitionsInput{FamilyPrefix: aws.String("web"), Status: types.TaskDefinitionStatusActive})
	p.must(out, err)
	var left []string
	for _, arn := range out.TaskDefinitionArns {
		left = append(left, arn[strings.LastIndexByte(arn, '/')+1:])
	}
	// 1 is what rollback needs, a task runs 2, and 4 is new.
	if diff := cmp.Diff([]string{"web:1", "web:2", "web:4"}, left); diff != "" {
		t.Errorf("ACTIVE revisions (-want +got):\n%s", diff)
	}
}

func TestTheNewestRevisionIsBegunWithWhereThatIsAskedFor(t *testing.T) {
	t.Parallel()
	p := newPlace(t, app.EngineOptions{})
	p.serve(nil)
	for _, c := range []struct{ newest, args, want string }{
		{"run 9999h", "", ""},
		{"run 8888h", "--use-latest-task-def", "run 8888h"},
		{"run 7777h", "", "run 8888h"},
	} {
		p.register(c.newest)
		p.wants(p.deploy("-c qa -n web -i host.x/web:2 "+c.args), exitDone)
		p.asked("DescribeServices", "DescribeTaskDefinition", "RegisterTaskDefinition", "UpdateService", "wait")
		d, _ := p.definition(strings.TrimSpace(p.out.String()))
		if got := d.ContainerDefinitions[0].DockerLabels["slipway.script"]; got != c.want {
			t.Errorf("%q began with the revision of %q, want %q", c.args, got, c.want)
		}
	}
}

func TestATaskDefinitionGetsANewRevision(t *testing.T) {
	t.Parallel()
	p := newPlace(t, app.EngineOptions{})
	p.register("")
	p.wants(p.deploy("-d web -i host.x/web:2"), exitDone, "registered web:2")
	p.asked("DescribeTaskDefinition", "RegisterTaskDefinition")
	p.wants(p.deploy("-d web:1 -i host.x/web:3 --copy-task-definition-tags"), exitDone, "registered web:3")
	if _, tags := p.definition("web"); len(tags) != 1 || *tags[0].Value != "blue" {
		t.Errorf("tags: %v", tags)
	}
	file := filepath.Join(t.TempDir(), "task.json")
	if err := os.WriteFile(file, []byte("// ours\n{\"family\":\"web\",\n \"containerDefinitions\":[{\"name\":\"web\",\"image\":\"host.x/web\",\"memory\":16}]}"), 0o600); err != nil {
		t.Fatal(err)
	}
	p.wants(p.deploy("-d web:1 -i host.x/web:5 --task-definition-file "+file), exitDone, "registered web:4")
	p.asked("RegisterTaskDefinition")
	p.wants(p.deploy("-d web:1 -i host.x/web:5 --copy-task-definition-tags --task-definition-file "+file), exitDone, "registered web:5")
	p.asked("DescribeTaskDefinition", "RegisterTaskDefinition")
	if d, tags := p.definition("web"); len(tags) != 1 || len(d.ContainerDefinitions) != 1 {
		t.Errorf("tags %v, %d containers", tags, len(d.ContainerDefinitions))
	}
}

func TestATaskIsRunAndItsContainersExitCodesCount(t *testing.T) {
	t.Parallel()
	p := newPlace(t, app.EngineOptions{})
	p.register("run 1s; exit 0")
	const run = "-c qa -d web:1 -i host.x/web:2 --run-task"
	p.wants(p.deploy(run), exitDone, "started a task of web:2")
	p.asked("DescribeTaskDefinition", "RegisterTaskDefinition", "RunTask")
	if lines := strings.Fields(p.out.String()); len(lines) != 2 || !strings.Contains(lines[1], ":task/qa/") {
		t.Errorf("wrote %s", &p.out)
	}
	p.wants(p.deploy(run+" --wait-for-success -t 30"), exitDone, "the task succeeded")
	if p.order[3] != "DescribeTasks" {
		t.Errorf("calls %v", p.order)
	}
	p.wants(p.deploy(run+" --wait-for-success --launch-type FARGATE --platform-version 1.4.0 --network-configuration awsvpcConfiguration={subnets=[subnet-a]}"), exitFailed, "cannot run the task")
	p.wants(p.deploy(run+" --wait-for-success --network-configuration awsvpcConfiguration=["), exitFailed, "--network-configuration: expected")
	if slices.Contains(p.order, "RunTask") {
		t.Errorf("calls %v", p.order)
	}
	for script, says := range map[string]string{
		"exit 3":                  "container web exited with code 3",
		"start fails \"no file\"": "did not start",
		"":                        "the task has not stopped within 2s",
	} {
		p.register(script)
		p.wants(p.deploy("-c qa -d web -i host.x/web:2 --run-task --wait-for-success -t 2"), exitFailed, says)
	}
}

func TestATaskIsRunWhereItIsAskedToBe(t *testing.T) {
	t.Parallel()
	p := newPlace(t, app.EngineOptions{})
	p.must(p.ecs.RegisterTaskDefinition(t.Context(), &awsecs.RegisterTaskDefinitionInput{
		Family: aws.String("job"), Cpu: aws.String("256"), Memory: aws.String("512"), NetworkMode: types.NetworkModeAwsvpc,
		RequiresCompatibilities: []types.Compatibility{types.CompatibilityFargate},
		ContainerDefinitions:    []types.ContainerDefinition{{Name: aws.String("job"), Image: aws.String("job:1"), DockerLabels: map[string]string{"slipway.script": "run 1s"}}},
	}))
	p.wants(p.deploy("-c qa -d job -i job:2 --run-task --wait-for-success -t 60 --launch-type FARGATE --platform-version 1.4.0 "+
		"--network-configuration awsvpcConfiguration={subnets=[subnet-a],assignPublicIp=ENABLED}"), exitDone, "the task succeeded")
	task := strings.Fields(p.out.String())[1]
	out, err := p.ecs.DescribeTasks(t.Context(), &awsecs.DescribeTasksInput{Cluster: aws.String("qa"), Tasks: []string{task}})
	p.must(out, err)
	if got := out.Tasks[0]; got.LaunchType != types.LaunchTypeFargate || aws.ToString(got.PlatformVersion) != "1.4.0" {
		t.Errorf("it ran on %s, %s", got.LaunchType, aws.ToString(got.PlatformVersion))
	}
	p.wants(p.deploy("-c qa -d job -i job:2 --run-task --launch-type EXTERNAL"), exitFailed)
}

func TestMoreTasksThanOneCallDescribes(t *testing.T) {
	t.Parallel()
	p := newPlace(t, app.EngineOptions{})
	p.serve(func(in *awsecs.CreateServiceInput) { in.DesiredCount = aws.Int32(130) })
	p.wants(p.deploy("-c qa -n web -i host.x/web:2 -t 60 --max-definitions 1"), exitDone, "service web runs web:2")
	if s := p.service(); s.RunningCount != 130 || len(s.Deployments) != 1 {
		t.Errorf("%d tasks, %d deployments", s.RunningCount, len(s.Deployments))
	}
}

func TestATaskThatFindsNoPlaceHasFailed(t *testing.T) {
	t.Parallel()
	p := newPlace(t, app.EngineOptions{})
	p.must(p.ecs.RegisterTaskDefinition(t.Context(), &awsecs.RegisterTaskDefinitionInput{
		Family: aws.String("large"), ContainerDefinitions: []types.ContainerDefinition{{Name: aws.String("web"), Image: aws.String("web:1"), Memory: aws.Int32(1 << 24)}},
	}))
	p.wants(p.deploy("-c qa -d large -i web:2 --run-task"), exitFailed, "the task was not started: RESOURCE:MEMORY")
}

func TestCredentialsAreThoseThatAreGiven(t *testing.T) {
	t.Parallel()
	p := newPlace(t, app.EngineOptions{Credentials: map[string]string{"AKIDEXAMPLE": secret}})
	p.register("")
	none := []string{"AWS_ACCESS_KEY_ID=", "AWS_SECRET_ACCESS_KEY="}
	p.wants(p.call([]string{"-d", "web", "-i", "host.x/web:2", "-k", "AKIDEXAMPLE", "-s", secret, "-v"}, none...), exitDone)
	p.wants(p.call([]string{"-d", "web", "-i", "host.x/web:2", "-s", secret}, "AWS_ACCESS_KEY_ID=AKIDEXAMPLE"), exitDone)
	p.wants(p.call([]string{"-d", "web", "-i", "host.x/web:2", "-k", "AKIDEXAMPLE", "-s", "wrong"}, none...), exitFailed)
	role := []string{"-d", "web", "-i", "host.x/web:2", "-k", "AKIDEXAMPLE", "-s", secret, "-r", "us-east-1", "-a", "arn:aws:iam::000000000000:role/deployer"}
	p.wants(p.call(role), exitDone)
	p.asked("AssumeRole", "DescribeTaskDefinition", "RegisterTaskDefinition")
	p.wants(p.call([]string{"-d", "web", "-i", "host.x/web:2", "-k", "AKIDEXAMPLE", "-s", secret, "-a", "deployer"}), exitFailed, "cannot assume role deployer")
	p.wants(p.call([]string{"-d", "web", "-i", "host.x/web:2", "-p", "no-such-profile"}), exitFailed, "no-such-profile")
}

func TestOneThatIsInterruptedSaysWhatGoesOn(t *testing.T) {
	t.Parallel()
	p := newPlace(t, app.EngineOptions{Speed: 1})
	p.must(p.ecs.CreateService(t.Context(), &awsecs.CreateServiceInput{
		Cluster: aws.String("qa"), ServiceName: aws.String("web"), TaskDefinition: aws.String(p.register("")), DesiredCount: aws.Int32(2),
	}))
	ctx, stop := context.WithCancel(t.Context())
	talk := &listener{until: "waiting", then: stop}
	environ := []string{"AWS_ENDPOINT_URL=" + p.tap.URL, "AWS_REGION=us-east-1"}
	got := Main(ctx, &Program{Name: "ecs-deploy", Out: &p.out, Err: talk, Environ: environ}, strings.Fields("-c qa -n web -i host.x/web:2 --enable-rollback"))
	p.talk = talk.Buffer
	p.wants(got, exitInterrupted, "of service web goes on by itself")
	p.runs(2, "host.x/web:2")
}

// listener does something once it has heard a word.
type listener struct {
	bytes.Buffer
	until string
	then  func()
}

func (l *listener) Write(b []byte) (int, error) {
	if bytes.Contains(b, []byte(l.until)) {
		l.then()
	}
	return l.Buffer.Write(b)
}
