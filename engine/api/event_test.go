package api_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	ebtypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/smithy-go"
)

// events is a house with a client of EventBridge, and an HTTP endpoint that takes events.
type events struct {
	*house
	*eventbridge.Client
	arn      string // of the API destination that the endpoint is
	received chan string
	answers  chan int // statuses that the endpoint answers with; 200 when there are none
}

func eventsOf(h *house) events {
	h.Helper()
	v := events{h, eventbridge.NewFromConfig(h.config()), "", make(chan string, 1000), make(chan int, 10)}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		select {
		case status := <-v.answers:
			w.WriteHeader(status)
		default:
			v.received <- r.URL.RequestURI() + " " + r.Header.Get("X-Team") + string(body)
		}
	}))
	h.Cleanup(server.Close)
	out, err := v.CreateApiDestination(h.Context(), &eventbridge.CreateApiDestinationInput{
		Name: aws.String("here"), ConnectionArn: aws.String("arn:aws:events:us-east-1:000000000000:connection/none/1"),
		HttpMethod: "POST", InvocationEndpoint: aws.String(server.URL + "/events/*"),
	})
	v.arn = *must(h, out, err).ApiDestinationArn
	return v
}

// rule makes a rule with one target, the endpoint unless it is changed.
func (v events) rule(name, pattern string, change func(*ebtypes.Target)) {
	v.Helper()
	_, err := v.PutRule(v.Context(), &eventbridge.PutRuleInput{Name: &name, EventPattern: &pattern})
	must(v.house, 0, err)
	target := ebtypes.Target{Id: aws.String("1"), Arn: &v.arn}
	if change != nil {
		change(&target)
	}
	out, err := v.PutTargets(v.Context(), &eventbridge.PutTargetsInput{Rule: &name, Targets: []ebtypes.Target{target}})
	if must(v.house, out, err); out.FailedEntryCount > 0 {
		v.Fatal(*out.FailedEntries[0].ErrorMessage)
	}
}

func (v events) send(source, detail string) {
	v.Helper()
	out, err := v.PutEvents(v.Context(), &eventbridge.PutEventsInput{Entries: []ebtypes.PutEventsRequestEntry{
		{Source: &source, DetailType: aws.String("test"), Detail: &detail},
	}})
	if must(v.house, out, err); out.FailedEntryCount > 0 {
		v.Fatal(*out.Entries[0].ErrorMessage)
	}
}

// next returns what the endpoint received next.
func (v events) next() string {
	v.Helper()
	select {
	case text := <-v.received:
		return text
	case <-time.After(time.Minute):
		v.Fatal("no event came within a minute")
		return ""
	}
}

func TestEventsThatMatchARuleReachItsTargetInOrder(t *testing.T) {
	t.Parallel()
	v := eventsOf(newStillHouse(t))
	v.rule("orders", `{"source": ["shop"], "detail": {"total": [{"numeric": [">", 10]}]}}`, func(target *ebtypes.Target) {
		target.HttpParameters = &ebtypes.HttpParameters{
			PathParameterValues: []string{"a b"}, HeaderParameters: map[string]string{"X-Team": "shop"}, QueryStringParameters: map[string]string{"q": "1"},
		}
	})
	for n := range 20 {
		v.send("shop", fmt.Sprintf(`{"total": %d}`, n))
		v.send("other", `{"total": 99}`)
	}
	for n := 11; n < 20; n++ {
		text, want := v.next(), fmt.Sprintf(`"detail":{"total":%d}}`, n)
		if !strings.HasPrefix(text, `/events/a%20b?q=1 shop{"version":"0","id":"`) || !strings.HasSuffix(text, want) ||
			!strings.Contains(text, `"detail-type":"test","source":"shop","account":"000000000000","time":"`) ||
			!strings.Contains(text, `"region":"us-east-1","resources":[],`) {
			t.Errorf("%s, want %s", text, want)
		}
	}
}

func TestATargetGetsThePartOfTheEventThatItAsksFor(t *testing.T) {
	t.Parallel()
	v := eventsOf(newStillHouse(t))
	for name, change := range map[string]func(*ebtypes.Target){
		"constant": func(t *ebtypes.Target) { t.Input = aws.String(`{"say": "hello"}`) },
		"part":     func(t *ebtypes.Target) { t.InputPath = aws.String("$.detail.list[1].name") },
		"template": func(t *ebtypes.Target) {
			t.InputTransformer = &ebtypes.InputTransformer{
				InputPathsMap: map[string]string{"name": "$.detail.list[0].name", "all": "$.detail.list", "none": "$.detail.none"},
				InputTemplate: aws.String(`{"text": "<name> of <aws.events.rule-name>: <all>", "all": <all>, "name": <name>, "none": <none>, "x": "a\"<name>"}`),
			}
		},
	} {
		v.rule(name, `{"source": ["shop"], "detail": {"to": ["`+name+`"]}}`, change)
	}
	for to, want := range map[string]string{
		"constant": `{"say": "hello"}`,
		"part":     `"b"`,
		"template": `{"text": "a\"b of template: [{\"name\":\"a\\\"b\"},{\"name\":\"b\"}]", "all": [{"name":"a\"b"},{"name":"b"}], "name": "a\"b", "none": null, "x": "a\"a\"b"}`,
	} {
		v.send("shop", `{"to": "`+to+`", "list": [{"name": "a\"b"}, {"name": "b"}]}`)
		if _, got, _ := strings.Cut(v.next(), " "); got != want {
			t.Errorf("%s: %s, want %s", to, got, want)
		}
	}
}

func TestATargetThatRefusesIsTriedAgainUnlessItNeverWillTake(t *testing.T) {
	t.Parallel()
	v := eventsOf(newStillHouse(t))
	v.rule("orders", `{"source": ["shop"]}`, nil)
	for _, status := range []int{500, 429, 503, 404} {
		v.answers <- status
	}
	v.send("shop", `{"n": 1}`) // is tried four times; 404 ends it
	v.send("shop", `{"n": 2}`)
	if text := v.next(); !strings.Contains(text, `{"n":2}`) || len(v.answers) != 0 {
		t.Errorf("%s; %d answers are left", text, len(v.answers))
	}
}

func TestEventsGoToFilesAndLogGroups(t *testing.T) {
	t.Parallel()
	v := eventsOf(newStillHouse(t))
	v.rule("file", `{"source": ["shop"]}`, func(t *ebtypes.Target) { t.Arn = aws.String("arn:aws:sqs:us-east-1:000000000000:file") })
	_, err := v.logs.CreateLogGroup(t.Context(), &cloudwatchlogs.CreateLogGroupInput{LogGroupName: aws.String("/aws/events/shop")})
	must(v.house, 0, err)
	v.rule("group", `{"source": ["shop"]}`, func(t *ebtypes.Target) {
		t.Arn = aws.String("arn:aws:logs:us-east-1:000000000000:log-group:/aws/events/shop")
	})
	v.send("shop", `{"n": 1}`)
	if err := v.bus.Stop(t.Context()); err != nil { // what waits is delivered then
		t.Fatal(err)
	}
	text, err := os.ReadFile(v.eventFile)
	must(v.house, 0, err)
	if !strings.Contains(string(text), `"detail":{"n":1}}`+"\n") {
		t.Errorf("%s", text)
	}
	out, err := v.logs.FilterLogEvents(t.Context(), &cloudwatchlogs.FilterLogEventsInput{LogGroupName: aws.String("/aws/events/shop")})
	must(v.house, 0, err)
	if len(out.Events) == 0 || !strings.HasSuffix(*out.Events[0].Message, `"detail":{"n":1}}`) {
		t.Errorf("%d lines", len(out.Events))
	}
}

func TestSchedulesSendTheirOwnEvents(t *testing.T) {
	t.Parallel()
	v := eventsOf(newHouse(t))
	_, err := v.PutRule(t.Context(), &eventbridge.PutRuleInput{Name: aws.String("tick"), ScheduleExpression: aws.String("rate(1 minute)")})
	must(v.house, 0, err)
	_, err = v.PutTargets(t.Context(), &eventbridge.PutTargetsInput{Rule: aws.String("tick"), Targets: []ebtypes.Target{{Id: aws.String("1"), Arn: &v.arn}}})
	must(v.house, 0, err)
	for range 2 {
		if text := v.next(); !strings.Contains(text, `"detail-type":"Scheduled Event","source":"aws.events"`) ||
			!strings.Contains(text, `"resources":["arn:aws:events:us-east-1:000000000000:rule/tick"],"detail":{}`) {
			t.Error(text)
		}
	}
	_, err = v.DisableRule(t.Context(), &eventbridge.DisableRuleInput{Name: aws.String("tick")})
	must(v.house, 0, err)
}

// told is an event as a program that watches deployments reads it.
type told struct {
	DetailType string `json:"detail-type"`
	Source     string
	Resources  []string
	Detail     struct {
		EventType, EventName, Reason, DeploymentID, ClusterARN, LastStatus, DesiredStatus, TaskARN, UpdatedAt, CreatedAt string
		Version                                                                                                          int
		Containers                                                                                                       []struct{ Name, LastStatus string }
	}
}

func (v events) told() told {
	v.Helper()
	_, text, _ := strings.Cut(v.next(), " ")
	var e told
	if err := json.Unmarshal([]byte(text), &e); err != nil {
		v.Fatalf("%v: %s", err, text)
	}
	return e
}

func TestADeploymentIsToldAsECSTellsIt(t *testing.T) {
	t.Parallel()
	v := eventsOf(newHouse(t))
	v.rule("deployments", `{"source": ["aws.ecs"], "detail-type": ["ECS Deployment State Change", "ECS Service Action"]}`, nil)
	v.create("default", "web", v.register("web", nil), nil)
	v.completed("default", "web")
	want := []string{"SERVICE_DEPLOYMENT_IN_PROGRESS", "SERVICE_DEPLOYMENT_COMPLETED", "SERVICE_STEADY_STATE"}
	for _, name := range want {
		e := v.told()
		if e.Detail.EventName != name || e.Detail.EventType != "INFO" || !slices.Equal(e.Resources, []string{"arn:aws:ecs:us-east-1:000000000000:service/default/web"}) {
			t.Fatalf("%+v, want %s", e, name)
		}
		if e.DetailType == "ECS Deployment State Change" && (!strings.HasPrefix(e.Detail.DeploymentID, "ecs-svc/") ||
			!strings.HasPrefix(e.Detail.Reason, "ECS deployment "+e.Detail.DeploymentID+" ") || e.Detail.UpdatedAt == "") {
			t.Errorf("%+v", e)
		}
		if e.DetailType == "ECS Service Action" && (e.Detail.ClusterARN == "" || e.Detail.CreatedAt == "") {
			t.Errorf("%+v", e)
		}
	}
	_, err := v.ecs.UpdateService(t.Context(), &ecs.UpdateServiceInput{Service: aws.String("web"), DesiredCount: aws.Int32(1)})
	must(v.house, 0, err)
	for _, name := range []string{"SERVICE_DESIRED_COUNT_UPDATED", "TASKS_STOPPED", "SERVICE_STEADY_STATE"} {
		if e := v.told(); e.Detail.EventName != name {
			t.Fatalf("%+v, want %s", e, name)
		}
	}
}

func TestATasksLifeIsToldStatusByStatus(t *testing.T) {
	t.Parallel()
	v := eventsOf(newHouse(t))
	v.rule("tasks", `{"source": ["aws.ecs"], "detail-type": ["ECS Task State Change"]}`, nil)
	_, err := v.ecs.CreateCluster(t.Context(), &ecs.CreateClusterInput{})
	must(v.house, 0, err)
	out, err := v.ecs.RunTask(t.Context(), &ecs.RunTaskInput{TaskDefinition: aws.String(v.register("once", nil))})
	must(v.house, out, err)
	arn := *out.Tasks[0].TaskArn
	version, stopped := 0, false
	for last := ""; last != "STOPPED"; {
		e := v.told()
		if e.Detail.Version <= version && e.Detail.LastStatus == last || !slices.Equal(e.Resources, []string{arn}) || e.Detail.TaskARN != arn ||
			e.Detail.ClusterARN == "" || len(e.Detail.Containers) != 1 || e.Detail.Containers[0].Name != "app" {
			t.Fatalf("%+v after version %d", e, version)
		}
		if _, err := time.Parse(time.RFC3339, e.Detail.CreatedAt); err != nil || e.Detail.UpdatedAt == "" {
			t.Errorf("%+v: %v", e, err)
		}
		if version, last = e.Detail.Version, e.Detail.LastStatus; last == "RUNNING" && !stopped {
			stopped = true
			_, err := v.ecs.StopTask(t.Context(), &ecs.StopTaskInput{Task: &arn})
			must(v.house, 0, err)
		}
	}
}

func TestInstancesAndAlarmsAreTold(t *testing.T) {
	t.Parallel()
	v := eventsOf(newHouse(t))
	v.rule("instances", `{"detail-type": ["ECS Container Instance State Change"], "detail": {"status": ["DRAINING"], "agentConnected": [true], "remainingResources": {"name": ["CPU"]}}}`, nil)
	_, err := v.ecs.CreateCluster(t.Context(), &ecs.CreateClusterInput{})
	must(v.house, 0, err)
	list, err := v.ecs.ListContainerInstances(t.Context(), &ecs.ListContainerInstancesInput{})
	must(v.house, list, err)
	_, err = v.ecs.UpdateContainerInstancesState(t.Context(), &ecs.UpdateContainerInstancesStateInput{
		ContainerInstances: list.ContainerInstanceArns[:1], Status: types.ContainerInstanceStatusDraining,
	})
	must(v.house, 0, err)
	if e := v.told(); !slices.Equal(e.Resources, list.ContainerInstanceArns[:1]) || e.Detail.ClusterARN == "" {
		t.Errorf("%+v", e)
	}
	v.rule("alarms", `{"source": ["aws.cloudwatch"], "detail": {"alarmName": [{"prefix": "web"}], "state": {"value": ["ALARM"]}, "previousState": {"value": ["INSUFFICIENT_DATA"]}}}`, nil)
	a := alarms{v.house, cloudwatch.NewFromConfig(v.config())}
	a.put(alarm("web-errors"))
	a.set("web-errors", "ALARM")
	if e := v.told(); e.DetailType != "CloudWatch Alarm State Change" || !slices.Equal(e.Resources, []string{"arn:aws:cloudwatch:us-east-1:000000000000:alarm:web-errors"}) {
		t.Errorf("%+v", e)
	}
}

func TestRulesAreKeptListedAndDeleted(t *testing.T) {
	t.Parallel()
	v := eventsOf(newStillHouse(t))
	ctx := t.Context()
	v.rule("a", `{"source": ["x"]}`, nil)
	v.rule("b", `{"source": ["x"]}`, nil)
	described, err := v.DescribeRule(ctx, &eventbridge.DescribeRuleInput{Name: aws.String("a"), EventBusName: aws.String("arn:aws:events:us-east-1:000000000000:event-bus/default")})
	must(v.house, described, err)
	if described.State != "ENABLED" || *described.EventPattern != `{"source": ["x"]}` || *described.Arn != "arn:aws:events:us-east-1:000000000000:rule/a" {
		t.Errorf("%+v", described)
	}
	first, err := v.ListRules(ctx, &eventbridge.ListRulesInput{Limit: aws.Int32(1)})
	must(v.house, first, err)
	second, err := v.ListRules(ctx, &eventbridge.ListRulesInput{NextToken: first.NextToken})
	must(v.house, second, err)
	if *first.Rules[0].Name != "a" || *second.Rules[0].Name != "b" || second.NextToken != nil {
		t.Errorf("%+v %+v", first.Rules, second.Rules)
	}
	names, err := v.ListRuleNamesByTarget(ctx, &eventbridge.ListRuleNamesByTargetInput{TargetArn: &v.arn})
	must(v.house, names, err)
	if !slices.Equal(names.RuleNames, []string{"a", "b"}) {
		t.Errorf("%v", names.RuleNames)
	}
	if _, err = v.DeleteRule(ctx, &eventbridge.DeleteRuleInput{Name: aws.String("a")}); err == nil || !strings.Contains(err.Error(), "Rule can't be deleted since it has targets.") {
		t.Errorf("%v", err)
	}
	_, err = v.RemoveTargets(ctx, &eventbridge.RemoveTargetsInput{Rule: aws.String("a"), Ids: []string{"1"}})
	must(v.house, 0, err)
	_, err = v.DeleteRule(ctx, &eventbridge.DeleteRuleInput{Name: aws.String("a")})
	must(v.house, 0, err)
	if _, err = v.DescribeRule(ctx, &eventbridge.DescribeRuleInput{Name: aws.String("a")}); !isCode(err, "ResourceNotFoundException") {
		t.Errorf("%v", err)
	}
	tested, err := v.TestEventPattern(ctx, &eventbridge.TestEventPatternInput{
		EventPattern: aws.String(`{"source": ["x"]}`), Event: aws.String(`{"id":"1","account":"1","source":"x","time":"t","region":"r","resources":[],"detail-type":"d"}`),
	})
	if must(v.house, tested, err); !tested.Result {
		t.Error("the pattern doesn't match")
	}
}

func isCode(err error, code string) bool {
	refusal, ok := errors.AsType[smithy.APIError](err)
	return ok && refusal.ErrorCode() == code
}

func TestWhatEventBridgeRefusesIsRefused(t *testing.T) {
	t.Parallel()
	v := eventsOf(newStillHouse(t))
	ctx := t.Context()
	v.rule("rule", `{"source": ["x"]}`, nil)
	target := func(t ebtypes.Target) error {
		t.Id = aws.String("2")
		if t.Arn == nil {
			t.Arn = &v.arn
		}
		out, err := v.PutTargets(ctx, &eventbridge.PutTargetsInput{Rule: aws.String("rule"), Targets: []ebtypes.Target{t}})
		if err == nil && out.FailedEntryCount > 0 {
			return &smithy.GenericAPIError{Code: *out.FailedEntries[0].ErrorCode, Message: *out.FailedEntries[0].ErrorMessage}
		}
		return err
	}
	entry := func(e ebtypes.PutEventsRequestEntry) error {
		out, err := v.PutEvents(ctx, &eventbridge.PutEventsInput{Entries: []ebtypes.PutEventsRequestEntry{e}})
		if err == nil && out.FailedEntryCount > 0 {
			return &smithy.GenericAPIError{Code: *out.Entries[0].ErrorCode, Message: *out.Entries[0].ErrorMessage}
		}
		return err
	}
	text := aws.String
	for want, err := range map[string]error{
		"InvalidEventPatternException: Event pattern is not valid. Reason: source: is neither": second(v.PutRule(ctx, &eventbridge.PutRuleInput{Name: text("x"), EventPattern: text(`{"source": "x"}`)})),
		"ValidationException: Parameter(s) EventPattern or ScheduleExpression":                 second(v.PutRule(ctx, &eventbridge.PutRuleInput{Name: text("x")})),
		"ValidationException: Parameter ScheduleExpression is not valid.":                      second(v.PutRule(ctx, &eventbridge.PutRuleInput{Name: text("x"), ScheduleExpression: text("hourly")})),
		"ResourceNotFoundException: Event bus other does not exist.":                           second(v.ListRules(ctx, &eventbridge.ListRulesInput{EventBusName: text("other")})),
		"ResourceNotFoundException: nothing is behind arn:aws:sqs:us-east-1:1:q":               target(ebtypes.Target{Arn: text("arn:aws:sqs:us-east-1:1:q")}),
		"ResourceNotFoundException: the log group nobody does not exist":                       target(ebtypes.Target{Arn: text("arn:aws:logs:us-east-1:1:log-group:nobody")}),
		"ResourceNotFoundException: x is not a valid ARN":                                      target(ebtypes.Target{Arn: text("x")}),
		"ValidationException: DeadLetterConfig of target 2 is not served":                      target(ebtypes.Target{DeadLetterConfig: &ebtypes.DeadLetterConfig{Arn: text("arn")}}),
		"ValidationException: Parameter(s) of target 2 are not valid. Reason: only one of":     target(ebtypes.Target{Input: text("1"), InputPath: text("$")}),
		"ValidationException: Parameter(s) of target 2 are not valid. Reason: \"detail\"":      target(ebtypes.Target{InputPath: text("detail")}),
		"InvalidArgument: Parameter Source is not valid.":                                      entry(ebtypes.PutEventsRequestEntry{DetailType: text("x"), Detail: text("{}")}),
		"MalformedDetail: Detail is malformed.":                                                entry(ebtypes.PutEventsRequestEntry{Source: text("x"), DetailType: text("x"), Detail: text("[]")}),
		"NotAuthorizedForSourceException: Not authorized for the source.":                      entry(ebtypes.PutEventsRequestEntry{Source: text("aws.ecs"), DetailType: text("x"), Detail: text("{}")}),
		"is not on this machine": second(v.CreateApiDestination(ctx, &eventbridge.CreateApiDestinationInput{
			Name: text("far"), ConnectionArn: text("arn"), HttpMethod: "POST", InvocationEndpoint: text("https://example.com"),
		})),
		"ResourceAlreadyExistsException: An api-destination 'here' already exists.": second(v.CreateApiDestination(ctx, &eventbridge.CreateApiDestinationInput{
			Name: text("here"), ConnectionArn: text("arn"), HttpMethod: "POST", InvocationEndpoint: text("http://localhost:1"),
		})),
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}
