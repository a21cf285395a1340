package api_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"

	"github.com/slipway-cd/slipway/engine/state"
)

// cli runs the AWS CLI (Debian's package awscli, or newer) against the engine. A machine without it cannot tell whether
// the engine answers as the CLI needs it, so that is a failure and not a reason to skip.
func (h *house) cli(arguments ...string) (string, error) {
	h.Helper()
	aws := "/usr/bin/aws"
	if _, err := os.Stat(aws); err != nil {
		if aws, err = exec.LookPath("aws"); err != nil {
			h.Fatalf("the AWS CLI is not installed (%v): these tests need it, `apt-get install awscli` brings it", err)
		}
	}
	command := exec.CommandContext(h.Context(), aws, append([]string{"--endpoint-url", h.server.URL, "--region", "us-east-1", "--output", "json"}, arguments...)...)
	command.Env = append(os.Environ(), "HOME="+h.TempDir(), "AWS_ACCESS_KEY_ID=AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY=secret",
		"AWS_PAGER=", "AWS_EC2_METADATA_DISABLED=true")
	out, err := command.CombinedOutput()
	return strings.TrimSpace(string(out)), err
}

// aws returns what the CLI prints for a command that succeeds.
func (h *house) aws(arguments ...string) string {
	h.Helper()
	out, err := h.cli(arguments...)
	if err != nil {
		h.Fatalf("aws %s: %v\n%s", strings.Join(arguments, " "), err, out)
	}
	if strings.Contains(out, "null") {
		h.Errorf("aws %s prints null:\n%s", strings.Join(arguments, " "), out)
	}
	return out
}

// template returns a template of the example project with values in place.
func (h *house) template(name string, values map[string]string) string {
	h.Helper()
	text, err := os.ReadFile(filepath.Join("../../examples/hid-generator/deploy", name))
	must(h, text, err)
	path := filepath.Join(h.TempDir(), name)
	expanded := os.Expand(string(text), func(name string) string {
		value, ok := values[name]
		if !ok {
			h.Errorf("the template names %s, which has no value here", name)
		}
		return value
	})
	if err := os.WriteFile(path, []byte(expanded), 0o600); err != nil {
		h.Fatal(err)
	}
	return "file://" + path
}

// The walk of the AWS CLI's users: the example project's own descriptors, from an empty engine and back.
func TestAWSCLIWalksTheExampleFromClusterToDeletion(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	values := map[string]string{
		"clusterName": "qa", "serviceName": "hid-generator", "family": "hid-generator", "containerName": "hid-generator",
		"loadBalancerName": "hid-generator", "desiredCount": "2", "clientToken": "hid-generator-1.0.15.RELEASE", "ecsInstanceRole": "ecsServiceRole",
		"registry": "127.0.0.1:4566", "imageName": "hid-generator", "imageTag": "1.0.15.RELEASE",
	}
	h.aws("elb", "create-load-balancer", "--load-balancer-name", "hid-generator", "--availability-zones", "us-east-1a", "us-east-1b",
		"--listeners", "Protocol=HTTP,LoadBalancerPort=8080,InstanceProtocol=HTTP,InstancePort=1234")
	h.aws("elb", "configure-health-check", "--load-balancer-name", "hid-generator", "--health-check",
		"Target=HTTP:1234/healthz,Interval=5,Timeout=2,UnhealthyThreshold=2,HealthyThreshold=2")
	h.aws("ecs", "create-cluster", "--cluster-name", "qa")

	definition := h.aws("ecs", "register-task-definition", "--cli-input-json", h.template("task-definition.json", values))
	h.printsAll(definition, "taskDefinition.containerDefinitions.0", "cpu", "environment", "essential", "mountPoints", "portMappings", "volumesFrom")
	h.printsAll(definition, "taskDefinition", "volumes", "placementConstraints", "requiresAttributes", "compatibilities", "status", "revision")
	service := h.aws("ecs", "create-service", "--cli-input-json", h.template("service-definition.json", values))
	h.printsAll(service, "service", "loadBalancers", "serviceRegistries", "runningCount", "pendingCount", "events", "placementConstraints", "placementStrategy")
	h.aws("ecs", "wait", "services-stable", "--cluster", "qa", "--services", "hid-generator")
	h.completed("qa", "hid-generator")
	values["imageTag"], values["desiredCount"] = "1.0.16.RELEASE", "3"
	h.aws("ecs", "register-task-definition", "--cli-input-json", h.template("task-definition.json", values))
	h.aws("ecs", "update-service", "--cli-input-json", h.template("service-update.json", values))
	h.completed("qa", "hid-generator")

	described := h.aws("ecs", "describe-services", "--cluster", "qa", "--services", "hid-generator")
	h.printsAll(described, "services.0.deployments.0", "id", "failedTasks", "pendingCount", "runningCount", "desiredCount", "rolloutState")
	if got := value(h, described, "services.0.taskDefinition"); got != "arn:aws:ecs:us-east-1:000000000000:task-definition/hid-generator:2" {
		t.Errorf("task definition: %v", got)
	}
	tasks := h.aws("ecs", "list-tasks", "--cluster", "qa", "--service-name", "hid-generator", "--query", "taskArns")
	var arns []string
	if err := json.Unmarshal([]byte(tasks), &arns); err != nil || len(arns) != 3 {
		t.Fatalf("tasks: %s", tasks)
	}
	h.printsAll(h.aws(append([]string{"ecs", "describe-tasks", "--cluster", "qa", "--tasks"}, arns...)...),
		"tasks.0", "attachments", "attributes", "containers", "overrides", "tags", "lastStatus", "startedBy")
	h.printsAll(h.aws("elb", "describe-load-balancers"), "LoadBalancerDescriptions.0", "BackendServerDescriptions", "Instances", "Policies", "HealthCheck", "SourceSecurityGroup")
	if health := h.aws("elb", "describe-instance-health", "--load-balancer-name", "hid-generator", "--query", "InstanceStates[].State"); strings.Count(health, "InService") != 3 {
		t.Errorf("health: %s", health)
	}
	h.listsAndDescribes()

	h.aws("ecs", "delete-service", "--cluster", "qa", "--service", "hid-generator", "--force")
	h.until("the service is INACTIVE", func(snap state.Snapshot) bool {
		s, ok := snap.Service(state.ServiceKey{Cluster: "qa", Name: "hid-generator"})
		return ok && *s.Doc.Status == "INACTIVE"
	})
	h.aws("ecs", "wait", "services-inactive", "--cluster", "qa", "--services", "hid-generator")
	h.aws("ecs", "delete-cluster", "--cluster", "qa")
}

// listsAndDescribes has the CLI list and describe the rest of what there is.
func (h *house) listsAndDescribes() {
	h.Helper()
	for _, command := range []string{
		"ecs describe-clusters --clusters qa --include TAGS SETTINGS STATISTICS", "ecs list-services --cluster qa",
		"ecs describe-task-definition --task-definition hid-generator --include TAGS", "ecs list-container-instances --cluster qa",
		"ecs list-attributes --cluster qa --target-type container-instance --attribute-name ecs.availability-zone",
	} {
		h.aws(strings.Fields(command)...)
	}
}

// value finds a value in a JSON document: a path of names and indexes.
func value(h *house, document, path string) any {
	h.Helper()
	var at any
	if err := json.Unmarshal([]byte(document), &at); err != nil {
		h.Fatalf("%v: %s", err, document)
	}
	for part := range strings.SplitSeq(path, ".") {
		switch v := at.(type) {
		case map[string]any:
			at = v[part]
		case []any:
			index := 0
			if _, err := fmt.Sscan(part, &index); err != nil || index >= len(v) {
				h.Fatalf("no %s in %s", path, document)
			}
			at = v[index]
		}
	}
	return at
}

// printsAll: what scripts that read the CLI's output count on is there, empty or not.
func (h *house) printsAll(document, path string, members ...string) {
	h.Helper()
	object, _ := value(h, document, path).(map[string]any)
	for _, m := range members {
		if _, ok := object[m]; !ok {
			h.Errorf("%s has no %s:\n%s", path, m, document)
		}
	}
}

func TestAWSCLITailsTheLogs(t *testing.T) {
	t.Parallel()
	h := newStillHouse(t)
	group := aws.String("/ecs/web")
	_, err := h.logs.CreateLogGroup(t.Context(), &cloudwatchlogs.CreateLogGroupInput{LogGroupName: group})
	must(h, 0, err)
	h.put(*group, "web/app/1", time.Now().Add(-time.Minute), "first line", "an ERROR")
	h.put(*group, "web/app/2", time.Now().Add(-30*time.Second), "third line")
	out := h.aws("logs", "tail", *group, "--format", "short")
	var lines []string
	for line := range strings.Lines(out) {
		_, text, _ := strings.Cut(strings.TrimSpace(line), " ")
		lines = append(lines, text)
	}
	if want := []string{"first line", "an ERROR", "third line"}; !slices.Equal(lines, want) {
		t.Errorf("lines %q", lines)
	}
}

func TestAWSCLILogsInToTheRegistry(t *testing.T) {
	t.Parallel()
	h := newStillHouse(t)
	if out := h.aws("ecr", "get-login-password"); len(out) != 32 {
		t.Errorf("password: %s", out)
	}
	out, err := h.cli("ecs", "discover-poll-endpoint")
	if err == nil || !strings.Contains(out, `The operation "DiscoverPollEndpoint" of AmazonEC2ContainerServiceV20141113 is not served here.`) {
		t.Errorf("an operation that is not served: %v\n%s", err, out)
	}
}
