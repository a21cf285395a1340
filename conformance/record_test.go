package conformance

import (
	"cmp"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	v2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/slipway-cd/slipway/engine/state"
)

func keys[V any](m map[string]V) iter.Seq[string] { return maps.Keys(m) }

// The kinds of lines, in the order in which those of one moment are told. What is of one kind stays in its order, but for what
// happens to different tasks at the same moment, whose order is chance.
const (
	lineStep       = "step"
	lineEvent      = "event"
	lineDeployment = "deployment"
	lineHistory    = "history" // of a service deployment
	lineHook       = "hook"
	lineTraffic    = "traffic"
	lineTarget     = "target"
	lineContainer  = "container"
	lineTask       = "task"
)

var order = []string{lineStep, lineEvent, lineDeployment, lineHistory, lineHook, lineTraffic, lineTarget, lineContainer, lineTask}

// shown are what a scenario may have told beside what always is.
var shown = map[string]bool{"tasks": true, "places": true, "containers": true, "targets": true, "traffic": true, "hooks": true}

// line is something that happened.
type line struct {
	at   time.Duration
	kind string
	task string // whose line it is; its name comes before the text
	text string
}

func (l line) String() string {
	return strings.TrimRight(fmt.Sprintf("%8s  %-10s  %s", l.at.Round(time.Second), l.kind, l.text), " ")
}

// record turns changes of the state into lines.
type record struct {
	names *names
	shows map[string]bool
	lines []line
	fresh []line // of the present moment
}

func newRecord(n *names, shows []string) *record {
	r := &record{names: n, shows: map[string]bool{}}
	for _, s := range shows {
		r.shows[s] = true
	}
	return r
}

func (r *record) add(kind, format string, args ...any) {
	r.fresh = append(r.fresh, line{kind: kind, text: fmt.Sprintf(format, args...)})
}

func (r *record) addTask(kind string, task state.TaskID, format string, args ...any) {
	r.fresh = append(r.fresh, line{kind: kind, task: string(task), text: fmt.Sprintf(format, args...)})
}

// note tells what has changed at a moment.
func (r *record) note(at time.Duration, changes []state.Change) {
	r.baptise(changes)
	for _, c := range changes {
		r.change(c)
	}
	r.tell(at, func(l line) bool { return l.task == "" })
	r.tell(at, func(l line) bool { return l.task != "" }) // after the events, which tell of tasks one by one
	r.fresh = nil
}

// tell puts some of what happened at this moment into words.
func (r *record) tell(at time.Duration, which func(line) bool) {
	var lines []line
	for _, l := range r.fresh {
		if which(l) {
			l.text = r.names.text(l.text)
			lines = append(lines, l)
		}
	}
	slices.SortStableFunc(lines, func(a, b line) int {
		return cmp.Or(slices.Index(order, a.kind)-slices.Index(order, b.kind), r.byTask(a, b))
	})
	for _, l := range lines {
		l.at = at
		if l.task != "" {
			l.text = r.names.task(l.task) + " " + l.text
		}
		r.lines = append(r.lines, l)
	}
}

// byTask orders what happens to different tasks at one moment: those that were started together by where they are.
func (r *record) byTask(a, b line) int {
	if a.task == b.task {
		return 0
	}
	n := r.names
	return cmp.Or(cmp.Compare(n.rank(a.task), n.rank(b.task)), cmp.Compare(n.places[a.task], n.places[b.task]), cmp.Compare(a.task, b.task))
}

// baptise names the deployments that were made, in their order, and notes where tasks are.
func (r *record) baptise(changes []state.Change) {
	var made []*state.Deployment
	for _, c := range changes {
		if d, ok := c.After.(*state.Deployment); ok && c.Before == nil {
			made = append(made, d)
		}
		if t, ok := c.After.(*state.Task); ok {
			r.names.places[string(t.ID)] = r.names.others[string(t.Instance)]
		}
	}
	slices.SortStableFunc(made, func(a, b *state.Deployment) int { return a.Created.Compare(b.Created) })
	for _, d := range made {
		r.names.deployment(string(d.ID))
		r.names.history(d.ServiceDeployment)
	}
}

func (r *record) change(c state.Change) {
	switch after := c.After.(type) {
	case *state.Events:
		r.events(c.Before, after)
	case *state.Deployment:
		before, _ := c.Before.(*state.Deployment)
		r.deployment(before, after)
	case *state.ServiceDeployment:
		before, _ := c.Before.(*state.ServiceDeployment)
		r.history(before, after)
	case *state.Task:
		before, _ := c.Before.(*state.Task)
		r.task(before, after)
	case *state.Rule:
		before, _ := c.Before.(*state.Rule)
		r.traffic(before, after)
	case *state.Target:
		before, _ := c.Before.(*state.Target)
		r.target(before, after)
	case nil:
		if t, ok := c.Before.(*state.Target); ok && r.shows["targets"] {
			r.addTask(lineTarget, t.Task, "in %s gone", t.Group)
		}
	}
}

func (r *record) events(before state.Record, after *state.Events) {
	known := 0
	if e, ok := before.(*state.Events); ok {
		known = len(e.List)
		for i, is := range after.List {
			if len(e.List) > 0 && *is.Id == *e.List[0].Id {
				known = len(after.List) - i
			}
		}
	}
	list := slices.Clone(after.List[:len(after.List)-known])
	slices.Reverse(list)
	for _, e := range list {
		r.add(lineEvent, "%s", *e.Message)
	}
}

func (r *record) deployment(before, after *state.Deployment) {
	if is := deploymentText(after); before == nil || deploymentText(before) != is {
		r.add(lineDeployment, "%s", is)
	}
	if after.Shift == nil {
		return
	}
	told := map[string]string{}
	if before != nil && before.Shift != nil {
		for _, h := range before.Shift.Hooks {
			told[h.ID] = hookText(before, h)
		}
	}
	for _, h := range after.Shift.Hooks {
		if h.Open() {
			r.names.refs["hook"] = h.ID
		}
		if is := hookText(after, h); r.shows["hooks"] && told[h.ID] != is {
			r.add(lineHook, "%s", is)
		}
	}
}

func deploymentText(d *state.Deployment) string {
	text := fmt.Sprintf("%s %s %s: %s", d.ID, d.Status, d.State, d.Reason)
	if d.Failed > 0 {
		text += fmt.Sprintf(" (%d failed tasks)", d.Failed)
	}
	return text
}

func hookText(d *state.Deployment, h state.Hook) string {
	text := fmt.Sprintf("%s %s %s %s", d.ID, d.Shift.Stage, cmp.Or(string(h.Type), "AWS_LAMBDA"), h.Status)
	if h.Failure != "" {
		text += ": " + h.Failure
	}
	return text
}

func (r *record) history(before, after *state.ServiceDeployment) {
	is := r.historyText(after.Doc)
	if before == nil || r.historyText(before.Doc) != is {
		r.add(lineHistory, "%s", is)
	}
}

// historyText tells a service deployment in one line.
func (r *record) historyText(d types.ServiceDeployment) string {
	text := r.names.history(aws.ToString(d.ServiceDeploymentArn)) + " " + string(d.Status)
	if d.LifecycleStage != "" {
		text += " " + string(d.LifecycleStage)
	}
	if d.StatusReason != nil {
		text += ": " + *d.StatusReason
	}
	if b := d.DeploymentCircuitBreaker; b != nil && b.Status != types.ServiceDeploymentRollbackMonitorsStatusDisabled {
		text += fmt.Sprintf(" [breaker %s %d/%d]", b.Status, b.FailureCount, b.Threshold)
	}
	if a := d.Alarms; a != nil && a.Status != types.ServiceDeploymentRollbackMonitorsStatusDisabled {
		text += fmt.Sprintf(" [alarms %s]", strings.Join(append([]string{string(a.Status)}, a.TriggeredAlarmNames...), " "))
	}
	return text
}

func (r *record) task(before, after *state.Task) {
	if r.shows["containers"] {
		r.containers(before, after)
	}
	switch moved := before == nil || before.Last != after.Last; {
	case !moved:
	case after.Last == state.Stopped:
		r.addTask(lineTask, after.ID, "%s", stoppedText(after))
	case r.shows["places"] && after.Last == state.Running && after.Instance != "":
		r.addTask(lineTask, after.ID, "%s on %s", after.Last, after.Instance)
	case r.shows["tasks"]:
		r.addTask(lineTask, after.ID, "%s", after.Last)
	}
}

// stoppedText tells how a task came to its end.
func stoppedText(t *state.Task) string {
	text := fmt.Sprintf("STOPPED %s: %s", t.StopCode, t.StoppedReason)
	for _, c := range t.Containers {
		text += " " + containerEnd(c.Name, c.ExitCode, c.Reason)
	}
	return text
}

func containerEnd(name string, code *int, reason string) string {
	text := "[" + name
	if code != nil {
		text += fmt.Sprintf(" exit %d", *code)
	}
	if reason != "" {
		text += " " + reason
	}
	return text + "]"
}

func (r *record) containers(before, after *state.Task) {
	for i, c := range after.Containers {
		was := state.Container{}
		if before != nil {
			was = before.Containers[i]
		}
		if was.Last != c.Last && c.Last != state.Pending || was.Restarts != c.Restarts {
			text := c.Name + " " + string(c.Last)
			if c.ExitCode != nil && c.Last == state.Stopped {
				text += fmt.Sprintf(" exit %d", *c.ExitCode)
			}
			if c.Restarts > 0 {
				text += fmt.Sprintf(", restarted %d times", c.Restarts)
			}
			r.addTask(lineContainer, after.ID, "%s", text)
		}
		if was.Health != c.Health && (c.Health == types.HealthStatusHealthy || c.Health == types.HealthStatusUnhealthy) {
			r.addTask(lineContainer, after.ID, "%s %s", c.Name, c.Health)
		}
	}
}

func (r *record) traffic(before, after *state.Rule) {
	if !r.shows["traffic"] {
		return
	}
	is := trafficText(after)
	if before == nil || trafficText(before) == is {
		return
	}
	r.add(lineTraffic, "%s", is)
}

func trafficText(rule *state.Rule) string {
	text := rule.ARN
	for _, a := range rule.Doc.Actions {
		if a.ForwardConfig == nil {
			continue
		}
		groups := slices.Clone(a.ForwardConfig.TargetGroups)
		slices.SortFunc(groups, func(a, b v2.TargetGroupTuple) int { return cmp.Compare(*a.TargetGroupArn, *b.TargetGroupArn) })
		for _, g := range groups {
			text += fmt.Sprintf(" %s=%d", *g.TargetGroupArn, aws.ToInt32(g.Weight))
		}
	}
	return text
}

func (r *record) target(before, after *state.Target) {
	if !r.shows["targets"] || before != nil && before.Health == after.Health && before.Reason == after.Reason {
		return
	}
	text := string(after.Health)
	if after.Reason != "" {
		text += " " + string(after.Reason)
	}
	r.addTask(lineTarget, after.Task, "in %s %s", after.Group, text)
}
