package schedule

import (
	"cmp"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway/engine/state"
)

// hookLimit is how many minutes a hook may take unless it says otherwise. [SDK: DeploymentLifecycleHookTimeoutConfiguration]
const hookLimit = 24 * 60

// hooksOf returns the hooks that run at a stage, in the state in which they begin. In a rollback they are those of the
// deployment that failed.
func (p *pass) hooksOf(stage types.ServiceDeploymentLifecycleStage, s *state.Shift) []state.Hook {
	var hooks []state.Hook
	owner := cmp.Or(p.undone(), p.primary)
	for i, h := range p.config(owner).LifecycleHooks {
		if !slices.Contains(h.LifecycleStages, types.DeploymentLifecycleHookStage(stage)) {
			continue
		}
		hook := state.Hook{
			For:  owner.ServiceDeployment,
			Type: types.DeploymentLifecycleHookTargetTypeAwsLambda, Target: aws.ToString(h.HookTargetArn),
			Status: types.DeploymentLifecycleHookStatusInProgress, OnExpiry: types.DeploymentLifecycleHookActionRollback,
		}
		if h.TargetType == types.DeploymentLifecycleHookTargetTypePause {
			hook.Type, hook.Target = h.TargetType, ""
			hook.Status = types.DeploymentLifecycleHookStatusAwaitingAction
		}
		limit := int32(hookLimit)
		if t := h.TimeoutConfiguration; t != nil {
			limit = *cmp.Or(t.TimeoutInMinutes, &limit)
			if t.Action != "" {
				hook.OnExpiry = t.Action
			}
		}
		hook.Expires = p.now.Add(p.minutes(float64(limit)))
		if h.HookDetails != nil {
			if b, err := h.HookDetails.MarshalSmithyDocument(); err == nil {
				hook.Details = string(b)
			}
		}
		hook.ID = hookID(hook.Type, owner.ServiceDeployment, stage, s.Step, i, s.Back)
		hooks = append(hooks, hook)
	}
	return hooks
}

// hookID names a hook in the form that AWS's ids have. The same hook at the same point of the same deployment has always
// the same one.
func hookID(
	kind types.DeploymentLifecycleHookTargetType, deployment string, stage types.ServiceDeploymentLifecycleStage, step, n int, back bool,
) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %s %d %d %t", deployment, stage, step, n, back))
	name := "lambda"
	if kind == types.DeploymentLifecycleHookTargetTypePause {
		name = "pause"
	}
	return "ecs-" + name + "-" + base64.RawURLEncoding.EncodeToString(sum[:])
}

// expireHooks ends the hooks that nobody has answered in time.
func (p *pass) expireHooks() {
	for i, h := range p.primary.Shift.Hooks {
		if !h.Open() || p.now.Before(h.Expires) {
			continue
		}
		hook := &p.editShift().Hooks[i]
		hook.Status = types.DeploymentLifecycleHookStatusTimedOut
		hook.Failure = "Lifecycle hook " + hookName(h) + " timed out."
	}
}

func hookName(h state.Hook) string {
	if h.Target != "" {
		return "target " + h.Target
	}
	return h.ID
}

// openHooks reports whether the stage waits for a function or a person.
func (p *pass) openHooks() bool {
	return slices.ContainsFunc(p.primary.Shift.Hooks, func(h state.Hook) bool { return h.Open() })
}

// hookFailures returns why the hooks of the stage failed; empty when they didn't.
func (p *pass) hookFailures() string {
	var why []string
	for _, h := range p.primary.Shift.Hooks {
		late := h.Status == types.DeploymentLifecycleHookStatusTimedOut && h.OnExpiry != types.DeploymentLifecycleHookActionContinue
		if h.Status == types.DeploymentLifecycleHookStatusFailed || late {
			why = append(why, h.Failure)
		}
	}
	return strings.Join(why, " ")
}

// details returns the hooks as AWS describes them.
func details(hooks []state.Hook) []types.DeploymentLifecycleHookDetail {
	var list []types.DeploymentLifecycleHookDetail
	for _, h := range hooks {
		d := types.DeploymentLifecycleHookDetail{
			HookId: aws.String(h.ID), TargetType: h.Type, Status: h.Status, TimeoutAction: h.OnExpiry, ExpiresAt: aws.Time(h.Expires),
		}
		if h.Target != "" {
			d.TargetArn = aws.String(h.Target)
		}
		list = append(list, d)
	}
	return list
}
