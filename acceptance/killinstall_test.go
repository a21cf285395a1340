package acceptance

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/google/go-cmp/cmp"

	"github.com/slipway-cd/slipway/app"
	"github.com/slipway-cd/slipway/deploy"
	"github.com/slipway-cd/slipway/rollout"
)

// stations are when `slipway install` is killed: when it tells of this.
var stations = []struct {
	name    string
	reached func(deploy.Event) bool
}{
	{"it has looked", func(e deploy.Event) bool { return e.Type == deploy.Started }},
	{"it registers the task definition", stepIs(deploy.StepBegun, rollout.Register)},
	{"it has registered the task definition", stepIs(deploy.StepDone, rollout.Register)},
	{"it creates or updates the service", func(e deploy.Event) bool {
		return stepIs(deploy.StepBegun, rollout.Create)(e) || stepIs(deploy.StepBegun, rollout.Update)(e)
	}},
	{"it has created or updated the service", func(e deploy.Event) bool {
		return stepIs(deploy.StepDone, rollout.Create)(e) || stepIs(deploy.StepDone, rollout.Update)(e)
	}},
	{"new tasks run", func(e deploy.Event) bool {
		return e.Snapshot != nil && e.Snapshot.Ours != "" && e.Snapshot.Deployments[0].Running > 0
	}},
	{"it runs the checks", func(e deploy.Event) bool { return e.Type == deploy.Checked }},
}

func stepIs(kind deploy.EventType, step rollout.StepKind) func(deploy.Event) bool {
	return func(e deploy.Event) bool { return e.Type == kind && e.Step != nil && e.Step.Kind == step }
}

// killedInstall installs a version in a process of its own, and kills that at a station.
func (h *house) killedInstall(version string, reached func(deploy.Event) bool) (told string) {
	h.Helper()
	cmd := exec.CommandContext(h.Context(), "slipway", h.installArgs(version)...)
	cmd.Env = append(os.Environ(), "BRANCH_NAME=master")
	talk := new(bytes.Buffer)
	cmd.Stderr = talk
	var story strings.Builder
	killed := false
	cmd.Stdout = &eventLines{tell: func(e deploy.Event) {
		if killed {
			return // what it wrote while it was being killed
		}
		story.WriteString(string(e.Type) + ": " + e.Text + "\n")
		if reached(e) {
			killed = true
			_ = cmd.Process.Kill()
		}
	}}
	_ = cmd.Run()
	if !killed {
		h.Fatalf("it was over before it could be killed\n%s\n%s", story.String(), talk)
	}
	return story.String()
}

// TestAKilledInstallationGoesOnWhenItIsCalledAgain kills `slipway install` at every station, for a service that doesn't
// exist yet and for one that does.
func TestAKilledInstallationGoesOnWhenItIsCalledAgain(t *testing.T) {
	t.Parallel()
	h := newHouse(t, app.Process, houseSpeed)
	h.project()
	h.classic()
	for n, station := range stations {
		h.killedThenInstalled(fmt.Sprintf("1.%d.0.RELEASE", n), "create: "+station.name, station.reached)
		h.killedThenInstalled(fmt.Sprintf("1.%d.1.RELEASE", n), "update: "+station.name, station.reached)
		_, err := h.ecs.DeleteService(t.Context(), &ecs.DeleteServiceInput{
			Cluster: aws.String(houseCluster), Service: aws.String(houseService), Force: aws.Bool(true),
		})
		h.must(err)
		until(h, patience, "the service is gone", func() (string, bool) {
			s := h.service()
			return aws.ToString(s.Status), aws.ToString(s.Status) == "INACTIVE" && len(h.programs()) == 0
		})
	}
}

func (h *house) killedThenInstalled(version, station string, reached func(deploy.Event) bool) {
	h.Helper()
	h.push(version)
	h.publish(version)
	definitions, started := h.counted()
	story := h.killedInstall(version, reached)
	i := h.install(version)
	h.wantExit(i, 0, deploy.Proven, deploy.Unchanged)
	h.Logf("%s: killed, called again: %s after %.1f s", station, i.result.Outcome, i.result.Seconds)
	d, s := h.counted()
	if d != definitions+1 || s != started+1 {
		h.Errorf("%s: %d task definitions were registered and %d deployments started, want one each\nkilled:\n%s\ncalled again:\n%s",
			station, d-definitions, s-started, story, i)
	}
	service := h.service()
	if diff := cmp.Diff(slices.Repeat([]string{version}, int(service.DesiredCount)), h.programs()); diff != "" {
		h.Errorf("%s: what should run (-) and what does (+):\n%s", station, diff)
	}
	if again := h.install(version); again.result.Outcome != deploy.Unchanged {
		h.Errorf("%s: a third call did not find everything done\n%s", station, again)
	}
}

// counted returns how many task definitions have been registered, and how many deployments of the service that is there
// now have been started.
func (h *house) counted() (definitions, deployments int) {
	h.Helper()
	d, err := h.ecs.ListTaskDefinitions(h.Context(), &ecs.ListTaskDefinitionsInput{FamilyPrefix: aws.String(houseService)})
	h.must(err)
	if aws.ToString(h.service().Status) != "ACTIVE" {
		return len(d.TaskDefinitionArns), 0
	}
	s, err := h.ecs.ListServiceDeployments(h.Context(), &ecs.ListServiceDeploymentsInput{
		Cluster: aws.String(houseCluster), Service: aws.String(houseService),
	})
	h.must(err)
	return len(d.TaskDefinitionArns), len(s.ServiceDeployments)
}

// TestAKilledInstallationOfABrokenVersionIsReportedWhenItIsCalledAgain kills `slipway install` when it has found out that
// a version is broken, and when it has begun to roll back.
func TestAKilledInstallationOfABrokenVersionIsReportedWhenItIsCalledAgain(t *testing.T) {
	t.Parallel()
	h := newHouse(t, app.Process, houseSpeed)
	h.project()
	h.classic()
	h.deliver("1.0.0.RELEASE")
	load := startLoad(t, h.balancer, 50, shortStream)
	for n, reached := range []func(deploy.Event) bool{
		func(e deploy.Event) bool { return e.Type == deploy.Diagnosed },
		stepIs(deploy.StepBegun, rollout.Rollback),
		stepIs(deploy.StepDone, rollout.Rollback),
	} {
		version := fmt.Sprintf("1.0.%d.RELEASE", n+1)
		h.push(version, "HID_FAIL_HEALTH=503")
		h.publish(version)
		story := h.killedInstall(version, reached)
		i := h.install(version)
		h.wantExit(i, 4, deploy.RolledBack)
		if d := i.result.Diagnosis; d == nil || !strings.Contains(d.Summary, "503") {
			t.Errorf("the diagnosis is %+v\nkilled:\n%s\ncalled again:\n%s", d, story, i)
		}
	}
	load.wantNoneLost(t)
}
