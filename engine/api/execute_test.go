package api_test

import (
	"io"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/slipway-cd/slipway/datachannel"
)

// running starts a task and waits until it runs.
func (h *house) running(definition string, talkative bool) *string {
	h.Helper()
	ran, err := h.ecs.RunTask(h.Context(), &ecs.RunTaskInput{TaskDefinition: &definition, EnableExecuteCommand: talkative})
	must(h, ran, err)
	changes := h.DB().Watch()
	defer changes.Close()
	for {
		found, err := h.ecs.DescribeTasks(h.Context(), &ecs.DescribeTasksInput{Tasks: []string{*ran.Tasks[0].TaskArn}})
		must(h, found, err)
		if *found.Tasks[0].LastStatus == "RUNNING" {
			return found.Tasks[0].TaskArn
		}
		if _, err := changes.Next(h.Context()); err != nil {
			h.Fatal(err)
		}
	}
}

func TestExecuteCommandOpensASessionThatIsServed(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	cluster, err := h.ecs.CreateCluster(t.Context(), &ecs.CreateClusterInput{})
	must(h, cluster, err)
	h.register("web", func(in *ecs.RegisterTaskDefinitionInput) {
		side := in.ContainerDefinitions[0]
		side.Name = aws.String("side")
		in.ContainerDefinitions = append(in.ContainerDefinitions, side)
	})
	task := h.running("web", true)
	in := &ecs.ExecuteCommandInput{Task: task, Container: aws.String("app"), Command: aws.String("/bin/sh"), Interactive: true}
	out, err := h.ecs.ExecuteCommand(t.Context(), in)
	must(h, out, err)
	if !strings.HasPrefix(*out.Session.StreamUrl, "ws://") || *out.ContainerName != "app" {
		t.Errorf("%+v", out)
	}
	// Scripted containers run nothing; that the session is served, and says so, is what counts here.
	code, err := datachannel.Talk{URL: *out.Session.StreamUrl, Token: *out.Session.TokenValue, Stdout: io.Discard}.Run(t.Context())
	if code != -1 || err != nil {
		t.Error(code, err)
	}
	for want, change := range map[string]func(*ecs.ExecuteCommandInput){
		"InvalidParameterException: The referenced task was not found.":                                         func(in *ecs.ExecuteCommandInput) { in.Task = aws.String("nothing") },
		"InvalidParameterException: The container db does not exist in the task.":                               func(in *ecs.ExecuteCommandInput) { in.Container = aws.String("db") },
		"InvalidParameterException: The container name must be given, because the task has several containers.": func(in *ecs.ExecuteCommandInput) { in.Container = nil },
		"InvalidParameterException: Interactive is the only mode supported currently.":                          func(in *ecs.ExecuteCommandInput) { in.Interactive = false },
		"InvalidParameterException: The execute command failed because execute command was not enabled":         func(in *ecs.ExecuteCommandInput) { in.Task = h.running("web", false) },
		`InvalidParameterException: the command "\"" ends within a quote`:                                       func(in *ecs.ExecuteCommandInput) { in.Command = aws.String(`"`) },
	} {
		other := *in
		change(&other)
		_, err := h.ecs.ExecuteCommand(t.Context(), &other)
		if got := refusalOf(err); !strings.HasPrefix(got, want) {
			t.Errorf("got %s\nwant %s", got, want)
		}
	}
	described, err := h.ecs.DescribeTasks(t.Context(), &ecs.DescribeTasksInput{Tasks: []string{*task}})
	must(h, described, err)
	if agents := described.Tasks[0].Containers[0].ManagedAgents; len(agents) != 1 || agents[0].Name != types.ManagedAgentNameExecuteCommandAgent {
		t.Errorf("%+v", agents)
	}
}

// The services are told apart by what a request says, on one endpoint.
func TestAmazonS3AndTheOtherServicesShareAnEndpoint(t *testing.T) {
	t.Parallel()
	h := newStillHouse(t)
	client := s3.New(s3.Options{BaseEndpoint: &h.server.URL, Region: "us-east-1", UsePathStyle: true, Credentials: vaultOf(h).secrets.Options().Credentials, RetryMaxAttempts: 1})
	for _, name := range []string{"v2x", "service"} {
		made, err := client.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: &name})
		must(h, made, err)
		put, err := client.PutObject(t.Context(), &s3.PutObjectInput{Bucket: &name, Key: aws.String("k"), Body: strings.NewReader("content")})
		must(h, put, err)
		got, err := client.GetObject(t.Context(), &s3.GetObjectInput{Bucket: &name, Key: aws.String("k")})
		must(h, got, err)
		if text, _ := io.ReadAll(got.Body); string(text) != "content" {
			t.Errorf("%q", text)
		}
	}
	clusters, err := h.ecs.ListClusters(t.Context(), &ecs.ListClustersInput{})
	must(h, clusters, err)
}
