package rollout

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestDiagnosisNamesTheCauseThatExplainsMost(t *testing.T) {
	t.Parallel()
	killed := 137
	oom := Evidence{Kind: ContainerExit, New: true, Task: "t1", Container: "web", ExitCode: &killed, Signal: "SIGKILL", Points: OutOfMemory, Text: "OutOfMemoryError: Container killed due to memory usage"}
	sick := Evidence{Kind: TargetSick, New: true, Task: "t1", Subject: "web", Port: 8080, Status: 503, Points: TargetCheck, Text: "Health checks failed with these codes: [503]"}
	failed := Evidence{Kind: TaskStopped, New: true, Task: "t1", Points: TargetCheck, Text: "Task failed ELB health checks in (target-group web)"}
	refused := Evidence{Kind: TargetSick, New: true, Task: "t1", Subject: "web", Port: 9090, Points: WrongPort, Text: "Health checks failed"}
	for name, tc := range map[string]struct {
		evidence []Evidence
		cause    Cause
		summary  string
	}{
		"nothing is known": {nil, UnknownCause, "the new tasks do not stay healthy; nothing says why"},
		"a crash":          {crash("t1", 3), Crash, "container web exits with code 3"},
		"two crashes":      {slices.Concat(crash("t1", 3), crash("t2", 3)), Crash, "container web exits with code 3 (2 tasks)"},
		"memory comes before the crash and the check that it makes fail": {
			append(crash("t1", 137), oom, sick), OutOfMemory, "container web ran out of memory and was killed with code 137 (SIGKILL)",
		},
		"a check that gets a status":                          {[]Evidence{sick}, TargetCheck, "the load balancer's health check gets 503 on port 8080 in web"},
		"a check that reaches nothing":                        {[]Evidence{failed, refused}, WrongPort, "the load balancer reaches nothing on port 9090 in web: Health checks failed"},
		"a check that reached nothing before it got a status": {[]Evidence{failed, refused, sick}, TargetCheck, "the load balancer's health check gets 503 on port 8080 in web"},
		"the container that others depend on is named, not the one that waits": {
			[]Evidence{{Kind: ContainerExit, New: true, Container: "web", Subject: "db", Points: DependencyFailed, Text: "TaskDependencyError"}},
			DependencyFailed, "container db never gets ready, and others depend on it",
		},
		"an image": {
			[]Evidence{{Kind: ContainerExit, New: true, Container: "web", Subject: "registry/web:2", Points: ImageMissing, Text: "CannotPullContainerError: not found."}},
			ImageMissing, "image registry/web:2 not found: CannotPullContainerError: not found",
		},
		"what is known for certain comes before a complaint": {
			[]Evidence{
				{Kind: NoPlace, New: true, At: noon.Add(time.Second), Points: NoMemory, Text: "has insufficient memory available."},
				{Kind: NoPlace, New: true, At: noon, Points: NoMemory, Final: true, Text: "the task needs 64 MiB of memory, and the only instance has 32 MiB"},
			},
			NoMemory, "no instance has enough memory: the task needs 64 MiB of memory, and the only instance has 32 MiB",
		},
		"what ran before counts for nothing": {old(crash("t1", 3)), UnknownCause, "the new tasks do not stay healthy; nothing says why"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := Diagnose(tc.evidence)
			if d.Cause != tc.cause || d.Summary != tc.summary {
				t.Errorf("%q: %q, want %q: %q", d.Cause, d.Summary, tc.cause, tc.summary)
			}
			if d.Remedy == "" {
				t.Error("no remedy")
			}
		})
	}
}

func TestDiagnosisTellsRepeatedEvidenceOnceAndTheLastLogLines(t *testing.T) {
	t.Parallel()
	evidence := slices.Concat(crash("t1", 3), crash("t2", 3))
	for i := range 20 {
		evidence = append(evidence,
			Evidence{Kind: LogLine, New: true, Task: "t2", Container: "web", At: noon, Text: strings.Repeat("x", i)},
			Evidence{Kind: LogLine, New: true, Task: "t2", Container: "sidecar", At: noon, Text: "all is well"})
	}
	d := Diagnose(evidence)
	want := []string{"container web exited with code 3: Essential container in task exited (2 times)"}
	if diff := cmp.Diff(want, d.Evidence); diff != "" {
		t.Errorf("evidence (-want +got):\n%s", diff)
	}
	if len(d.Logs) != logLines || len(d.Logs[logLines-1]) != 19 {
		t.Errorf("logs = %q", d.Logs)
	}
}

func TestWhatAContainersLineSaysIsNotSaidOfItsTaskAgain(t *testing.T) {
	t.Parallel()
	code := 0
	d := Diagnose([]Evidence{
		stopped("t1", ""),
		{Kind: ContainerExit, New: true, Task: "t1", Container: "init", Subject: "db", Points: DependencyFailed, Text: "TaskDependencyError"},
		{Kind: ContainerExit, New: true, Task: "t1", Container: "web", ExitCode: &code, Points: Crash, Text: "Essential container in task exited"},
	})
	want := []string{"container init: TaskDependencyError", "container web exited with code 0: Essential container in task exited"}
	if diff := cmp.Diff(want, d.Evidence); diff != "" {
		t.Errorf("evidence (-want +got):\n%s", diff)
	}
}

func TestEveryCauseHasARemedyAndARank(t *testing.T) {
	t.Parallel()
	for _, c := range ranks {
		if remedies[c] == "" {
			t.Errorf("%q has no remedy", c)
		}
	}
	for c := range remedies {
		if rank(c) == len(ranks) && !slices.Contains([]Cause{Superseded, ServiceGone, TooSlow, UnknownCause}, c) {
			t.Errorf("%q has no rank", c)
		}
	}
}
