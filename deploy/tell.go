package deploy

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/slipway-cd/slipway/rollout"
)

// teller remembers what has been told, so that everything is told once.
type teller struct {
	started bool
	judged  bool
	step    rollout.StepKind
	shown   string          // the last snapshot, as text
	stage   string          // the last stage, as text
	told    map[string]bool // ids of the scheduler's messages
}

func (r *run) emit(e Event) {
	e.Schema, e.Time = Schema, time.Now()
	e.Cluster, e.Service, e.Version = r.want.Ref.Cluster, r.want.Ref.Service, r.want.Version
	r.opts.Report(e)
}

// tell reports what is new since the last look.
func (r *run) tell(steps []rollout.Step, verdict rollout.Verdict, reasons []rollout.Reason) {
	if !r.started {
		r.start(steps, reasons)
	}
	r.messages()
	r.shift()
	r.snapshot()
	r.judge(verdict, reasons)
	r.judgeUndoing()
	if len(steps) > 0 && steps[0].Kind != r.step {
		r.step = steps[0].Kind
		if !r.step.Changes() {
			plan := planned(steps[0])
			r.emit(Event{Type: StepBegun, Text: steps[0].String(), Step: &plan, Reasons: steps[0].Reasons})
		}
	}
}

func (r *run) start(steps []rollout.Step, reasons []rollout.Reason) {
	r.started = true
	plan := make([]PlannedStep, len(steps))
	for i, step := range steps {
		plan[i] = planned(step)
	}
	text := fmt.Sprintf("service %s in cluster %s: %s", r.want.Ref.Service, r.want.Ref.Cluster, join(reasons))
	r.emit(Event{Type: Started, Text: text, Plan: plan, Reasons: reasons})
	for _, e := range r.seen.Events {
		r.told[e.ID] = true // from before
	}
}

func (r *run) messages() {
	for _, e := range slices.Backward(r.seen.Events) {
		if !r.told[e.ID] {
			r.told[e.ID] = true
			r.emit(Event{Type: Message, Text: e.Text, At: e.At})
		}
	}
}

// shift tells how far a deployment that shifts traffic has come, when that has changed.
func (r *run) shift() {
	s := r.seen.Shift
	if s == nil || r.want.Progress.Deployment == "" || s.String() == r.stage {
		return
	}
	r.stage = s.String()
	r.emit(Event{Type: Staged, Text: "stage " + r.stage, Shift: s})
}

// snapshot tells what runs, when that has changed.
func (r *run) snapshot() {
	s := Snapshot{
		Elapsed: time.Since(r.begun).Seconds(), Deployments: r.seen.Deployments, Ours: r.want.Progress.Deployment,
		Tasks: r.tasks, Targets: r.targets, Undoing: r.restoring(), Shift: r.seen.Shift,
	}
	if id := r.following(); id != "" {
		s.Waiting = rollout.Unproven(r.seen, id)
	}
	text := s.String()
	if text == "" || text == r.shown {
		return
	}
	r.shown = text
	r.emit(Event{Type: Progress, Text: text, Snapshot: &s})
}

// following returns the deployment that has to reach its end next.
func (r *run) following() rollout.DeploymentID {
	p := r.want.Progress
	if p.Undoing != rollout.Undo {
		return p.Deployment
	}
	if p.Undo != "" {
		return p.Undo
	}
	if primary := r.seen.Primary(); primary != nil {
		return primary.ID
	}
	return ""
}

// judge tells the verdict once, and why.
func (r *run) judge(verdict rollout.Verdict, reasons []rollout.Reason) {
	if verdict == rollout.Moving || r.judged {
		return
	}
	r.judged = true
	if r.want.Progress.Cause == rollout.AskedFor {
		return // nothing has failed
	}
	if verdict != rollout.Proven {
		d := rollout.Explain(r.want, r.seen)
		r.diagnosis = &d
		r.emit(Event{Type: Diagnosed, Text: d.Summary, Diagnosis: &d})
	}
	r.emit(Event{Type: Judged, Text: fmt.Sprintf("%s: %s", verdict, join(reasons)), Verdict: verdict, Reasons: reasons})
}

// judgeUndoing tells once why the rollback has failed. One that could not even be begun has no evidence to weigh.
func (r *run) judgeUndoing() {
	p := r.want.Progress
	if p.Undoing != rollout.UndoFailed || p.UndoCause == "" || r.undoDiagnosis != nil {
		return
	}
	d := rollout.ExplainUndoing(r.want, r.seen)
	r.undoDiagnosis = &d
	r.emit(Event{Type: Diagnosed, Text: "the rollback failed: " + d.Summary, Diagnosis: &d, Undoing: p.Undoing})
}

func join(reasons []rollout.Reason) string {
	texts := make([]string, len(reasons))
	for i, reason := range reasons {
		texts[i] = string(reason)
	}
	return strings.Join(texts, "; ")
}

// String tells the result in one sentence.
func (r Result) String() string {
	name := fmt.Sprintf("service %s", r.Service)
	if r.Version != "" {
		name = fmt.Sprintf("%s of service %s", r.Version, r.Service)
	}
	switch r.Outcome {
	case Unchanged:
		return name + " runs already: nothing to change"
	case Proven:
		return name + " is proven"
	case RolledBack:
		return name + " failed and was rolled back: the last proven revision serves"
	case NotRolledBack:
		return r.notRolledBack(name)
	case TimedOut:
		return name + " timed out: " + join(r.Reasons)
	case Superseded:
		return name + " was overtaken: " + join(r.Reasons)
	case Serving:
		return name + " has all of the traffic; its bake time has yet to pass"
	case Paused:
		return name + " waits for somebody to continue it"
	case Continued:
		return "the deployment of " + name + " goes on"
	case Halted:
		return "the deployment of " + name + " was stopped as it stands"
	case Deleted:
		return name + " is gone"
	case Interrupted:
		return name + " was interrupted; the scheduler goes on by itself"
	}
	return name
}

func (r Result) notRolledBack(name string) string {
	text := fmt.Sprintf("%s failed; not rolled back: %s", name, r.Undoing)
	if r.Progress.Cause == rollout.AskedFor {
		text = fmt.Sprintf("service %s was not rolled back: %s", r.Service, r.Undoing)
	}
	if len(r.UndoReasons) > 0 {
		text += ": " + join(r.UndoReasons)
	}
	return text
}

// restoring reports that what the scheduler works towards is the undoing of this rollout.
func (r *run) restoring() bool {
	primary, undo := r.seen.Primary(), r.want.Progress.Undo
	return primary != nil && undo != "" && primary.ID == undo
}
