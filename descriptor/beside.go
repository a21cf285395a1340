package descriptor

import (
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"sync"

	"github.com/aws/aws-sdk-go-v2/service/applicationautoscaling"
	scaling "github.com/aws/aws-sdk-go-v2/service/applicationautoscaling/schemas"
	ecs "github.com/aws/aws-sdk-go-v2/service/ecs/schemas"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	events "github.com/aws/aws-sdk-go-v2/service/eventbridge/schemas"
	eventtypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/smithy-go"

	"github.com/slipway-cd/slipway/suggest"
)

// The documents that stand beside a service have no operation of their own. They are made of the requests that they become,
// in AWS's own words, without what an installation puts in: which service, cluster and revision they are about.

// autoscaling is {"ScalableTarget": {…}, "ScalingPolicies": [{…}], "ScheduledActions": [{…}]}: the requests of
// RegisterScalableTarget, PutScalingPolicy and PutScheduledAction, without ServiceNamespace, ResourceId and
// ScalableDimension.
type autoscaling struct {
	ScalableTarget   applicationautoscaling.RegisterScalableTargetInput
	ScalingPolicies  []applicationautoscaling.PutScalingPolicyInput
	ScheduledActions []applicationautoscaling.PutScheduledActionInput
}

// scheduledTasks is {"ScheduledTasks": [{…}]}: requests of PutRule without EventPattern and EventBusName, each with its
// "Target" as in PutTargets, without Arn (the cluster), Id, Input and TaskDefinitionArn. "Overrides" there is what RunTask
// takes, and becomes the target's Input.
type scheduledTasks struct {
	ScheduledTasks []scheduledTask
}

type scheduledTask struct {
	eventbridge.PutRuleInput
	Target scheduledTarget
}

type scheduledTarget struct {
	eventtypes.Target
	Overrides ecstypes.TaskOverride
}

// besideShapes are the shapes of both, in the form in which the SDK describes its own.
var besideShapes = sync.OnceValue(func() map[Kind]*smithy.Schema {
	service := []string{"ServiceNamespace", "ResourceId", "ScalableDimension"}
	scalable := structure("Autoscaling", nil)
	scalable.AddMember("ScalableTarget", structure("ScalableTarget", scaling.RegisterScalableTargetRequest, service...))
	scalable.AddMember("ScalingPolicies", listOf(structure("ScalingPolicy", scaling.PutScalingPolicyRequest, service...)))
	scalable.AddMember("ScheduledActions", listOf(structure("ScheduledAction", scaling.PutScheduledActionRequest, service...)))

	target := structure("Target", nil)
	known := events.Target.Members()
	for _, name := range []string{"RoleArn", "RetryPolicy", "DeadLetterConfig"} {
		target.AddMember(name, known[name])
	}
	target.AddMember("EcsParameters", structure("EcsParameters", events.EcsParameters, "TaskDefinitionArn"))
	target.AddMember("Overrides", ecs.TaskOverride)
	rule := structure("ScheduledTask", events.PutRuleRequest, "EventPattern", "EventBusName")
	rule.AddMember("Target", target)
	tasks := structure("ScheduledTasks", nil)
	tasks.AddMember("ScheduledTasks", listOf(rule))
	return map[Kind]*smithy.Schema{Autoscaling: scalable, ScheduledTasks: tasks}
})

// structure returns a shape with the members of another one, without some.
func structure(name string, like *smithy.Schema, without ...string) *smithy.Schema {
	s := smithy.NewSchema(smithy.ShapeID{Namespace: "slipway", Name: name}, smithy.ShapeTypeStructure, 0)
	if like == nil {
		return s
	}
	for member, schema := range like.Members() {
		if !slices.Contains(without, member) {
			s.AddMember(member, schema)
		}
	}
	return s
}

func listOf(element *smithy.Schema) *smithy.Schema {
	s := smithy.NewSchema(smithy.ShapeID{Namespace: "slipway", Name: "List"}, smithy.ShapeTypeList, 1)
	s.AddMember("member", element)
	return s
}

var besideTypes = map[Kind]reflect.Type{
	Autoscaling: reflect.TypeFor[autoscaling](), ScheduledTasks: reflect.TypeFor[scheduledTasks](),
}

// schedule is what schedule expressions look like: of Application Auto Scaling also at(…). ("Using scheduled actions" in its
// user guide; "Creating a rule that runs on a schedule" in EventBridge's.)
var schedule = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^(rate|cron|at)\(.+\)$`) })

func (f *findings) autoscaling(w view) {
	target := w.get("ScalableTarget")
	if !target.exists() {
		f.add(w, `for example {"MinCapacity": 2, "MaxCapacity": 10}`, "ScalableTarget is missing")
	}
	f.capacities(target, true)
	names := map[string]bool{}
	for _, p := range w.get("ScalingPolicies").list() {
		f.unique(f.require(p, "PolicyName"), "policy", names)
		f.policy(p)
	}
	names = map[string]bool{}
	for _, a := range w.get("ScheduledActions").list() {
		f.unique(f.require(a, "ScheduledActionName"), "scheduled action", names)
		f.schedule(f.require(a, "Schedule"), "rate", "cron", "at")
		action := a.get("ScalableTargetAction")
		if !action.exists() {
			f.add(a, "", "%s is missing", action.path)
		}
		f.capacities(action, false)
	}
}

// capacities checks the bounds of a number of tasks; of a scheduled action one of them is enough.
func (f *findings) capacities(w view, both bool) {
	if !w.exists() {
		return
	}
	least, hasLeast := w.get("MinCapacity").number()
	most, hasMost := w.get("MaxCapacity").number()
	switch {
	case both && !hasLeast:
		f.require(w, "MinCapacity")
	case both && !hasMost:
		f.require(w, "MaxCapacity")
	case !hasLeast && !hasMost:
		f.add(w, "", "%s: neither MinCapacity nor MaxCapacity is given", w.path)
	case hasLeast && least < 0:
		f.add(w.get("MinCapacity"), "", "%s is %d", w.get("MinCapacity").path, least)
	case hasLeast && hasMost && least > most:
		f.add(w.get("MinCapacity"), "", "%s: %d is more than MaxCapacity, which is %d", w.get("MinCapacity").path, least, most)
	}
}

// policy checks that a policy has what its type needs.
func (f *findings) policy(p view) {
	needs := map[string]string{
		"TargetTrackingScaling": "TargetTrackingScalingPolicyConfiguration", "StepScaling": "StepScalingPolicyConfiguration",
		"PredictiveScaling": "PredictiveScalingPolicyConfiguration",
	}
	kind := f.require(p, "PolicyType")
	if member := needs[kind.text()]; member != "" && !p.get(member).exists() {
		f.add(p, "", "%s is missing: PolicyType is %s", p.get(member).path, kind.text())
	}
	if t := p.get("TargetTrackingScalingPolicyConfiguration"); t.exists() {
		f.require(t, "TargetValue")
		if !t.get("PredefinedMetricSpecification").exists() && !t.get("CustomizedMetricSpecification").exists() {
			f.add(t, "", "%s: neither PredefinedMetricSpecification nor CustomizedMetricSpecification is given", t.path)
		}
	}
}

func (f *findings) unique(name view, what string, seen map[string]bool) {
	if name.exists() && seen[name.text()] {
		f.add(name, "", "%s: there is another %s %q", name.path, what, name.text())
	}
	seen[name.text()] = true
}

func (f *findings) schedule(w view, known ...string) {
	if !w.exists() {
		return
	}
	m := schedule().FindStringSubmatch(w.text())
	if m == nil || !slices.Contains(known, m[1]) {
		f.add(w, suggest.HintOrList("", []string{"rate(5 minutes)", "cron(0 3 * * ? *)"}), "%s: %q is no schedule", w.path, w.text())
	}
}

// ruleName is what rules of EventBridge may be called.
var ruleName = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`) })

func (f *findings) scheduledTasks(w view, task *Document) {
	names := map[string]bool{}
	for _, s := range w.get("ScheduledTasks").list() {
		name := f.require(s, "Name")
		f.unique(name, "scheduled task", names)
		if name.exists() && !ruleName().MatchString(name.text()) {
			f.add(name, "letters, digits, . _ and -, at most 64", "%s: %q is not a name that AWS takes", name.path, name.text())
		}
		f.schedule(f.require(s, "ScheduleExpression"), "rate", "cron")
		target := s.get("Target")
		if !target.exists() {
			f.add(s, "", "%s is missing", target.path)
			continue
		}
		f.require(target, "RoleArn")
		f.within(target.get("EcsParameters").get("TaskCount"), 1, 10)
		if task != nil {
			f.scheduledTask(target, taskOf(task))
		}
	}
}

// scheduledTask checks a scheduled task against the task definition that it runs.
func (f *findings) scheduledTask(target view, t task) {
	network := target.get("EcsParameters").get("NetworkConfiguration")
	if t.networkMode() == "awsvpc" && !network.exists() {
		f.add(target, "", "%s is missing: the task definition's network mode is awsvpc", network.path)
	}
	for _, o := range target.get("Overrides").get("containerOverrides").list() {
		f.reference(f.require(o, "name"), "container", t.containerNames())
	}
}

// phrase returns the kind with its article: "a task definition".
func (k Kind) phrase() string {
	if k == Autoscaling {
		return fmt.Sprintf("an %s", k.Words())
	}
	return fmt.Sprintf("a %s", k.Words())
}
