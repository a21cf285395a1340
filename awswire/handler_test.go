package awswire_test

import (
	"context"
	"encoding/json"
	"encoding/xml"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/slipway-cd/slipway/awswire"

	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"
)

// post sends a request as no SDK would, and returns the answer.
func post(t *testing.T, o awswire.Options, target, contentType, body string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
	r.Header.Set("Content-Type", contentType)
	if target != "" {
		r.Header.Set("X-Amz-Target", target)
	}
	w := httptest.NewRecorder()
	newHandler(t, o).ServeHTTP(w, r)
	if id := w.Header().Get("x-amzn-RequestId"); !regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`).MatchString(id) {
		t.Errorf("x-amzn-RequestId = %q", id)
	}
	return w
}

func TestBadJSONRequestsAreRefusedWithAReason(t *testing.T) {
	t.Parallel()
	const amz, create = "application/x-amz-json-1.1", ecsPrefix + ".CreateService"
	deep := `{"deploymentConfiguration":` + strings.Repeat(`{"lifecycleHooks":[`, 1) + `{"hookDetails":` + strings.Repeat("[", 100) + strings.Repeat("]", 100) + `}]}}`
	for name, tc := range map[string]struct {
		target, contentType, body string
		status                    int
		code, message             string
	}{
		"unknown operation": {ecsPrefix + ".Fly", amz, "{}", 400, "UnknownOperationException", `The operation "Fly" of ` + ecsPrefix + ` is not served here.`},
		"unknown service":   {"DynamoDB_20120810.ListTables", amz, "{}", 400, "UnknownOperationException", `No service "DynamoDB_20120810" is served here.`},
		"no dot":            {"x", amz, "{}", 400, "UnknownOperationException", `No service "x" is served here.`},
		"no operation":      {ecsPrefix + ".Close", amz, "{}", 400, "UnknownOperationException", ""},
		"broken":            {create, amz, `{"serviceName":`, 400, "SerializationException", "the body ends in the middle of a JSON document"},
		"not JSON":          {create, amz, `serviceName`, 400, "SerializationException", ""},
		"list":              {create, amz, `[]`, 400, "SerializationException", "START_ARRAY cannot be converted to structure"},
		"null":              {create, amz, `null`, 400, "SerializationException", "NULL_VALUE cannot be converted to structure"},
		"two documents":     {create, amz, `{} {}`, 400, "SerializationException", "the body holds more than one JSON document"},
		"twice the same":    {create, amz, `{"role":"a","role":"b"}`, 400, "SerializationException", ""},
		"string for number": {create, amz, `{"desiredCount":"2"}`, 400, "SerializationException", "desiredCount: STRING_VALUE cannot be converted to Integer"},
		"number for string": {create, amz, `{"serviceName":1}`, 400, "SerializationException", "serviceName: NUMBER_VALUE cannot be converted to String"},
		"fraction":          {create, amz, `{"desiredCount":1.5}`, 400, "SerializationException", "desiredCount: 1.5 is no Integer"},
		"overflow":          {create, amz, `{"desiredCount":3000000000}`, 400, "SerializationException", "desiredCount: 3000000000 is no Integer"},
		"nested":            {create, amz, `{"loadBalancers":[{},{"containerPort":true}]}`, 400, "SerializationException", "loadBalancers.1.containerPort: TRUE_VALUE cannot be converted to Integer"},
		"empty union":       {create, amz, `{"serviceConnectConfiguration":{"enabled":true,"containerConfigurations":[{}]}}`, 400, "SerializationException", ""},
		"deep":              {create, amz, deep, 400, "SerializationException", ""},
		"content type":      {create, "text/plain", `{}`, 415, "SerializationException", `The content type "text/plain" is not served: use application/x-amz-json-1.1.`},
		"too large":         {create, amz, `{"serviceName":"` + strings.Repeat("x", 1<<20) + `"}`, 413, "RequestEntityTooLargeException", "The request is larger than 1048576 bytes."},
		"too many items":    {create, amz, `{"tags":[` + strings.Repeat("{},", 20_000) + `{}]}`, 400, "SerializationException", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := post(t, awswire.Options{}, tc.target, tc.contentType, tc.body)
			var got struct {
				Type    string `json:"__type"`
				Message string `json:"message"`
			}
			if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
				t.Fatalf("%v in %s", err, w.Body)
			}
			if w.Code != tc.status || got.Type != tc.code || got.Message == "" || tc.message != "" && got.Message != tc.message {
				t.Errorf("got %d %+v", w.Code, got)
			}
		})
	}
}

func TestBadFormsAreRefusedWithAReason(t *testing.T) {
	t.Parallel()
	const form, v2 = "application/x-www-form-urlencoded", "Action=DescribeLoadBalancers&Version=2015-12-01&"
	for name, tc := range map[string]struct {
		contentType, body string
		status            int
		code, message     string
	}{
		"nothing":         {form, "", 400, "MissingAction", ""},
		"unknown action":  {form, "Action=Fly&Version=2015-12-01", 400, "InvalidAction", "Could not find operation Fly for version 2015-12-01"},
		"unknown version": {form, "Action=DescribeLoadBalancers&Version=1999-01-01", 400, "InvalidAction", "Could not find operation DescribeLoadBalancers for version 1999-01-01"},
		"no version":      {form, "Action=DescribeLoadBalancers", 400, "InvalidAction", "Could not find operation DescribeLoadBalancers for version NO_VERSION_SPECIFIED"},
		"no form":         {form, "%zz", 400, "MalformedInput", ""},
		"content type":    {"application/json", v2, 415, "MalformedInput", ""},
		"not a number":    {form, v2 + "PageSize=many", 400, "MalformedInput", `PageSize: "many" is not a valid int32`},
		"members":         {form, v2 + "PageSize.member.1=1", 400, "MalformedInput", "PageSize has members where a single value is expected"},
		"no list":         {form, v2 + "Names=web", 400, "MalformedInput", ""},
		"no element":      {form, v2 + "Names.member=web", 400, "MalformedInput", ""},
		"element zero":    {form, v2 + "Names.member.0=web", 400, "MalformedInput", "Names.member.0: an element's number starts at 1"},
		"not UTF-8":       {form, v2 + "Names.member.1=%ff", 400, "MalformedInput", `"Names.member.1" is not UTF-8`},
		"deep":            {form, v2 + strings.Repeat("a.", 100) + "a=1", 400, "MalformedInput", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := post(t, awswire.Options{}, "", tc.contentType, tc.body)
			var got struct {
				Error     struct{ Type, Code, Message string }
				RequestId string //nolint:revive // the wire's name
			}
			if err := xml.Unmarshal(w.Body.Bytes(), &got); err != nil {
				t.Fatalf("%v in %s", err, w.Body)
			}
			if w.Code != tc.status || got.Error.Code != tc.code || got.Error.Type != "Sender" || got.RequestId == "" ||
				tc.message != "" && got.Error.Message != tc.message {
				t.Errorf("got %d %+v", w.Code, got)
			}
		})
	}
}

func TestListElementsNeedNotBeNumberedWithoutGaps(t *testing.T) {
	t.Parallel()
	w := post(t, awswire.Options{}, "", "application/x-www-form-urlencoded",
		"Action=DescribeLoadBalancers&Version=2015-12-01&Names.member.1000000000=b&Names.member.7=a")
	if !strings.Contains(w.Body.String(), "[a]") {
		t.Errorf("%s", w.Body)
	}
}

func TestAnswersHaveListsAndCountsEvenWhenEmpty(t *testing.T) {
	t.Parallel()
	w := post(t, awswire.Options{}, ecsPrefix+".DescribeServices", "application/x-amz-json-1.1", `{"services":["web"]}`)
	var got struct{ Services []map[string]any }
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"runningCount", "pendingCount", "desiredCount"} {
		if got.Services[0][name] != 0.0 {
			t.Errorf("%s = %v, want 0", name, got.Services[0][name])
		}
	}
	for _, name := range []string{"loadBalancers", "deployments", "events", "placementConstraints", "placementStrategy", "serviceRegistries"} {
		if d := cmp.Diff([]any{}, got.Services[0][name]); d != "" {
			t.Errorf("%s: -want +got:\n%s", name, d)
		}
	}
	for _, name := range []string{"tags", "launchType", "taskDefinition"} {
		if v, there := got.Services[0][name]; there {
			t.Errorf("%s = %v, want none", name, v)
		}
	}
}

func TestOmitEmptyNamesListsInAllStructuresOrInOne(t *testing.T) {
	t.Parallel()
	o := awswire.Options{OmitEmpty: []string{"events", "Service.taskSets", "Cluster.deployments"}}
	w := post(t, o, ecsPrefix+".DescribeServices", "application/x-amz-json-1.1", `{"services":["web"]}`)
	body := w.Body.String()
	for name, want := range map[string]bool{"events": false, "taskSets": false, "deployments": true, "tags": true} {
		if got := strings.Contains(body, `"`+name+`":[]`); got != want {
			t.Errorf("%s there: %t, want %t", name, got, want)
		}
	}
}

func TestXMLAnswersHaveEmptyLists(t *testing.T) {
	t.Parallel()
	w := post(t, awswire.Options{}, "", "application/x-www-form-urlencoded", "Action=DescribeTargetHealth&Version=2015-12-01&TargetGroupArn=x")
	const want = `<DescribeTargetHealthResponse xmlns="` + elbv2XMLNS + `"><DescribeTargetHealthResult><TargetHealthDescriptions></TargetHealthDescriptions></DescribeTargetHealthResult>`
	if got := w.Body.String(); !strings.HasPrefix(got, want) {
		t.Errorf("got %s", got)
	}
}

func TestGETServesQueryOnly(t *testing.T) {
	t.Parallel()
	h := newHandler(t, awswire.Options{})
	for url, want := range map[string]int{"/?Action=GetCallerIdentity&Version=2011-06-15": 200, "/": 400} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, url, nil))
		if w.Code != want {
			t.Errorf("GET %s: %d, want %d", url, w.Code, want)
		}
	}
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.Header.Set("X-Amz-Target", ecsPrefix+".DescribeServices")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	if w.Code != http.StatusMethodNotAllowed {
		t.Errorf("GET with a target: %d", w.Code)
	}
}

func TestUnknownMembersAreIgnoredAndReported(t *testing.T) {
	t.Parallel()
	var seen []string
	o := awswire.Options{UnknownMember: func(op, path string) { seen = append(seen, op+" "+path) }}
	w := post(t, o, ecsPrefix+".DescribeServices", "application/x-amz-json-1.1", `{"services":[],"hologram":{"a":[1,{}]},"include":["TAGS"]}`)
	if w.Code != http.StatusOK {
		t.Fatalf("%s", w.Body)
	}
	post(t, o, "", "application/x-www-form-urlencoded", "Action=DescribeTargetHealth&Version=2015-12-01&Targets.member.1.Mood=x")
	if d := cmp.Diff([]string{"DescribeServices hologram", "DescribeTargetHealth Targets.member.1.Mood"}, seen); d != "" {
		t.Error(d)
	}
}

func TestBeforeMayRefuse(t *testing.T) {
	t.Parallel()
	o := awswire.Options{Before: func(ctx context.Context, op string, in any) error {
		if _, ok := in.(*ecs.DescribeServicesInput); !ok || op != "DescribeServices" || awswire.RequestID(ctx) == "" {
			t.Errorf("Before(%s, %T)", op, in)
		}
		return &smithy.GenericAPIError{Code: "AccessDeniedException", Message: "no"}
	}}
	w := post(t, o, ecsPrefix+".DescribeServices", "application/x-amz-json-1.1", `{}`)
	if got, want := w.Body.String(), `{"__type":"AccessDeniedException","message":"no"}`; w.Code != http.StatusForbidden || got != want {
		t.Errorf("got %d %s", w.Code, got)
	}
}

type misnamed struct{}

func (misnamed) CreateService(context.Context, *ecs.UpdateServiceInput) (*ecs.UpdateServiceOutput, error) {
	return nil, nil
}

func TestServersWithoutOperationsAreRefused(t *testing.T) {
	t.Parallel()
	for name, server := range map[string]any{"nil": nil, "none": struct{}{}, "misnamed": misnamed{}} {
		if _, err := awswire.JSON("x", server); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if _, err := awswire.JSON("x", elbServer{}); err == nil || !strings.Contains(err.Error(), "has no schema") {
		t.Errorf("a Query service as JSON: %v", err)
	}
}

func TestOperationsAreTheMethodsWithTheirShape(t *testing.T) {
	t.Parallel()
	s, err := awswire.JSON(ecsPrefix, ecsServer{})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"CreateService", "DeleteCluster", "DescribeServices", "RunTask", "UpdateService"}
	if got := s.Operations(); !slices.Equal(got, want) {
		t.Errorf("Operations() = %v", got)
	}
}
