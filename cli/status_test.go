package cli

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-cd/slipway/deploy"
	"github.com/slipway-cd/slipway/rollout"
)

func TestStatusTellsWhatRunsAndWhyTheNewestDeploymentFailed(t *testing.T) {
	t.Parallel()
	p, out, _ := testProgram()
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.Local)
	p.showStatus(deploy.Status{
		Cluster: "qa", Service: "web", Version: "1.0.0.RELEASE", Missing: []rollout.Reason{"1 of 2 tasks run"},
		LastFailure: &rollout.LastFailure{Version: "1.0.1.RELEASE", Reason: "container web exits with code 3", RolledBack: true},
		Diagnosis:   &rollout.Diagnosis{Cause: "container exits", Summary: "container web exits with code 3", Remedy: "read its last lines"},
		Seen: rollout.Observed{
			Status: rollout.Active, Addresses: []string{"web.example.com:80"},
			Deployments: []rollout.Deployment{{
				ID: "ecs-svc/1", Primary: true, Version: "1.0.0.RELEASE", Revision: "arn:aws:ecs:x:1:task-definition/web:1", State: "in progress", Desired: 2, Running: 1,
			}},
			Targets: []rollout.TargetHealth{{Group: "arn:x/tg/web", ID: "i-1", Port: 8080, State: rollout.TargetUnhealthy, Reason: "got 503"}},
			Events:  []rollout.Event{{At: at, Text: "(service web) has started 1 tasks"}},
		},
	})
	want := `web on qa  1.0.0.RELEASE not proven
  1 of 2 tasks run
  DEPLOYMENT           VERSION        REVISION  STATE        RUNNING  PENDING  FAILED
  ecs-svc/1   primary  1.0.0.RELEASE  web:1     in progress  1 of 2   0        0
  TARGET    GROUP  STATE      REASON
  i-1:8080  web    unhealthy  got 503
  reached at web.example.com:80
  the newest deployment, of 1.0.1.RELEASE, failed and was rolled back: container web exits with code 3
  cause: container exits
    container web exits with code 3
    what to do: read its last lines
  03:04:05 (service web) has started 1 tasks
`
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestStatusTellsWhyTheDeploymentUnderWayGetsNowhere(t *testing.T) {
	t.Parallel()
	for state, head := range map[rollout.DeploymentState]string{
		rollout.InProgress: "the deployment under way has trouble", rollout.Completed: "what runs has trouble",
	} {
		p, out, _ := testProgram()
		p.showHindrance(deploy.Status{
			Hindrance: &rollout.Diagnosis{Cause: "container exits", Summary: "container web exits with code 3", Remedy: "read its last lines"},
			Seen:      rollout.Observed{Deployments: []rollout.Deployment{{Primary: true, State: state}}},
		})
		want := "  " + head + "\n  cause: container exits\n    container web exits with code 3\n    what to do: read its last lines\n"
		if diff := cmp.Diff(want, out.String()); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
}

func TestStatusTellsAFailureThatSomethingNewerFollowsFromTheNewestOne(t *testing.T) {
	t.Parallel()
	failed := &rollout.LastFailure{Deployment: "ecs-svc/1"}
	for name, tc := range map[string]struct {
		primary rollout.Deployment
		want    string
	}{
		"the failed one is still there":   {rollout.Deployment{ID: "ecs-svc/1", Primary: true, State: rollout.InProgress}, "newest"},
		"its undoing is complete":         {rollout.Deployment{ID: "ecs-svc/2", Primary: true, State: rollout.Completed}, "newest"},
		"another one is on its way since": {rollout.Deployment{ID: "ecs-svc/2", Primary: true, State: rollout.InProgress}, "previous"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := deploy.Status{Seen: rollout.Observed{Deployments: []rollout.Deployment{tc.primary}}}
			if got := which(s, failed); got != tc.want {
				t.Errorf("the %s deployment, want the %s", got, tc.want)
			}
		})
	}
}
