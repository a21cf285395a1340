package lifecycle

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/google/go-cmp/cmp"

	"github.com/slipway-cd/slipway/engine/runtime"
	"github.com/slipway-cd/slipway/engine/state"
	"github.com/slipway-cd/slipway/fault"
)

// pair is an application and its sidecar, each with a port.
func pair() []types.ContainerDefinition {
	port := func(number int32) func(*types.ContainerDefinition) {
		return func(d *types.ContainerDefinition) {
			d.PortMappings = []types.PortMapping{{ContainerPort: aws.Int32(number)}}
		}
	}
	return []types.ContainerDefinition{container("app", port(8080)), container("side", both(optional, port(9090)))}
}

// inNetwork makes the house's definition one with a network mode.
func (h *house) inNetwork(mode types.NetworkMode, change ...func(*types.TaskDefinition)) {
	h.write(func(tx *state.Tx) {
		for d := range tx.TaskDefinitions("") {
			changed := *d
			changed.Doc.NetworkMode = mode
			for _, fn := range change {
				fn(&changed.Doc)
			}
			tx.Put(&changed)
		}
	})
}

// specs returns what the runtime has, by the container's own name.
func (f *fake) specs() map[string]runtime.Spec {
	f.mu.Lock()
	defer f.mu.Unlock()
	all := map[string]runtime.Spec{}
	for _, b := range f.containers {
		all[*b.spec.Definition.Name] = b.spec
	}
	return all
}

func sharing() *fake {
	f := newFake(map[string]program{"app": {}, "side": {}})
	f.shares = true
	return f
}

func TestContainersOfATaskWithItsOwnAddressShareOneNetwork(t *testing.T) {
	f := sharing()
	inBubble(t, f, pair(), func(t *testing.T, h *house) {
		h.inNetwork(types.NetworkModeAwsvpc)
		h.run()
		synctest.Wait()
		specs := f.specs()
		keeper := specs[keeperOf]
		if !keeper.Idle || len(keeper.Ports) != 2 || keeper.Join != "" {
			t.Errorf("kept by %+v", keeper)
		}
		for _, name := range []string{"app", "side"} {
			if specs[name].Join != keeper.Name || specs[name].Idle {
				t.Errorf("%s joins %q", name, specs[name].Join)
			}
		}
		if diff := cmp.Diff([]string{"start " + keeperOf, "start app", "start side"}, f.told()); diff != "" {
			t.Error(diff)
		}
		if got := h.task(); got.Last != state.Running || len(got.Containers) != 2 {
			t.Errorf("%s with %d containers", got.Last, len(got.Containers))
		}
		h.end("enough")
		waitFor(t, h, state.Stopped)
		if len(f.containers) != 0 {
			t.Errorf("left behind: %v", f.specs())
		}
	})
}

func TestNobodyKeepsANetworkThatIsNotShared(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		containers []types.ContainerDefinition
		mode       types.NetworkMode
		change     func(*types.TaskDefinition)
		able       bool
		want       bool
	}{
		"bridge":                    {containers: pair(), mode: types.NetworkModeBridge, able: true},
		"a single container":        {containers: pair()[:1], mode: types.NetworkModeAwsvpc, able: true},
		"a runtime that cannot":     {containers: pair(), mode: types.NetworkModeAwsvpc},
		"processes of the task":     {containers: pair(), able: true, want: true, change: func(d *types.TaskDefinition) { d.PidMode = types.PidModeTask }},
		"shared memory of the task": {containers: pair(), able: true, want: true, change: func(d *types.TaskDefinition) { d.IpcMode = types.IpcModeTask }},
		"processes of the host":     {containers: pair(), able: true, change: func(d *types.TaskDefinition) { d.PidMode = types.PidModeHost }},
	} {
		t.Run(name, func(t *testing.T) {
			f := sharing()
			f.shares = c.able
			inBubble(t, f, c.containers, func(t *testing.T, h *house) {
				if c.change == nil {
					c.change = func(*types.TaskDefinition) {}
				}
				h.inNetwork(c.mode, c.change)
				h.run()
				synctest.Wait()
				specs := f.specs()
				keeper, kept := specs[keeperOf]
				if kept != c.want || specs["app"].Join != keeper.Name || len(keeper.Ports) != 0 {
					t.Errorf("%+v, joined %q", keeper, specs["app"].Join)
				}
			})
		})
	}
}

func TestATaskEndsWithItsNetwork(t *testing.T) {
	f := sharing()
	inBubble(t, f, pair(), func(t *testing.T, h *house) {
		h.inNetwork(types.NetworkModeAwsvpc)
		h.run()
		synctest.Wait()
		f.exit(Name(theTask, keeperOf), 137, false)
		waitFor(t, h, state.Stopped)
		if got := h.task(); got.StopCode != types.TaskStopCodeEssentialContainerExited {
			t.Errorf("%s %q", got.StopCode, got.StoppedReason)
		}
	})
}

func TestANetworkThatCannotBeMadeFailsTheTask(t *testing.T) {
	f := sharing()
	f.programs[keeperOf] = program{startErr: fault.New(fault.Conflict, "port is already allocated")}
	inBubble(t, f, pair(), func(t *testing.T, h *house) {
		h.inNetwork(types.NetworkModeAwsvpc)
		h.run()
		waitFor(t, h, state.Stopped)
		got := h.task()
		if got.StopCode != types.TaskStopCodeTaskFailedToStart || !strings.HasPrefix(got.StoppedReason, "CannotStartContainerError: ") {
			t.Errorf("%s %q", got.StopCode, got.StoppedReason)
		}
		if len(f.containers) != 0 {
			t.Errorf("left behind: %v", f.specs())
		}
	})
}

func TestANetworkIsFoundAgainByTheNextEngine(t *testing.T) {
	f := sharing()
	late := pair()
	late[1].DependsOn = []types.ContainerDependency{{ContainerName: aws.String("app"), Condition: types.ContainerConditionHealthy}}
	f.programs["app"] = program{check: func(at time.Time) int { return 0 }}
	late[0].HealthCheck = &types.HealthCheck{Command: []string{"CMD", "true"}, Interval: aws.Int32(30)}
	inBubble(t, f, late, func(t *testing.T, h *house) {
		h.inNetwork(types.NetworkModeAwsvpc)
		h.run()
		pass(time.Second)
		h.stop()
		h.open()
		pass(time.Minute)
		if diff := cmp.Diff([]string{"start " + keeperOf, "start app", "start side"}, f.told()); diff != "" {
			t.Error(diff)
		}
		if specs := f.specs(); specs["side"].Join != specs[keeperOf].Name {
			t.Errorf("joins %q", specs["side"].Join)
		}
	})
}
