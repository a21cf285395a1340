package deploy

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/slipway-cd/slipway/fault"
	"github.com/slipway-cd/slipway/rollout"
)

// TaskRunner is a target that runs tasks once.
type TaskRunner interface {
	LogReader
	// RunOnce starts tasks. Asked again with the same token, it starts no more of them and tells of the same.
	RunOnce(ctx context.Context, want rollout.OneOff) (rollout.Launch, error)
	// StopTask has a task stopped, for a reason that the scheduler tells from then on.
	StopTask(ctx context.Context, cluster rollout.ClusterName, id rollout.TaskID, reason string) error
	// TaskEvidence gathers what tells why tasks failed.
	TaskEvidence(ctx context.Context, cluster rollout.ClusterName, ids []rollout.TaskID) ([]rollout.Evidence, error)
}

// OnceEventType says what an event of a task that runs once tells.
type OnceEventType string

// The types of events of tasks that run once. The first is OnceStarted, the last OnceEnded.
const (
	OnceStarted   OnceEventType = "started"   // Tasks: what was started; Text: of which revision
	OnceChanged   OnceEventType = "status"    // Task: its status has changed
	OnceWrote     OnceEventType = "log"       // Line
	OnceTrouble   OnceEventType = "trouble"   // Text: what went wrong, or cannot be done
	OnceDiagnosed OnceEventType = "diagnosis" // Diagnosis: why it failed
	OnceEnded     OnceEventType = "result"    // Result: the last event
)

// OnceEvent is one thing that happened to tasks that run once. Text says it on one line for people.
type OnceEvent struct {
	Schema    int                  `json:"schema"`
	Time      time.Time            `json:"time"`
	Type      OnceEventType        `json:"type"`
	Cluster   rollout.ClusterName  `json:"cluster"`
	Service   rollout.ServiceName  `json:"service,omitempty"` // beside which the tasks run
	Text      string               `json:"text"`
	Tasks     []rollout.TaskReport `json:"tasks,omitempty"`
	Task      *rollout.TaskReport  `json:"task,omitempty"`
	Line      *rollout.OutputLine  `json:"line,omitempty"`
	Diagnosis *rollout.Diagnosis   `json:"diagnosis,omitempty"`
	Result    *OnceResult          `json:"result,omitempty"`
}

// OnceResult is what tasks that ran once came to.
type OnceResult struct {
	Outcome   rollout.OneOffOutcome `json:"outcome"`
	ExitCode  int                   `json:"exitCode"` // of the first essential container that did not exit with 0; 1 where there is none to tell
	Reasons   []rollout.Reason      `json:"reasons,omitempty"`
	Diagnosis *rollout.Diagnosis    `json:"diagnosis,omitempty"`
	Cluster   rollout.ClusterName   `json:"cluster"`
	Service   rollout.ServiceName   `json:"service,omitempty"`
	Revision  rollout.RevisionID    `json:"revision"`
	Version   string                `json:"version,omitempty"`
	Tasks     []rollout.TaskReport  `json:"tasks"` // as they were seen last
	Seconds   float64               `json:"seconds"`
}

// OnceOptions are what RunOnce can do without.
type OnceOptions struct {
	Timeout         time.Duration // after so long the tasks are stopped; 0: never
	Detach          bool          // don't wait for their end
	StopOnInterrupt bool          // stop the tasks when ctx ends; else they go on
	StopAfterAll    func() bool   // is asked, when ctx has ended, whether they are to be stopped nevertheless; nil: no
	Report          func(OnceEvent)
}

// once is tasks being run once.
type once struct {
	runner TaskRunner
	want   rollout.OneOff
	opts   OnceOptions
	begun  time.Time
	launch rollout.Launch
	tasks  []rollout.TaskReport // as seen last
	gone   time.Time            // since when the scheduler doesn't tell of all of them
	logs   *logs
	due    bool        // their time is up
	over   []OnceEvent // ends of tasks that are to be told once their lines have been
}

const (
	onceQuick  = time.Second      // between two looks
	onceSlow   = 3 * time.Second  // the longest pause, reached when nothing has changed for long
	lastLooks  = 3                // without a new line, after the end
	startTime  = 30 * time.Second // for so long it is waited for an answer to the wish to start them
	unknownFor = time.Minute      // for so long a task that was started may be unknown: what ECS tells comes late
	stopTime   = 3 * time.Minute  // for so long it is waited for the end of what was asked to stop
)

// RunOnce runs tasks beside a service to their end, and says what they came to. An error means that it could not be found
// out; what was started, and is not told in a result, is told by events.
func RunOnce(ctx context.Context, target Target, want rollout.OneOff, opts OnceOptions) (OnceResult, error) {
	runner, err := capability[TaskRunner](target, "run a task once")
	if err != nil {
		return OnceResult{}, err
	}
	o := &once{runner: runner, want: want, opts: opts, begun: time.Now()}
	if err := o.start(ctx); err != nil {
		return OnceResult{}, err
	}
	if len(o.tasks) > 0 && !opts.Detach {
		if err := o.wait(ctx); err != nil {
			return OnceResult{}, err
		}
	}
	return o.end(ctx)
}

func (o *once) emit(e OnceEvent) {
	e.Schema, e.Time, e.Cluster, e.Service = Schema, time.Now(), o.want.Ref.Cluster, o.want.Ref.Service
	if o.opts.Report != nil {
		o.opts.Report(e)
	}
}

// start starts the tasks. An interruption comes too late for that: whether they were started must be known.
func (o *once) start(ctx context.Context) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	patient, cancel := context.WithTimeout(context.WithoutCancel(ctx), startTime)
	defer cancel()
	launch, err := o.runner.RunOnce(patient, o.want)
	if err != nil {
		return err
	}
	o.launch, o.tasks = launch, slices.Clone(launch.Tasks)
	name := shortRevision(launch.Revision)
	if launch.Version != "" {
		name += " (" + launch.Version + ")"
	}
	text := fmt.Sprintf("started %s of %s in cluster %s", tasks(len(launch.Tasks)), name, o.want.Ref.Cluster)
	o.emit(OnceEvent{Type: OnceStarted, Text: text, Tasks: launch.Tasks})
	if n := o.unplaced(); n > 0 {
		o.emit(OnceEvent{Type: OnceTrouble, Text: fmt.Sprintf("%s found no place", tasks(n))})
	}
	since := time.Now()
	for _, t := range launch.Tasks {
		if !t.Created.IsZero() && t.Created.Before(since) {
			since = t.Created
		}
	}
	o.logs = &logs{
		reader: o.runner, ref: o.want.Ref, told: map[string]bool{}, seen: newRecent(since),
		opts: LogOptions{
			Follow: true,
			Line:   func(line rollout.OutputLine) { o.emit(OnceEvent{Type: OnceWrote, Text: line.Text, Line: &line}) },
			Say:    func(text string) { o.emit(OnceEvent{Type: OnceTrouble, Text: text}) },
		},
	}
	return nil
}

func tasks(n int) string {
	if n == 1 {
		return "1 task"
	}
	return fmt.Sprintf("%d tasks", n)
}

func (o *once) unplaced() int { return max(0, max(o.want.Count, 1)-len(o.launch.Tasks)) }

func (o *once) ids() []rollout.TaskID {
	var ids []rollout.TaskID
	for _, t := range o.launch.Tasks {
		ids = append(ids, t.ID)
	}
	return ids
}

// wait follows the tasks until all have stopped and their last lines have been read, or nobody waits any more.
func (o *once) wait(ctx context.Context) error {
	pause, still := onceQuick, 0
	for {
		changed, err := o.look(ctx)
		before := o.logs.lines
		if err == nil && ctx.Err() == nil {
			err = o.logs.read(ctx)
		}
		o.tellEnds()
		switch {
		case ctx.Err() != nil:
			return o.interrupted(ctx)
		case fault.MayPass(err):
			o.emit(OnceEvent{Type: OnceTrouble, Text: err.Error() + "; trying again"})
		case err != nil:
			return err
		}
		if changed || o.logs.lines > before {
			pause, still = onceQuick, 0
		} else {
			pause, still = min(pause+onceQuick/4, onceSlow), still+1
		}
		if rollout.Over(o.tasks) && (still >= lastLooks || len(o.logs.from) == 0) {
			return nil
		}
		if err := o.expire(ctx); err != nil {
			return err
		}
		if rollout.Over(o.tasks) {
			pause = onceQuick
		}
		if !sleep(ctx, pause) {
			return o.interrupted(ctx)
		}
	}
}

// look sees how the tasks are now, and tells what has changed.
func (o *once) look(ctx context.Context) (changed bool, err error) {
	if rollout.Over(o.tasks) {
		return false, nil
	}
	seen, err := o.runner.TaskReports(ctx, o.want.Ref, rollout.TaskQuery{IDs: o.ids()})
	if err != nil {
		return false, err
	}
	now := map[rollout.TaskID]rollout.TaskReport{}
	for _, t := range seen {
		now[t.ID] = t
	}
	for i, old := range o.tasks {
		t, ok := now[old.ID]
		if !ok {
			continue
		}
		if o.tasks[i] = t; t.Status != old.Status {
			changed = true
			e := OnceEvent{Type: OnceChanged, Text: onceStatus(t), Task: &t}
			if t.Status == rollout.TaskOver {
				o.over = append(o.over, e)
				continue
			}
			o.emit(e)
		}
	}
	if err := o.missing(len(o.tasks) - len(seen)); err != nil {
		return changed, err
	}
	return changed, o.logs.choose(o.tasks)
}

func (o *once) tellEnds() {
	for _, e := range o.over {
		o.emit(e)
	}
	o.over = nil
}

// missing gives up on tasks that the scheduler does not tell of for long.
func (o *once) missing(n int) error {
	switch {
	case n <= 0:
		o.gone = time.Time{}
	case o.gone.IsZero():
		o.gone = time.Now()
	case time.Since(o.gone) > unknownFor:
		return fault.New(fault.NotFound, "the scheduler does not know %s any more that it started", tasks(n)).
			WithHint("what became of it cannot be told; see its logs")
	}
	return nil
}

func onceStatus(t rollout.TaskReport) string {
	text := fmt.Sprintf("task %s is %s", t.ID, t.Status)
	switch {
	case t.Status == rollout.TaskOver:
		text = fmt.Sprintf("task %s has stopped: %s", t.ID, rollout.WhyStopped(t))
	case t.Status == rollout.TaskRunning && t.Instance != "":
		text += " on " + t.Instance
	case t.Status == rollout.TaskStopping && t.Why != "":
		text += ": " + t.Why
	}
	return text
}

// expire stops the tasks when their time is up.
func (o *once) expire(ctx context.Context) error {
	if o.due || o.opts.Timeout <= 0 || time.Since(o.begun) < o.opts.Timeout || rollout.Over(o.tasks) {
		return nil
	}
	o.due = true
	o.emit(OnceEvent{Type: OnceTrouble, Text: fmt.Sprintf("not over within %v: stopping", o.opts.Timeout)})
	return o.stop(ctx, fmt.Sprintf("not over within %v", o.opts.Timeout))
}

// stop asks the scheduler to stop what still runs.
func (o *once) stop(ctx context.Context, reason string) error {
	for _, t := range o.tasks {
		if t.Status == rollout.TaskOver || t.Status == rollout.TaskStopping {
			continue
		}
		if err := o.runner.StopTask(ctx, o.want.Ref.Cluster, t.ID, reason); err != nil {
			return err
		}
	}
	return nil
}

// interrupted leaves the tasks as they are, or stops them and waits for that.
func (o *once) interrupted(ctx context.Context) error {
	stop := o.opts.StopOnInterrupt || !rollout.Over(o.tasks) && o.opts.StopAfterAll != nil && o.opts.StopAfterAll()
	if !stop || rollout.Over(o.tasks) {
		return nil
	}
	patient, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTime)
	defer cancel()
	o.emit(OnceEvent{Type: OnceTrouble, Text: "interrupted: stopping"})
	if err := o.stop(patient, "interrupted by whoever started it"); err != nil {
		return err
	}
	for !rollout.Over(o.tasks) && sleep(patient, onceQuick) {
		if _, err := o.look(patient); err != nil {
			return err
		}
		o.tellEnds()
	}
	if err := o.logs.read(patient); err != nil {
		o.emit(OnceEvent{Type: OnceTrouble, Text: err.Error()})
	}
	return nil
}

// end says what it came to.
func (o *once) end(ctx context.Context) (OnceResult, error) {
	res := OnceResult{
		Cluster: o.want.Ref.Cluster, Service: o.want.Ref.Service, Revision: o.launch.Revision, Version: o.launch.Version,
		Tasks: o.tasks, Seconds: time.Since(o.begun).Seconds(),
	}
	switch {
	case ctx.Err() != nil:
		res.Outcome = rollout.Abandoned
	case o.opts.Detach && o.unplaced() == 0:
		res.Outcome = rollout.Detached
	default:
		o.judge(ctx, &res)
	}
	o.emit(OnceEvent{Type: OnceEnded, Text: res.String(), Result: &res})
	return res, nil
}

func (o *once) judge(ctx context.Context, res *OnceResult) {
	over := o.tasks
	if o.opts.Detach {
		over = nil // nobody knows yet what they come to
	}
	res.ExitCode, res.Reasons = rollout.JudgeOneOff(over, o.unplaced())
	switch {
	case o.due:
		res.Outcome = rollout.Overdue
		return
	case res.ExitCode == 0:
		res.Outcome = rollout.Succeeded
		return
	}
	res.Outcome = rollout.Unsuccessful
	evidence := o.launch.Failures
	if len(over) > 0 {
		found, err := o.runner.TaskEvidence(ctx, o.want.Ref.Cluster, o.ids())
		if err != nil {
			o.emit(OnceEvent{Type: OnceTrouble, Text: "why it failed cannot be found out: " + err.Error()})
		}
		evidence = append(evidence, found...)
	}
	if d := rollout.Diagnose(evidence); d.Cause != rollout.UnknownCause {
		if o.logs.lines > 0 {
			d.Logs = nil // they have been told
		}
		res.Diagnosis = &d
		o.emit(OnceEvent{Type: OnceDiagnosed, Text: d.Summary, Diagnosis: &d})
	}
}

// String tells the result in one sentence.
func (r OnceResult) String() string {
	name := shortRevision(r.Revision)
	if len(r.Tasks) > 0 {
		name = fmt.Sprintf("%s of %s", tasks(len(r.Tasks)), name)
	}
	switch r.Outcome {
	case rollout.Succeeded:
		return name + " succeeded"
	case rollout.Overdue:
		return name + " timed out: " + stopped(r.Tasks)
	case rollout.Detached:
		return name + ": started, and not waited for"
	case rollout.Abandoned:
		return name + " interrupted: " + stopped(r.Tasks)
	}
	return name + " failed: " + join(r.Reasons)
}

func stopped(all []rollout.TaskReport) string {
	if rollout.Over(all) {
		return "stopped"
	}
	return "still running, and going on by itself"
}

// shortRevision returns what follows the last slash: family:7 of an ARN.
func shortRevision(id rollout.RevisionID) string {
	s := string(id)
	for i := len(s) - 1; i >= 0; i-- {
		if s[i] == '/' {
			return s[i+1:]
		}
	}
	return s
}
