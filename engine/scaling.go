package engine

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/applicationautoscaling/types"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway/engine/autoscale"
	"github.com/slipway-cd/slipway/engine/calendar"
	"github.com/slipway-cd/slipway/engine/state"
)

// ScalingPolicyARN returns a new ARN of a policy.
func (i Identity) ScalingPolicyARN(resource, name string) string {
	return i.ARN("autoscaling", "scalingPolicy:"+NewUUID()+":resource/ecs/"+resource+":policyName/"+name)
}

// policyOf returns which policy of which resource an ARN names.
func policyOf(arn string) (resource, name string, ok bool) {
	if !strings.Contains(arn, ":scalingPolicy:") {
		return "", "", false
	}
	_, rest, found := strings.Cut(arn, ":resource/ecs/")
	resource, name, ok = strings.Cut(rest, ":policyName/")
	return resource, name, ok && found
}

// ServiceOf returns the service that a resource id names: service/CLUSTER/NAME.
func ServiceOf(resource string) (state.ServiceKey, bool) {
	parts := strings.Split(resource, "/")
	if len(parts) != 3 || parts[0] != "service" || parts[1] == "" || parts[2] == "" {
		return state.ServiceKey{}, false
	}
	return state.ServiceKey{Cluster: state.ClusterName(parts[1]), Name: parts[2]}, true
}

// actOn has a policy act on what an alarm measured.
func (e *Engine) actOn(tx *state.Tx, a *state.Alarm, resource, name string) {
	t, ok := tx.ScalableTarget(resource)
	if !ok {
		return
	}
	p, ok := tx.ScalingPolicy(resource, name)
	if !ok || !listens(p, a) {
		return
	}
	key, _ := ServiceOf(resource)
	s, ok := tx.Service(key)
	if !ok || aws.ToString(s.Doc.Status) != "ACTIVE" {
		return
	}
	now, present := e.Now(), s.Desired()
	want := within(t, wanted(p.Doc, a.Doc, present))
	if want == present || !e.mayScale(tx, t, p, s, want > present, now) {
		return
	}
	changed := *p
	if want > present {
		changed.Out = now
	} else {
		changed.In = now
	}
	tx.Put(&changed)
	e.scaleTo(tx, t, s, want, fmt.Sprintf("monitor alarm %s in state %s triggered policy %s", a.Name, a.Doc.StateValue, p.Name))
}

// listens tells whether a policy follows an alarm: any, but that one which tracks a target follows its own two only.
func listens(p *state.ScalingPolicy, a *state.Alarm) bool {
	if p.Doc.TargetTrackingScalingPolicyConfiguration == nil {
		return true
	}
	for _, own := range p.Doc.Alarms {
		if aws.ToString(own.AlarmName) == a.Name {
			return true
		}
	}
	return false
}

func rising(a cwtypes.MetricAlarm) bool {
	return strings.HasPrefix(string(a.ComparisonOperator), "Greater")
}

// wanted is the count that a policy makes of the present one. An alarm that was set by hand, without data, stands for a
// value at its threshold with steps, and for one task more or less with target tracking.
func wanted(p types.ScalingPolicy, a cwtypes.MetricAlarm, present int) int {
	value, measured := measuredBy(a)
	up := rising(a)
	if c := p.StepScalingPolicyConfiguration; c != nil {
		distance := 0.0
		if measured {
			distance = value - aws.ToFloat64(a.Threshold)
		}
		return autoscale.Step(c, present, distance, up)
	}
	c := p.TargetTrackingScalingPolicyConfiguration
	switch {
	case c == nil:
		return present
	case !measured && up, present == 0 && up:
		return present + 1
	case !measured:
		return present - 1
	case up:
		return max(present, autoscale.Track(present, value, aws.ToFloat64(c.TargetValue)))
	default:
		return min(present, autoscale.Track(present, value, aws.ToFloat64(c.TargetValue)))
	}
}

// measuredBy returns the newest value of those that an alarm's state was found from.
func measuredBy(a cwtypes.MetricAlarm) (float64, bool) {
	var data struct{ RecentDatapoints []float64 }
	if err := json.Unmarshal([]byte(aws.ToString(a.StateReasonData)), &data); err != nil || len(data.RecentDatapoints) == 0 {
		return 0, false
	}
	return data.RecentDatapoints[0], true
}

func within(t *state.ScalableTarget, count int) int {
	return min(max(count, int(aws.ToInt32(t.Doc.MinCapacity))), int(aws.ToInt32(t.Doc.MaxCapacity)))
}

// usualCooldown is that of policies for ECS services that name none. [API reference: StepScalingPolicyConfiguration]
const usualCooldown = 300 // seconds

func cooldowns(p types.ScalingPolicy) (out, in time.Duration) {
	seconds := func(n *int32) time.Duration {
		if n == nil {
			return usualCooldown * time.Second
		}
		return time.Duration(*n) * time.Second
	}
	if c := p.StepScalingPolicyConfiguration; c != nil {
		return seconds(c.Cooldown), seconds(c.Cooldown)
	}
	if c := p.TargetTrackingScalingPolicyConfiguration; c != nil {
		return seconds(c.ScaleOutCooldown), seconds(c.ScaleInCooldown)
	}
	return 0, 0
}

// mayScale tells whether nothing speaks against it: suspension, a cooldown; of scaling in also a deployment that is under
// way, and a policy that wants more. [Application Auto Scaling User Guide, "Target tracking scaling policies"; ECS Developer
// Guide, "Service auto scaling and deployments"]
func (e *Engine) mayScale(tx *state.Tx, t *state.ScalableTarget, p *state.ScalingPolicy, s *state.Service, out bool, now time.Time) bool {
	suspended := t.Doc.SuspendedState
	if suspended == nil {
		suspended = &types.SuspendedState{}
	}
	coolOut, coolIn := cooldowns(p.Doc)
	over := func(since time.Time, cooldown time.Duration) bool {
		return since.IsZero() || !now.Before(since.Add(time.Duration(float64(cooldown)/e.options.Speed)))
	}
	if out {
		return !aws.ToBool(suspended.DynamicScalingOutSuspended) && over(p.Out, coolOut)
	}
	return !aws.ToBool(suspended.DynamicScalingInSuspended) && over(p.In, coolIn) && over(p.Out, coolOut) &&
		!deploying(tx, s.ID) && !wantedMore(tx, p)
}

func deploying(tx *state.Tx, key state.ServiceKey) bool {
	for d := range tx.Deployments(key) {
		if d.Status == state.Primary && d.State == ecstypes.DeploymentRolloutStateInProgress {
			return true
		}
	}
	return false
}

// wantedMore reports whether another policy of the same target has an alarm that asks for more.
func wantedMore(tx *state.Tx, p *state.ScalingPolicy) bool {
	for other := range tx.ScalingPolicies(p.Resource) {
		if other.Name == p.Name {
			continue
		}
		for _, own := range other.Doc.Alarms {
			if a, ok := tx.Alarm(aws.ToString(own.AlarmName)); ok && a.Alarming() && rising(a.Doc) {
				return true
			}
		}
	}
	return false
}

// scaleTo changes the desired count of a service and notes why.
func (e *Engine) scaleTo(tx *state.Tx, t *state.ScalableTarget, s *state.Service, count int, cause string) {
	now := e.Now()
	changed := *s
	changed.Changed, changed.Steady, changed.Doc.DesiredCount = now, false, int32(count)
	tx.Put(&changed)
	tx.Put(tx.ScalingActivities(t.Resource).Add(types.ScalingActivity{
		ActivityId: aws.String(NewUUID()), ResourceId: &t.Resource, ServiceNamespace: types.ServiceNamespaceEcs,
		ScalableDimension: types.ScalableDimensionECSServiceDesiredCount, StartTime: &now, EndTime: &now,
		Cause: &cause, Description: aws.String(fmt.Sprintf("Setting desired count to %d.", count)),
		StatusCode:    types.ScalingActivityStatusCodeSuccessful,
		StatusMessage: aws.String(fmt.Sprintf("Successfully set desired count to %d. Change successfully fulfilled by ecs.", count)),
	}))
}

// KeepBounds brings the desired count of a target's service within the target's bounds.
func (e *Engine) KeepBounds(tx *state.Tx, t *state.ScalableTarget) {
	key, _ := ServiceOf(t.Resource)
	s, ok := tx.Service(key)
	if !ok || aws.ToString(s.Doc.Status) != "ACTIVE" {
		return
	}
	switch want := within(t, s.Desired()); {
	case want > s.Desired():
		e.scaleTo(tx, t, s, want, fmt.Sprintf("minimum capacity was set to %d", want))
	case want < s.Desired():
		e.scaleTo(tx, t, s, want, fmt.Sprintf("maximum capacity was set to %d", want))
	}
}

// dueNext returns when an action is due next; false when never again.
func (e *Engine) dueNext(a *state.ScheduledAction, now time.Time) (time.Time, bool) {
	zone, err := time.LoadLocation(aws.ToString(a.Doc.Timezone))
	if err != nil {
		return time.Time{}, false
	}
	s, err := calendar.Parse(aws.ToString(a.Doc.Schedule), zone)
	if err != nil {
		return time.Time{}, false
	}
	after := now
	if start := aws.ToTime(a.Doc.StartTime); start.After(now) {
		after = start.Add(-time.Nanosecond)
	}
	at, ok := s.Next(after)
	if rate := s.Rate(); rate > 0 {
		at = after.Add(e.scaled(rate))
	}
	if end := aws.ToTime(a.Doc.EndTime); !end.IsZero() && at.After(end) {
		return time.Time{}, false
	}
	return at, ok
}

// actAt gives a target the bounds that a scheduled action names, and its service a count within them.
func (e *Engine) actAt(tx *state.Tx, a *state.ScheduledAction) {
	t, ok := tx.ScalableTarget(a.Resource)
	if !ok || a.Doc.ScalableTargetAction == nil {
		return
	}
	if s := t.Doc.SuspendedState; s != nil && aws.ToBool(s.ScheduledScalingSuspended) {
		return
	}
	changed := *t
	if n := a.Doc.ScalableTargetAction.MinCapacity; n != nil {
		changed.Doc.MinCapacity = n
	}
	if n := a.Doc.ScalableTargetAction.MaxCapacity; n != nil {
		changed.Doc.MaxCapacity = n
	}
	tx.Put(&changed)
	e.KeepBounds(tx, &changed)
}
