package api_test

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"github.com/slipway-cd/slipway/engine"
	"github.com/slipway-cd/slipway/engine/api"
	"github.com/slipway-cd/slipway/engine/bus"
	"github.com/slipway-cd/slipway/engine/images"
	"github.com/slipway-cd/slipway/engine/objects"
	"github.com/slipway-cd/slipway/engine/runtime/scripted"
)

// How FuzzRequest asks for an operation.
const (
	fuzzJSON  = iota // by the header X-Amz-Target
	fuzzQuery        // by the body alone
	fuzzCBOR         // by the path
	fuzzPaths
)

const (
	fuzzECS  = "AmazonEC2ContainerServiceV20141113."
	fuzzLogs = "Logs_20140328."
	fuzzELB2 = "Version=2015-12-01&Action="
)

// FuzzRequest: whatever a client asks for, in whatever protocol, it is answered or refused, and never with a failure of the
// engine's own.
func FuzzRequest(f *testing.F) {
	for target, body := range map[string]string{
		fuzzECS + "CreateCluster": `{"clusterName": "qa", "settings": [{"name": "containerInsights", "value": "x"}], "tags": [{"key": "", "value": null}]}`,
		fuzzECS + "RegisterTaskDefinition": `{"family": "web", "cpu": "256 .5 vCPU", "containerDefinitions": [{"name": "app", "image": "a@b:c", "memory": 64,
			"portMappings": [{"containerPort": 80, "hostPort": -1}], "dependsOn": [{"containerName": "app", "condition": "HEALTHY"}]}]}`,
		fuzzECS + "CreateService": `{"serviceName": "web", "taskDefinition": "web:1", "desiredCount": -1, "deploymentConfiguration": {"strategy": "CANARY"},
			"placementConstraints": [{"type": "memberOf", "expression": "attribute:a =~ ("}]}`,
		fuzzECS + "ListTasks":                                     `{"cluster": "arn:aws:ecs:::cluster/", "nextToken": "%", "maxResults": 0}`,
		fuzzECS + "RunTask":                                       `{"taskDefinition": "web", "count": 2147483647, "overrides": {"containerOverrides": [{}]}}`,
		fuzzECS + "PutAttributes":                                 `{"attributes": [{"name": "a", "targetId": "x", "targetType": "container-instance"}]}`,
		fuzzECS + "ExecuteCommand":                                `{"task": "x", "command": "sh", "interactive": true}`,
		fuzzECS + "Nothing":                                       `[]`,
		fuzzLogs + "PutLogEvents":                                 `{"logGroupName": "g", "logStreamName": "s", "logEvents": [{"timestamp": -1, "message": ""}]}`,
		fuzzLogs + "FilterLogEvents":                              `{"logGroupName": "g", "filterPattern": "{ $.a = %x% && ($.b[0] NOT EXISTS) }", "nextToken": "x"}`,
		"AWSEvents.PutRule":                                       `{"Name": "r", "ScheduleExpression": "cron(0/0 * ? * MON#6 2199)", "EventPattern": "{\"a\": [{\"numeric\": [\">\"]}]}"}`,
		"AWSEvents.PutEvents":                                     `{"Entries": [{"Detail": "[", "DetailType": "x", "Source": "aws.ecs"}]}`,
		"secretsmanager.GetSecretValue":                           `{"SecretId": "arn:aws:secretsmanager:us-east-1:000000000000:secret:x-aaaaaa:key::"}`,
		"AmazonSSM.PutParameter":                                  `{"Name": "/a//b", "Value": "", "Type": "SecureString"}`,
		"AnyScaleFrontendService.PutScheduledAction":              `{"Schedule": "at(2199-99-99T00:00:00)", "ResourceId": "service/qa/web"}`,
		"AmazonEC2ContainerRegistry_V20150921.BatchGetImage":      `{"repositoryName": "../x", "imageIds": [{"imageDigest": "sha256:"}]}`,
		"AmazonEC2ContainerRegistry_V20150921.PutLifecyclePolicy": `{"repositoryName": "x", "lifecyclePolicyText": "{\"rules\": [{}]}"}`,
		"": `{}`,
	} {
		f.Add(uint8(fuzzJSON), target, []byte(body))
	}
	for _, body := range []string{
		fuzzELB2 + "CreateRule&Conditions.member.1.Field=path-pattern&Conditions.member.1.Values.member.1=%2A&Actions.member.1.Type=forward&Priority=0",
		fuzzELB2 + "CreateTargetGroup&Name=g&Matcher.HttpCode=200-&Port=70000", fuzzELB2 + "DescribeTargetHealth&Targets.member.999999999.Id=i",
		"Version=2012-06-01&Action=ConfigureHealthCheck&HealthCheck.Target=HTTP:0/&LoadBalancerName=", "Version=2010-05-08&Action=CreateRole&RoleName=r&AssumeRolePolicyDocument=[",
		"Version=2011-06-15&Action=AssumeRole&RoleArn=x&DurationSeconds=-1", "Version=2010-08-01&Action=PutMetricAlarm&Threshold=NaN", "Action=", "%",
	} {
		f.Add(uint8(fuzzQuery), "", []byte(body))
	}
	for operation, body := range map[string]string{
		"DescribeAlarms": "\xa1\x6aAlarmNames\x81\x61x", "PutMetricAlarm": "\xbf\x69Threshold\xfb\x7f\xf8\x00\x00\x00\x00\x00\x00\xff", "PutMetricData": "\xff", "x": "",
	} {
		f.Add(uint8(fuzzCBOR), "/service/GraniteServiceVersion20100801/operation/"+operation, []byte(body))
	}
	for _, path := range []string{"GET /", "PUT /v2/a/blobs/uploads/", "PATCH /v2/a/manifests/..", "POST /b?delete", "DELETE /v2//manifests/sha256:"} {
		f.Add(uint8(fuzzPaths), path, []byte(`{}`))
	}
	handler := fuzzedHandler(f)
	f.Fuzz(func(t *testing.T, kind uint8, what string, body []byte) {
		r := fuzzedRequest(kind%(fuzzPaths+1), what, body)
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		if w.Code >= http.StatusInternalServerError && w.Code != http.StatusNotImplemented && w.Code != http.StatusServiceUnavailable {
			t.Errorf("%s %s %q: %d %s", r.Method, r.URL, body, w.Code, w.Body)
		}
	})
}

func fuzzedRequest(kind uint8, what string, body []byte) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "/", bytes.NewReader(body))
	switch kind {
	case fuzzJSON:
		r.Header.Set("X-Amz-Target", what)
		r.Header.Set("Content-Type", "application/x-amz-json-1.1")
	case fuzzQuery:
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	case fuzzCBOR:
		r.URL.Path = what
		r.Header.Set("Smithy-Protocol", "rpc-v2-cbor")
		r.Header.Set("Content-Type", "application/cbor")
	default:
		method, path, _ := strings.Cut(what, " ")
		r.Method = method
		r.URL.Path, r.URL.RawQuery, _ = strings.Cut("/"+strings.TrimPrefix(path, "/"), "?")
	}
	return r
}

// fuzzedHandler serves an engine in which nothing moves.
func fuzzedHandler(f *testing.F) http.Handler {
	f.Helper()
	e, err := engine.Open(f.Context(), engine.Options{Dir: f.TempDir(), Runtime: scripted.New(speed), Speed: speed, Addresses: netip.MustParsePrefix("127.78.1.0/24")})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() {
		if err := e.Stop(context.Background()); err != nil {
			f.Error(err)
		}
	})
	store, err := images.Open(f.TempDir(), images.Options{})
	if err != nil {
		f.Fatal(err)
	}
	things, err := objects.Open(f.TempDir())
	if err != nil {
		f.Fatal(err)
	}
	events := bus.New(bus.Options{DB: e.DB(), Logs: e.Logs(), Account: e.Identity().Account, Region: e.Identity().Region, Speed: speed})
	handler, err := api.Handler(api.Options{Bus: events, Engine: e, Images: store, Objects: things, Host: func() string { return "127.0.0.1:1" }})
	if err != nil {
		f.Fatal(err)
	}
	return handler
}
