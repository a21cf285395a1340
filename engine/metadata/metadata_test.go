package metadata_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials/endpointcreds"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/google/go-cmp/cmp"

	"github.com/slipway-cd/slipway/engine"
	"github.com/slipway-cd/slipway/engine/lifecycle"
	"github.com/slipway-cd/slipway/engine/metadata"
	"github.com/slipway-cd/slipway/engine/runtime/scripted"
	"github.com/slipway-cd/slipway/engine/state"
)

// house is an engine with one running task, and its metadata.
type house struct {
	*testing.T
	engine *engine.Engine
	task   *state.Task
	url    string
}

func newHouse(t *testing.T, role string) *house {
	t.Helper()
	e, err := engine.Open(t.Context(), engine.Options{Dir: t.TempDir(), Runtime: scripted.New(1000), Speed: 1000, Addresses: netip.MustParsePrefix("127.77.1.0/24")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Stop(context.Background()) })
	d := &state.TaskDefinition{TaskDefinitionID: state.TaskDefinitionID{Family: "web", Revision: 3}}
	container := func(name string) types.ContainerDefinition {
		return types.ContainerDefinition{
			Name: &name, Image: aws.String("web:1"), Essential: aws.Bool(true), Memory: aws.Int32(64), DockerLabels: map[string]string{"team": "hid"},
			PortMappings: []types.PortMapping{{ContainerPort: aws.Int32(8080), HostPort: aws.Int32(0), Protocol: types.TransportProtocolTcp}},
		}
	}
	d.Doc = types.TaskDefinition{Family: aws.String("web"), Cpu: aws.String("256"), ContainerDefinitions: []types.ContainerDefinition{container("app"), container("side")}}
	if role != "" {
		d.Doc.TaskRoleArn = &role
	}
	h := &house{T: t, engine: e}
	changes := e.DB().Watch()
	defer changes.Close()
	err = e.DB().Write(func(tx *state.Tx) error {
		tx.Put(&state.Cluster{Name: "c", Doc: types.Cluster{Status: aws.String("ACTIVE")}})
		tx.Put(d)
		if err := e.NewInstances(tx, "c"); err != nil {
			return err
		}
		tasks, _, err := e.RunTask(tx, "c", d, &ecs.RunTaskInput{Tags: []types.Tag{{Key: aws.String("k"), Value: aws.String("v")}}})
		h.task = tasks[0]
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	for h.task.Last != state.Running {
		if _, err := changes.Next(t.Context()); err != nil {
			t.Fatal(err)
		}
		h.task, _ = e.DB().Read().Task(h.task.ID)
	}
	server := httptest.NewServer(metadata.Handler(e))
	t.Cleanup(server.Close)
	h.url = server.URL
	return h
}

// get asks for a path below that of the container app.
func (h *house) get(path string, into any) {
	h.Helper()
	answer, err := http.Get(h.url + "/v4/" + lifecycle.MetadataID(h.task.ID, "app") + path)
	if err != nil {
		h.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK {
		h.Fatal(answer.Status, string(text), err)
	}
	if err := json.Unmarshal(text, into); err != nil {
		h.Fatalf("%v in %s", err, text)
	}
}

func TestAContainerIsToldWhoItIs(t *testing.T) {
	t.Parallel()
	h := newHouse(t, "")
	var told struct {
		Name, KnownStatus, ContainerARN, DockerID string
		Labels                                    map[string]string
		Limits                                    map[string]float64
		Networks                                  []struct{ NetworkMode string }
		Ports                                     []struct{ ContainerPort, HostPort int }
	}
	h.get("", &told)
	if told.Name != "app" || told.KnownStatus != "RUNNING" || !strings.HasPrefix(told.ContainerARN, "arn:aws:ecs:us-east-1:000000000000:container/c/") {
		t.Errorf("%+v", told)
	}
	want := map[string]string{
		"com.amazonaws.ecs.cluster": "c", "com.amazonaws.ecs.container-name": "app", "com.amazonaws.ecs.task-arn": h.task.ARN,
		"com.amazonaws.ecs.task-definition-family": "web", "com.amazonaws.ecs.task-definition-version": "3", "team": "hid",
	}
	if diff := cmp.Diff(want, told.Labels); diff != "" {
		t.Error(diff)
	}
	if told.Limits["Memory"] != 64 || told.Networks[0].NetworkMode != "bridge" || told.Ports[0].ContainerPort != 8080 || told.Ports[0].HostPort == 0 {
		t.Errorf("%+v", told)
	}
}

func TestAContainerIsToldOfItsTask(t *testing.T) {
	t.Parallel()
	h := newHouse(t, "")
	var told struct {
		TaskARN, Cluster, Family, Revision, KnownStatus, AvailabilityZone string
		Limits                                                            map[string]float64
		Containers                                                        []struct{ Name, DockerID string }
		TaskTags                                                          map[string]string
	}
	h.get("/task", &told)
	if told.TaskARN != h.task.ARN || told.Family+":"+told.Revision != "web:3" || told.KnownStatus != "RUNNING" || len(told.Containers) != 2 ||
		told.Limits["CPU"] != 0.25 || told.AvailabilityZone == "" || told.TaskTags != nil {
		t.Errorf("%+v", told)
	}
	h.get("/taskWithTags", &told)
	if told.TaskTags["k"] != "v" {
		t.Errorf("%+v", told)
	}
	var stats map[string]any
	h.get("/task/stats", &stats)
	if _, ok := stats[told.Containers[0].DockerID]; !ok || len(stats) != 2 {
		t.Errorf("%v", stats)
	}
}

func TestNobodyIsToldOfAContainerByAGuess(t *testing.T) {
	t.Parallel()
	h := newHouse(t, "")
	for _, id := range []string{"x", string(h.task.ID), string(h.task.ID) + "-0000000000"} {
		answer, err := http.Get(h.url + "/v4/" + id)
		if err != nil {
			t.Fatal(err)
		}
		_ = answer.Body.Close()
		if answer.StatusCode != http.StatusNotFound {
			t.Errorf("%s: %s", id, answer.Status)
		}
	}
}

// The SDK's own provider reads them, as it does in a container.
func TestATasksProgramsGetCredentialsOfItsRole(t *testing.T) {
	t.Parallel()
	h := newHouse(t, "arn:aws:iam::000000000000:role/web")
	var keys []string
	for range 2 {
		found, err := endpointcreds.New(h.url + lifecycle.CredentialsPath + string(h.task.ID)).Retrieve(t.Context())
		if err != nil || found.SessionToken == "" || !found.CanExpire || time.Until(found.Expires) < time.Hour {
			t.Fatal(found, err)
		}
		keys = append(keys, found.AccessKeyID)
		session, ok := h.engine.DB().Read().Session(found.AccessKeyID)
		if !ok || session.Secret != found.SecretAccessKey || session.Role != "web" {
			t.Errorf("%+v", session)
		}
	}
	if keys[0] != keys[1] {
		t.Errorf("a task has several credentials at a time: %q", keys)
	}
	none := newHouse(t, "")
	if _, err := endpointcreds.New(none.url + lifecycle.CredentialsPath + string(none.task.ID)).Retrieve(t.Context()); err == nil {
		t.Error("a task without a role has credentials")
	}
}
