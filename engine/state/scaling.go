package state

import (
	"iter"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/applicationautoscaling/types"
)

// ScalableTarget is a service whose desired count may be changed within bounds. Doc is what Application Auto Scaling
// describes.
type ScalableTarget struct {
	Resource string // "service/CLUSTER/NAME"
	Doc      types.ScalableTarget
	Tags     map[string]string
}

func (t *ScalableTarget) Kind() Kind  { return KindScalableTarget }
func (t *ScalableTarget) Key() string { return t.Resource }

// ScalingPolicy says how a target is scaled when one of its alarms asks for it.
type ScalingPolicy struct {
	Resource, Name string
	Doc            types.ScalingPolicy
	Out, In        time.Time // when it last scaled out and in: cooldowns count from then
}

func (p *ScalingPolicy) Kind() Kind  { return KindScalingPolicy }
func (p *ScalingPolicy) Key() string { return p.Resource + "|" + p.Name }

// ScheduledAction changes the bounds of a target at its times.
type ScheduledAction struct {
	Resource, Name string
	Doc            types.ScheduledAction
}

func (a *ScheduledAction) Kind() Kind  { return KindScheduledAction }
func (a *ScheduledAction) Key() string { return a.Resource + "|" + a.Name }

// ScalingActivityLimit is how many activities of a target are kept.
const ScalingActivityLimit = 100

// ScalingActivities is what was done with a target, newest first. It outlives the target, as with AWS.
type ScalingActivities struct {
	Resource string
	List     []types.ScalingActivity
}

func (a *ScalingActivities) Kind() Kind  { return KindScalingActivities }
func (a *ScalingActivities) Key() string { return a.Resource }

// Add returns the activities with one more, the oldest beyond ScalingActivityLimit dropped.
func (a *ScalingActivities) Add(one types.ScalingActivity) *ScalingActivities {
	list := append([]types.ScalingActivity{one}, a.List[:min(len(a.List), ScalingActivityLimit-1)]...)
	return &ScalingActivities{Resource: a.Resource, List: list}
}

// ScalableTarget returns the target of a resource.
func (s Snapshot) ScalableTarget(resource string) (*ScalableTarget, bool) {
	return get[*ScalableTarget](s, KindScalableTarget, resource)
}

// ScalableTargets returns all targets, by resource.
func (s Snapshot) ScalableTargets() iter.Seq[*ScalableTarget] {
	return all[*ScalableTarget](s, KindScalableTarget, "")
}

// ScalingPolicy returns a policy of a resource.
func (s Snapshot) ScalingPolicy(resource, name string) (*ScalingPolicy, bool) {
	return get[*ScalingPolicy](s, KindScalingPolicy, resource+"|"+name)
}

// ScalingPolicies returns the policies of a resource; all when resource is empty.
func (s Snapshot) ScalingPolicies(resource string) iter.Seq[*ScalingPolicy] {
	if resource == "" {
		return all[*ScalingPolicy](s, KindScalingPolicy, "")
	}
	return all[*ScalingPolicy](s, KindScalingPolicy, byOwner, resource)
}

// ScheduledAction returns a scheduled action of a resource.
func (s Snapshot) ScheduledAction(resource, name string) (*ScheduledAction, bool) {
	return get[*ScheduledAction](s, KindScheduledAction, resource+"|"+name)
}

// ScheduledActions returns the scheduled actions of a resource; all when resource is empty.
func (s Snapshot) ScheduledActions(resource string) iter.Seq[*ScheduledAction] {
	if resource == "" {
		return all[*ScheduledAction](s, KindScheduledAction, "")
	}
	return all[*ScheduledAction](s, KindScheduledAction, byOwner, resource)
}

// ScalingActivities returns what was done with a target.
func (s Snapshot) ScalingActivities(resource string) *ScalingActivities {
	if a, ok := get[*ScalingActivities](s, KindScalingActivities, resource); ok {
		return a
	}
	return &ScalingActivities{Resource: resource}
}

// AllScalingActivities returns what was done with all targets, by resource.
func (s Snapshot) AllScalingActivities() iter.Seq[*ScalingActivities] {
	return all[*ScalingActivities](s, KindScalingActivities, "")
}
