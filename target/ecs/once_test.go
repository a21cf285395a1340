package ecs

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/google/go-cmp/cmp"

	"github.com/slipway-cd/slipway/descriptor"
	"github.com/slipway-cd/slipway/fault"
	"github.com/slipway-cd/slipway/rollout"
)

func TestATaskThatRunsOnceHasWhatTheServiceHas(t *testing.T) {
	t.Parallel()
	const here = `{"launchType":"EC2","networkConfiguration":{"awsvpcConfiguration":{"subnets":["a"],"tomorrow":1}},"placementConstraints":[],
		"placementStrategy":[{"type":"random"}],"propagateTags":"SERVICE","enableExecuteCommand":true,"desiredCount":3,"platformVersion":""}`
	app := types.ContainerDefinition{Name: aws.String("app"), Essential: aws.Bool(true)}
	side := types.ContainerDefinition{Name: aws.String("side"), Essential: aws.Bool(false)}
	const common = `"cluster":"qa","taskDefinition":"web:1","count":1,"clientToken":"tok","startedBy":"slipway-run",`
	for name, tc := range map[string]struct {
		service    string
		definition types.TaskDefinition
		want       rollout.OneOff
		sent       string // after what all have in common
	}{
		"as the service is": {
			service: here, definition: types.TaskDefinition{NetworkMode: types.NetworkModeAwsvpc},
			sent: `"launchType":"EC2","networkConfiguration":{"awsvpcConfiguration":{"subnets":["a"],"tomorrow":1}},"placementStrategy":[{"type":"random"}],"enableExecuteCommand":true`,
		},
		"without a network of its own": {
			service: here, sent: `"launchType":"EC2","placementStrategy":[{"type":"random"}],"enableExecuteCommand":true`,
		},
		"as a version's documents say": {
			service: `{"launchType":"EC2","enableExecuteCommand":false}`,
			want: rollout.OneOff{Ref: rollout.ServiceRef{Wanted: rollout.Documents{
				descriptor.ServiceDefinition: []byte(`{"launchType":"FARGATE","platformVersion":"1.4.0"}`),
				descriptor.ServiceUpdate:     []byte(`{"capacityProviderStrategy":[{"capacityProvider":"FARGATE_SPOT"}],"propagateTags":"TASK_DEFINITION"}`),
			}}},
			sent: `"platformVersion":"1.4.0","capacityProviderStrategy":[{"capacityProvider":"FARGATE_SPOT"}],"enableExecuteCommand":false,"propagateTags":"TASK_DEFINITION"`,
		},
		"with a command, and sizes of the container": {
			service: "{}", definition: types.TaskDefinition{ContainerDefinitions: []types.ContainerDefinition{app, side}},
			want: rollout.OneOff{Command: []string{"migrate", "up"}, Env: []rollout.Variable{{Name: "A", Value: "b"}}, CPU: 64, Memory: 128},
			sent: `"overrides":{"containerOverrides":[{"name":"app","command":["migrate","up"],"environment":[{"name":"A","value":"b"}],"cpu":64,"memory":128}]}`,
		},
		"with sizes of the task": {
			service: "{}", definition: types.TaskDefinition{Cpu: aws.String("256"), Memory: aws.String("512"), ContainerDefinitions: []types.ContainerDefinition{app}},
			want: rollout.OneOff{CPU: 512, Memory: 1024},
			sent: `"overrides":{"cpu":"512","memory":"1024","containerOverrides":[{"name":"app"}]}`,
		},
		"with a size of the task that has one, and one of the container": {
			service: "{}", definition: types.TaskDefinition{Memory: aws.String("512"), ContainerDefinitions: []types.ContainerDefinition{app}},
			want: rollout.OneOff{CPU: 512},
			sent: `"overrides":{"containerOverrides":[{"name":"app","cpu":512}]}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := &definition{TaskDefinition: tc.definition}
			d.TaskDefinitionArn = aws.String("web:1")
			tc.want.Ref.Cluster, tc.want.Token = "qa", "tok"
			sent, err := runDocument(tc.want, d, service{raw: []byte(tc.service)})
			if err != nil {
				t.Fatal(err)
			}
			var got, want any
			for text, into := range map[string]*any{string(sent): &got, strings.TrimSuffix("{"+common+tc.sent, ",") + "}": &want} {
				if err := json.Unmarshal([]byte(text), into); err != nil {
					t.Fatalf("%v: %s", err, text)
				}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestOfSeveralEssentialContainersOneHasToBeNamed(t *testing.T) {
	t.Parallel()
	d := &definition{TaskDefinition: types.TaskDefinition{ContainerDefinitions: []types.ContainerDefinition{{Name: aws.String("a")}, {Name: aws.String("b")}}}}
	if _, err := overrides(rollout.OneOff{Command: []string{"x"}}, d); fault.KindOf(err) != fault.Invalid {
		t.Error(err)
	}
	if o, err := overrides(rollout.OneOff{}, d); o != nil || err != nil {
		t.Errorf("nothing is asked for, and %+v, %v", o, err)
	}
}

func TestCommandsAreQuotedSoThatTheirWordsStayWhole(t *testing.T) {
	t.Parallel()
	for want, words := range map[string][]string{
		"ls -la /": {"ls -la /"}, `sh -c 'echo "$A"'`: {"sh", "-c", `echo "$A"`}, `say 'it'\''s' ''`: {"say", "it's", ""}, "a b=c:/d,e": {"a", "b=c:/d,e"},
	} {
		if got := commandLine(words); got != want {
			t.Errorf("%q: %s, want %s", words, got, want)
		}
	}
}

func TestAContainersOutputIsWhereItsLogDriverPutsIt(t *testing.T) {
	t.Parallel()
	task := types.Task{TaskArn: aws.String("arn:aws:ecs:r:1:task/qa/0123")}
	c := types.Container{Name: aws.String("app"), RuntimeId: aws.String("docker-id")}
	awslogs := func(options ...string) *types.LogConfiguration {
		l := &types.LogConfiguration{LogDriver: types.LogDriverAwslogs, Options: map[string]string{"awslogs-group": "g", "awslogs-region": "r"}}
		for _, o := range options {
			l.Options["awslogs-stream-prefix"] = o
		}
		return l
	}
	for name, tc := range map[string]struct {
		l    *types.LogConfiguration
		want rollout.LogSource
	}{
		"none":             {nil, rollout.LogSource{}},
		"another driver":   {&types.LogConfiguration{LogDriver: types.LogDriverAwsfirelens}, rollout.LogSource{Driver: "awsfirelens"}},
		"with a prefix":    {awslogs("web"), rollout.LogSource{Driver: "awslogs", Region: "r", Group: "g", Stream: "web/app/0123"}},
		"without a prefix": {awslogs(), rollout.LogSource{Driver: "awslogs", Region: "r", Group: "g", Stream: "docker-id"}},
	} {
		if got := logSource(task, c, tc.l); got != tc.want {
			t.Errorf("%s: %+v, want %+v", name, got, tc.want)
		}
	}
}

func TestStreamsThatAreSearchedTogetherAreOfOneGroup(t *testing.T) {
	t.Parallel()
	var from []rollout.LogOf
	for i := range 250 {
		group := []string{"g", "h"}[i%2]
		from = append(from, rollout.LogOf{Task: rollout.TaskID(string(rune('a' + i))), Source: rollout.LogSource{Group: group, Stream: "s" + string(rune('a'+i))}})
	}
	from = append(from, rollout.LogOf{Source: rollout.LogSource{Driver: "json-file"}}, rollout.LogOf{Source: rollout.LogSource{Group: "g"}})
	n := 0
	for _, b := range batched(from) {
		if len(b.of) > streamsAtOnce {
			t.Errorf("%d streams at once", len(b.of))
		}
		for _, of := range b.of {
			if of.Source.Group != b.group.name {
				t.Errorf("%s among those of %s", of.Source.Group, b.group.name)
			}
			n++
		}
	}
	if n != 250 {
		t.Errorf("%d of 250", n)
	}
}

func TestAMissingLogGroupIsToldAndOtherErrorsHaveTheirKind(t *testing.T) {
	t.Parallel()
	for answer, want := range map[string]struct {
		kind fault.Kind
		text string
	}{
		`{"__type":"ResourceNotFoundException","message":"The specified log group does not exist."}`: {fault.NotFound, "the log group g does not exist"},
		`{"__type":"AccessDeniedException","message":"No."}`:                                         {fault.Denied, "cannot read the log group g: No"},
	} {
		r, target := record(t, map[string]string{"FilterLogEvents": answer})
		r.status = 400
		var errs []error
		for _, err := range target.ReadLogs(t.Context(), []rollout.LogOf{{Source: rollout.LogSource{Group: "g", Stream: "s"}}}, time.Time{}) {
			errs = append(errs, err)
		}
		if len(errs) != 1 || fault.KindOf(errs[0]) != want.kind || errs[0].Error() != want.text {
			t.Errorf("%s: %v", answer, errs)
		}
	}
}

func TestThereIsNothingToSearchForInStreamsThatAreNotThereYet(t *testing.T) {
	t.Parallel()
	r, target := record(t, map[string]string{"FilterLogEvents": `{"__type":"ResourceNotFoundException","message":"The specified log stream does not exist."}`})
	r.status = 400
	for line, err := range target.ReadLogs(t.Context(), []rollout.LogOf{{Source: rollout.LogSource{Group: "g", Stream: "s"}}}, time.Time{}) {
		t.Errorf("%+v, %v", line, err)
	}
	r.mu.Lock()
	r.status, r.answers["FilterLogEvents"] = 200, `{"events":[{"logStreamName":"s","timestamp":5,"message":"here","eventId":"1"}]}`
	r.mu.Unlock()
	var lines []string
	for line, err := range target.ReadLogs(t.Context(), []rollout.LogOf{{Task: "t", Source: rollout.LogSource{Group: "g", Stream: "s"}}}, time.Time{}) {
		if err != nil {
			t.Error(err)
		}
		lines = append(lines, string(line.Task)+" "+line.Text)
	}
	if !slices.Equal(lines, []string{"t here"}) {
		t.Errorf("%q", lines)
	}
}
