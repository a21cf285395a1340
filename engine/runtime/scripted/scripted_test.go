package scripted_test

import (
	"context"
	"fmt"
	goruntime "runtime"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/google/go-cmp/cmp"

	"github.com/slipway-cd/slipway/engine/runtime"
	"github.com/slipway-cd/slipway/engine/runtime/runtimetest"
	"github.com/slipway-cd/slipway/engine/runtime/scripted"
	"github.com/slipway-cd/slipway/fault"
)

var (
	_ runtime.Prober    = (*scripted.Runtime)(nil)
	_ runtime.Describer = (*scripted.Runtime)(nil)
)

func TestScriptedIsARuntime(t *testing.T) {
	t.Parallel()
	suite := runtimetest.Suite{Place: func(*testing.T) runtimetest.Open {
		r := scripted.New(1)
		return func() runtime.Runtime { return r }
	}}
	suite.RunPretended(t)
}

func TestScriptLabelIsTheSuitesOwn(t *testing.T) {
	t.Parallel()
	if scripted.Label != runtimetest.ScriptLabel {
		t.Errorf("%q, %q", scripted.Label, runtimetest.ScriptLabel)
	}
}

// play runs a test in a bubble with a container of the script.
func play(t *testing.T, speed float64, script string, test func(t *testing.T, r *scripted.Runtime)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := scripted.New(speed)
		if err := r.Create(t.Context(), spec("c", script)); err != nil {
			t.Fatal(err)
		}
		test(t, r)
	})
}

// pass lets the bubble's time pass.
func pass(d time.Duration) { <-time.After(d) }

func spec(name runtime.Name, script string) runtime.Spec {
	return runtime.Spec{Name: name, Definition: types.ContainerDefinition{DockerLabels: map[string]string{scripted.Label: script}}}
}

func status(t *testing.T, r *scripted.Runtime) runtime.Status {
	t.Helper()
	s, err := r.Inspect(t.Context(), "c")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func start(t *testing.T, r *scripted.Runtime) time.Time {
	t.Helper()
	if err := r.Start(t.Context(), "c"); err != nil {
		t.Fatal(err)
	}
	return time.Now()
}

func TestContainerEndsWhenItsScriptSaysSoDividedBySpeed(t *testing.T) {
	play(t, 20, "start 2s; run 30s; exit 3", func(t *testing.T, r *scripted.Runtime) {
		before := time.Now()
		start(t, r)
		if took := time.Since(before); took != 100*time.Millisecond {
			t.Errorf("the start took %s", took)
		}
		pass(1499 * time.Millisecond)
		if s := status(t, r); s.Phase != runtime.Running {
			t.Errorf("%+v", s)
		}
		pass(time.Millisecond)
		synctest.Wait()
		if s := status(t, r); s.Phase != runtime.Exited || s.ExitCode != 3 || s.EndedAt.Sub(s.StartedAt) != 1500*time.Millisecond {
			t.Errorf("%+v", s)
		}
	})
}

func TestContainerRunsOutOfMemory(t *testing.T) {
	play(t, 1, "run 1s; oom", func(t *testing.T, r *scripted.Runtime) {
		start(t, r)
		pass(time.Second)
		synctest.Wait()
		if s := status(t, r); !s.OutOfMem || s.ExitCode != 137 {
			t.Errorf("%+v", s)
		}
	})
}

func TestHealthFollowsTheScript(t *testing.T) {
	play(t, 2, "healthy after 10s; unhealthy after 60s", func(t *testing.T, r *scripted.Runtime) {
		began := start(t, r)
		for _, c := range []struct {
			at   time.Duration
			code int
		}{{0, 1}, {4999 * time.Millisecond, 1}, {5 * time.Second, 0}, {29 * time.Second, 0}, {30 * time.Second, 1}} {
			pass(c.at - time.Since(began))
			if code, _, err := r.Exec(t.Context(), "c", []string{"check"}); code != c.code || err != nil {
				t.Errorf("after %s: %d, %v; want %d", c.at, code, err, c.code)
			}
		}
	})
}

func TestRequestsAreAnsweredAsTheScriptSays(t *testing.T) {
	play(t, 1, "refuse; answer 200 after 5s; answer 500 on /healthz after 10s; refuse after 20s", func(t *testing.T, r *scripted.Runtime) {
		if _, err := r.Probe(t.Context(), "c", 80, "/"); fault.KindOf(err) != fault.Unavailable {
			t.Errorf("a container that is not running: %v", err)
		}
		began := start(t, r)
		for _, c := range []struct {
			at     time.Duration
			path   string
			status int
		}{{0, "/", 0}, {5 * time.Second, "/healthz?deep", 200}, {10 * time.Second, "/", 200}, {10 * time.Second, "/healthz", 500}, {20 * time.Second, "/", 0}} {
			pass(c.at - time.Since(began))
			status, err := r.Probe(t.Context(), "c", 80, c.path)
			if status != c.status || (err != nil) != (c.status == 0) {
				t.Errorf("after %s, %s: %d, %v; want %d", c.at, c.path, status, err, c.status)
			}
		}
	})
}

func TestStopTakesAsLongAsTheScriptSays(t *testing.T) {
	play(t, 1, "stop 5s exit 9", func(t *testing.T, r *scripted.Runtime) {
		began := start(t, r)
		if err := r.Stop(t.Context(), "c", 30*time.Second); err != nil {
			t.Fatal(err)
		}
		if s := status(t, r); s.ExitCode != 9 || time.Since(began) != 5*time.Second {
			t.Errorf("%+v after %s", s, time.Since(began))
		}
	})
}

func TestStopKillsAfterTheGrace(t *testing.T) {
	t.Parallel()
	for _, script := range []string{"stop ignores", "stop 5m"} {
		t.Run(script, func(t *testing.T) {
			play(t, 1, script, func(t *testing.T, r *scripted.Runtime) {
				began := start(t, r)
				if err := r.Stop(t.Context(), "c", 30*time.Second); err != nil {
					t.Fatal(err)
				}
				if s := status(t, r); s.ExitCode != 137 || time.Since(began) != 30*time.Second {
					t.Errorf("%+v after %s", s, time.Since(began))
				}
			})
		})
	}
}

func TestAnEarlierEndIsNotPutOffByAStop(t *testing.T) {
	play(t, 1, "run 2s; exit 4; stop 10s", func(t *testing.T, r *scripted.Runtime) {
		start(t, r)
		if err := r.Stop(t.Context(), "c", 30*time.Second); err != nil {
			t.Fatal(err)
		}
		if s := status(t, r); s.ExitCode != 4 || s.EndedAt.Sub(s.StartedAt) != 2*time.Second {
			t.Errorf("%+v", s)
		}
	})
}

func TestOutputIsPrintedInTime(t *testing.T) {
	play(t, 1, `log "up"; error "tick" after 1s every 2s; log "late" after 4s; run 6s`, func(t *testing.T, r *scripted.Runtime) {
		began := start(t, r)
		var got []string
		for line, err := range r.Logs(t.Context(), "c", time.Time{}, true) {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, fmt.Sprintf("%s %s %t", time.Since(began), line.Text, line.Stderr))
		}
		want := []string{"0s up false", "1s tick true", "3s tick true", "4s late false", "5s tick true"}
		if diff := cmp.Diff(want, trim(got)); diff != "" {
			t.Error(diff)
		}
		var rest []string
		for line, err := range r.Logs(t.Context(), "c", began.Add(3500*time.Millisecond), false) {
			if err != nil {
				t.Fatal(err)
			}
			rest = append(rest, line.Text)
		}
		if !slices.Equal(rest, []string{"late", "tick"}) {
			t.Errorf("since: %q", rest)
		}
	})
}

// trim takes away the nanoseconds by which lines of one time are told apart.
func trim(lines []string) []string {
	for i, l := range lines {
		var d, rest string
		if _, err := fmt.Sscanf(l, "%s %s", &d, &rest); err == nil {
			if age, err := time.ParseDuration(d); err == nil {
				lines[i] = age.Truncate(time.Millisecond).String() + l[len(d):]
			}
		}
	}
	return lines
}

func TestPullsDoWhatTheTagSays(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := scripted.New(1)
		for _, c := range []struct {
			ref   string
			takes time.Duration
			kind  fault.Kind
		}{
			{"127.0.0.1:4566/shop/web:1.0.17.RELEASE", 0, ""},
			{"web", 0, ""},
			{"web:1.0.17-pull-2s", 2 * time.Second, ""},
			{"web:pull-missing", 0, fault.NotFound},
			{"web:1.0-pull-1.5s-denied", 1500 * time.Millisecond, fault.Denied},
			{"web:pull-unavailable", 0, fault.Unavailable},
			{"pull-missing:1", 0, ""},
			{"two words", 0, fault.Invalid},
		} {
			began := time.Now()
			img, err := r.Pull(t.Context(), c.ref)
			if took := time.Since(began); took != c.takes || err == nil && img.Digest == "" || err != nil && fault.KindOf(err) != c.kind || (err == nil) != (c.kind == "") {
				t.Errorf("%s: %+v, %v after %s", c.ref, img, err, took)
			}
		}
	})
}

func TestFailuresHaveTheScriptsWords(t *testing.T) {
	t.Parallel()
	r := scripted.New(1)
	if err := r.Create(t.Context(), spec("a", `create fails "no space"`)); err == nil || err.Error() != `cannot create container "a": no space` {
		t.Error(err)
	}
	if err := r.Create(t.Context(), spec("b", `start fails "exec format error"`)); err != nil {
		t.Fatal(err)
	}
	if err := r.Start(t.Context(), "b"); err == nil || err.Error() != `cannot start container "b": exec format error` {
		t.Error(err)
	}
	if s, _ := r.Inspect(t.Context(), "b"); s.Phase != runtime.Created || s.Error == "" {
		t.Errorf("%+v", s)
	}
}

func BenchmarkIdleContainers(b *testing.B) {
	const many = 100_000
	for b.Loop() {
		r := scripted.New(1)
		var before, after goruntime.MemStats
		labels := map[string]string{scripted.Label: `healthy after 5s; answer 200; log "up"`}
		names := make([]runtime.Name, many)
		for i := range names {
			names[i] = runtime.Name(fmt.Sprintf("ecs-%032x-web", i))
		}
		goruntime.GC()
		goruntime.ReadMemStats(&before)
		goroutines := goruntime.NumGoroutine()
		for _, name := range names {
			s := runtime.Spec{Name: name, Definition: types.ContainerDefinition{DockerLabels: labels}}
			if err := r.Create(context.Background(), s); err != nil {
				b.Fatal(err)
			}
			if err := r.Start(context.Background(), name); err != nil {
				b.Fatal(err)
			}
		}
		goruntime.GC()
		goruntime.ReadMemStats(&after)
		b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/many, "bytes/container")
		b.ReportMetric(float64(goruntime.NumGoroutine()-goroutines), "goroutines")
		goruntime.KeepAlive(r)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/many, "ns/container")
}
