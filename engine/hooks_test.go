package engine

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway/engine/state"
)

// blueGreen has a service be deployed blue/green, with the function "check" called before its tasks are started.
func blueGreen(s *state.Service, _ *types.TaskDefinition) {
	s.Doc.DeploymentConfiguration = &types.DeploymentConfiguration{
		Strategy: types.DeploymentStrategyBlueGreen, BakeTimeInMinutes: aws.Int32(0),
		MaximumPercent: aws.Int32(200), MinimumHealthyPercent: aws.Int32(100),
		LifecycleHooks: []types.DeploymentLifecycleHook{{
			HookTargetArn:   aws.String("arn:aws:lambda:us-east-1:000000000000:function:check"),
			LifecycleStages: []types.DeploymentLifecycleHookStage{types.DeploymentLifecycleHookStagePreScaleUp},
		}},
	}
}

func (h *house) hook() state.Hook {
	if s := h.primary().Shift; s != nil && len(s.Hooks) > 0 {
		return s.Hooks[0]
	}
	return state.Hook{}
}

func TestFunctionIsCalledAgainUntilItHasDecided(t *testing.T) {
	var calls []time.Time
	answers := []string{`{"hookStatus":"IN_PROGRESS"}`, `{"hookStatus":"IN_PROGRESS","callBackDelay":90}`, `{"hookStatus":"SUCCEEDED"}`}
	check := func(context.Context, []byte) ([]byte, error) {
		calls = append(calls, time.Now())
		return []byte(answers[len(calls)-1]), nil
	}
	inBubble(t, func(o *Options) { o.Hooks = Hooks{"check": check} }, func(t *testing.T, h *house) {
		h.deploy("web:1", 1, blueGreen)
		h.until("it is completed", 20*time.Minute, h.steady)
		if len(calls) != 3 || calls[1].Sub(calls[0]) != 30*time.Second || calls[2].Sub(calls[1]) != 90*time.Second {
			t.Errorf("it was called at %v", calls)
		}
	})
}

func TestCallIsMadeAgainAfterTheEngineWasKilled(t *testing.T) {
	calls := 0
	check := func(ctx context.Context, _ []byte) ([]byte, error) {
		calls++
		if calls == 1 { // it takes longer than the engine lives
			<-ctx.Done()
			return nil, ctx.Err()
		}
		return []byte(`{"hookStatus":"SUCCEEDED"}`), nil
	}
	inBubble(t, func(o *Options) { o.Hooks = Hooks{"check": check} }, func(t *testing.T, h *house) {
		h.deploy("web:1", 1, blueGreen)
		h.until("the function is called", time.Minute, func() bool { return calls == 1 })
		h.kill()
		h.open()
		h.until("it is completed", 20*time.Minute, h.steady)
		if calls != 2 {
			t.Errorf("it was called %d times", calls)
		}
	})
}

func TestFunctionThatTakesTooLongHasFailed(t *testing.T) {
	check := func(ctx context.Context, _ []byte) ([]byte, error) {
		<-ctx.Done()
		return nil, context.Cause(ctx)
	}
	inBubble(t, func(o *Options) { o.Hooks = Hooks{"check": check} }, func(t *testing.T, h *house) {
		h.deploy("web:1", 1, blueGreen)
		h.until("the function is called", time.Minute, func() bool { return h.hook().ID != "" })
		began := h.Now()
		h.until("the deployment has failed", 30*time.Minute, func() bool { return h.primary().Broken })
		if took := h.Now().Sub(began); took < 15*time.Minute-10*time.Second || took > 16*time.Minute {
			t.Errorf("it took %s", took)
		}
	})
}

func TestAnswerForADeploymentThatIsBeingReplacedIsOfNoConsequence(t *testing.T) {
	var late chan struct{}
	var calls int
	check := func(context.Context, []byte) ([]byte, error) {
		calls++
		if calls == 1 {
			<-late
			return nil, errors.New("too late")
		}
		return []byte(`{"hookStatus":"SUCCEEDED"}`), nil
	}
	inBubble(t, func(o *Options) {
		late = make(chan struct{}) // a channel of the bubble
		o.Hooks = Hooks{"check": check}
	}, func(t *testing.T, h *house) {
		h.deploy("web:1", 1, blueGreen)
		h.until("the function is called", time.Minute, func() bool { return calls == 1 })
		first := h.primary().ID
		h.deploy("web:2", 1, blueGreen)
		close(late)
		synctest.Wait()
		h.until("the second is completed", 20*time.Minute, h.steady)
		d, _ := h.DB().Read().Deployment(first)
		if calls != 2 || d.Broken || slices.ContainsFunc(d.Shift.Hooks, func(h state.Hook) bool { return h.Failure != "" }) {
			t.Errorf("%d calls, the first deployment is broken: %t", calls, d.Broken)
		}
	})
}
