package ecs

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/slipway-cd/slipway/descriptor"
	"github.com/slipway-cd/slipway/fault"
	"github.com/slipway-cd/slipway/rollout"
)

// recorder keeps what is sent and gives prepared answers: it looks at the wire, and pretends to be nothing.
type recorder struct {
	mu      sync.Mutex
	sent    map[string][]byte // by operation
	answers map[string]string
	status  int
	refused string // this operation is answered as a client's error

	refusedAll string // the error that whatever has no answer is refused with
}

func (r *recorder) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	_, operation, _ := strings.Cut(req.Header.Get("X-Amz-Target"), ".")
	body, err := io.ReadAll(req.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sent[operation] = body
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	if _, prepared := r.answers[operation]; r.refusedAll != "" && !prepared {
		w.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(w, `{"__type":"`+r.refusedAll+`","message":"not allowed"}`)
		return
	}
	if operation == r.refused {
		w.WriteHeader(http.StatusBadRequest)
	} else {
		w.WriteHeader(r.status)
	}
	_, _ = io.WriteString(w, r.answers[operation])
}

func record(t *testing.T, answers map[string]string) (*recorder, *Target) {
	t.Helper()
	r := &recorder{sent: map[string][]byte{}, answers: answers, status: http.StatusOK}
	server := httptest.NewServer(r)
	t.Cleanup(server.Close)
	return r, at(server.URL)
}

func at(endpoint string) *Target {
	return New(Options{Config: aws.Config{
		Region: "us-east-1", BaseEndpoint: aws.String(endpoint), RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider("key", "secret", ""),
	}})
}

// golden returns the body of the SDK's own example of an answer.
func golden(t *testing.T, operation string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Dir}}", "github.com/aws/aws-sdk-go-v2/service/ecs").Output()
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(out)), "response_snapshot", operation+".response.snap"))
	if err != nil {
		t.Fatal(err)
	}
	_, body, _ := bytes.Cut(b, []byte("\n\n"))
	return string(body)
}

func TestPublishedDocumentsAreSentByteForByte(t *testing.T) {
	t.Parallel()
	tomorrow := []byte("{\n \"family\" : \"web\", \"addedByAWSTomorrow\": {\"x\": 1.50},\n \"containerDefinitions\":[ ] }")
	r, target := record(t, map[string]string{
		"RegisterTaskDefinition": golden(t, "RegisterTaskDefinition"),
		"CreateService":          golden(t, "CreateService"),
		"UpdateService":          golden(t, "UpdateService"),
	})
	ref := rollout.ServiceRef{Cluster: "qa", Service: "web", Family: "web"}
	for _, tc := range []struct {
		operation string
		step      rollout.Step
		want      string
	}{
		{"RegisterTaskDefinition", rollout.Step{Kind: rollout.Register, Ref: ref, Document: descriptor.TaskDefinition, Content: tomorrow}, string(tomorrow)},
		{
			"CreateService",
			rollout.Step{Kind: rollout.Create, Ref: ref, Revision: "web:7", Content: []byte(`{"cluster":"qa", "serviceName":"web","taskDefinition": "web","new":[1, 2]}`)},
			`{"cluster":"qa", "serviceName":"web","taskDefinition": "web:7","new":[1, 2]}`,
		},
		{
			"UpdateService",
			rollout.Step{Kind: rollout.Update, Ref: ref, Revision: "web:7", Force: true, Content: []byte(`{"cluster":"qa","service":"web","taskDefinition":"web","desiredCount":0}`)},
			`{"forceNewDeployment":true,"cluster":"qa","service":"web","taskDefinition":"web:7","desiredCount":0}`,
		},
		{"UpdateService", rollout.Step{Kind: rollout.Update, Ref: ref, Revision: "web:7"}, `{"cluster":"qa","service":"web","taskDefinition":"web:7"}`},
	} {
		if _, err := target.Perform(t.Context(), tc.step); err != nil {
			t.Errorf("%s: %v", tc.operation, err)
		}
		if got := string(r.sent[tc.operation]); got != tc.want {
			t.Errorf("%s sent\n%s, want\n%s", tc.operation, got, tc.want)
		}
	}
}

const (
	revisions = "arn:aws:ecs:us-east-1:1:service-revision/qa/web/"
	now       = `{"services":[{"serviceName":"web","status":"ACTIVE","taskDefinition":"web:2","desiredCount":4,
		"deploymentConfiguration":{"maximumPercent":100},"placementStrategy":[{"type":"random"}],"healthCheckGracePeriodSeconds":0}],"failures":[]}`
)

func TestARollbackRestoresEveryAttribute(t *testing.T) {
	t.Parallel()
	r, target := record(t, map[string]string{
		"DescribeServices": now,
		"DescribeServiceRevisions": `{"failures":[],"serviceRevisions":[
			{"serviceRevisionArn":"` + revisions + `1","taskDefinition":"web:1","platformVersion":"1.4.0",
			 "networkConfiguration":{"awsvpcConfiguration":{"subnets":["a"],"tomorrow":true}},"loadBalancers":[]},
			{"serviceRevisionArn":"` + revisions + `2","taskDefinition":"web:2","platformVersion":"1.4.0",
			 "networkConfiguration":{"awsvpcConfiguration":{"subnets":["b"]}},"loadBalancers":[{"containerName":"web"}]}]}`,
		"UpdateService": golden(t, "UpdateService"),
	})
	_, err := target.Perform(t.Context(), rollout.Step{
		Kind: rollout.Rollback, Deployment: "ecs-svc/2", To: &rollout.Proof{Deployment: "ecs-svc/1", Record: revisions + "1"},
		Ref: rollout.ServiceRef{Cluster: "qa", Service: "web", Wanted: rollout.Documents{
			descriptor.ServiceUpdate: []byte(`{"service":"web","desiredCount":4}`),
		}},
		Before: []byte(`{"desiredCount":2,"deploymentConfiguration":{"maximumPercent":200,"minimumHealthyPercent":25},"healthCheckGracePeriodSeconds":0}`),
	})
	if err != nil {
		t.Fatal(err)
	}
	var got, want any
	if err := json.Unmarshal(r.sent["UpdateService"], &got); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(`{"cluster":"qa","service":"web","taskDefinition":"web:1","desiredCount":2,
		"deploymentConfiguration":{"maximumPercent":200,"minimumHealthyPercent":25},"placementStrategy":[],
		"networkConfiguration":{"awsvpcConfiguration":{"subnets":["a"],"tomorrow":true}},"loadBalancers":[]}`), &want); err != nil {
		t.Fatal(err)
	}
	g, w := marshal(t, got), marshal(t, want)
	if g != w {
		t.Errorf("sent\n%s, want\n%s", g, w)
	}
	if asked := string(r.sent["DescribeServiceRevisions"]); !strings.Contains(asked, revisions+"1") || !strings.Contains(asked, revisions+"2") {
		t.Errorf("asked for %s", asked)
	}
}

func TestEveryDeploymentIsToldWithItsVersion(t *testing.T) {
	t.Parallel()
	r, target := record(t, map[string]string{
		"DescribeServices": `{"failures":[],"services":[{"serviceName":"web","status":"ACTIVE","deployments":[
			{"id":"ecs-svc/2","status":"PRIMARY","taskDefinition":"web:2"},{"id":"ecs-svc/1","status":"ACTIVE","taskDefinition":"web:2"}]}]}`,
		"DescribeTaskDefinition": `{"taskDefinition":{"taskDefinitionArn":"web:2","containerDefinitions":[{"name":"web","image":"web:1.0.2"}]}}`,
	})
	ref := []rollout.ServiceRef{{Cluster: "qa", Service: "web"}}
	for range 2 {
		seen, err := target.Observe(t.Context(), ref)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range seen[0].Deployments {
			if d.Version != "1.0.2" {
				t.Errorf("deployment %s has the version %q", d.ID, d.Version)
			}
		}
		delete(r.answers, "DescribeTaskDefinition") // it is known from now on
	}
}

func TestATaskDefinitionThatIsGoneHasNoVersionAndIsAskedForOnce(t *testing.T) {
	t.Parallel()
	r, target := record(t, map[string]string{
		"DescribeServices": `{"failures":[],"services":[{"serviceName":"web","status":"ACTIVE","deployments":[
			{"id":"ecs-svc/2","status":"PRIMARY","taskDefinition":"web:2"}]}]}`,
		"DescribeTaskDefinition": `{"__type":"ClientException","message":"Unable to describe task definition."}`,
	})
	r.refused = "DescribeTaskDefinition"
	for asked := range 2 {
		seen, err := target.Observe(t.Context(), []rollout.ServiceRef{{Cluster: "qa", Service: "web"}})
		if err != nil || seen[0].Primary().Version != "" {
			t.Errorf("%+v, %v", seen[0].Primary(), err)
		}
		if _, again := r.sent["DescribeTaskDefinition"]; again == (asked > 0) {
			t.Errorf("look %d: asked again is %t", asked, again)
		}
		delete(r.sent, "DescribeTaskDefinition")
	}
}

func marshal(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestErrorsOfAWSHaveAKindAndARemedy(t *testing.T) {
	t.Parallel()
	ref := []rollout.ServiceRef{{Cluster: "qa", Service: "web"}}
	for code, want := range map[string]fault.Kind{
		"ClusterNotFoundException": fault.NotFound, "UnrecognizedClientException": fault.Denied, "ExpiredTokenException": fault.Denied,
		"InvalidSignatureException": fault.Denied, "AccessDeniedException": fault.Denied, "ThrottlingException": fault.Throttled,
	} {
		t.Run(code, func(t *testing.T) {
			t.Parallel()
			r, target := record(t, map[string]string{"DescribeServices": `{"__type":"` + code + `","message":"So it is."}`})
			r.status = http.StatusBadRequest
			_, err := target.Observe(t.Context(), ref)
			if fault.KindOf(err) != want || fault.HintOf(err) == "" {
				t.Errorf("%v is %s; hint %q", err, fault.KindOf(err), fault.HintOf(err))
			}
			if text := `cannot look at service "web" in cluster "qa": So it is`; err.Error() != text {
				t.Errorf("told as %q", err)
			}
		})
	}
	t.Run("unreachable", func(t *testing.T) {
		t.Parallel()
		_, err := at("http://127.0.0.1:1").Observe(t.Context(), ref)
		if fault.KindOf(err) != fault.Unavailable || !strings.Contains(err.Error(), "http://127.0.0.1:1 cannot be reached") {
			t.Errorf("%v", err)
		}
	})
}
