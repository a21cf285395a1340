package deploy

import (
	"time"

	"github.com/slipway-cd/slipway/fault"
	"github.com/slipway-cd/slipway/rollout"
)

// run is one rollout being carried out.
type run struct {
	target Target
	want   rollout.Desired
	policy rollout.Policy
	opts   Options
	begun  time.Time

	seen      rollout.Observed // the last look
	tasks     []rollout.Task   // as last looked at, which may be before the last look
	targets   []rollout.TargetHealth
	checks    []rollout.CheckResult
	triedAt   []time.Time // when each of the checks was tried last
	evidence  []rollout.Evidence
	addresses []string
	fresh     bool // what is seen is from just now

	about rollout.DeploymentID // which deployment the evidence speaks against

	looks    int
	newest   string        // the id of the scheduler's newest message
	lag      time.Duration // what is known of the difference between its clock and ours
	timed    bool          // lag is from a message that came while we looked
	spoke    time.Time     // when it last spoke, by our clock; zero: it never did
	actedAt  time.Time     // when we last changed something
	wholeAt  time.Time     // when tasks were last looked at
	askedAt  time.Time     // when evidence was last asked for
	trouble  int           // Observed.Trouble when evidence was last asked for
	sight    string        // Progress.Sight when tasks were last looked at
	stumbles int           // looks or steps in a row that failed
	slowed   int           // by what the quickest pause is multiplied since the target has asked to slow down; 0: it has not
	acted    bool          // something was changed
	verified bool          // nothing speaks against changing something

	diagnosis     *rollout.Diagnosis
	undoDiagnosis *rollout.Diagnosis
	teller
}

func newRun(target Target, want rollout.Desired, policy rollout.Policy, opts Options) *run {
	if opts.Report == nil {
		opts.Report = func(Event) {}
	}
	if opts.Prober == nil {
		opts.Prober = DefaultProber("")
	}
	if opts.Save == nil {
		opts.Save = func(rollout.Progress) error { return nil }
	}
	pace := DefaultPace()
	if opts.Pace.Quick <= 0 {
		opts.Pace.Quick = pace.Quick
	}
	if opts.Pace.Slow < opts.Pace.Quick {
		opts.Pace.Slow = max(pace.Slow, opts.Pace.Quick)
	}
	now := time.Now()
	if want.Progress.Started.IsZero() {
		want.Progress.Started = now
	}
	r := &run{target: target, want: want, policy: policy.Filled(), opts: opts, begun: now}
	r.told, r.triedAt = map[string]bool{}, make([]time.Time, len(want.Checks))
	return r
}

// save hands the progress to whoever keeps it.
func (r *run) save() error {
	if err := r.opts.Save(r.want.Progress); err != nil {
		return fault.New(fault.Internal, "cannot keep the progress of service %q: %w", r.want.Ref.Service, err)
	}
	return nil
}

// end tells the result and returns it.
func (r *run) end(outcome Outcome) Result {
	p := r.want.Progress
	res := Result{
		Outcome: outcome, Cluster: r.want.Ref.Cluster, Service: r.want.Ref.Service, Version: r.want.Version,
		Verdict: p.Verdict, Reasons: p.Reasons, Diagnosis: r.diagnosis, Undoing: p.Undoing, To: p.UndoTo,
		UndoReasons: p.UndoReasons, UndoDiagnosis: r.undoDiagnosis,
		Revision: p.Revision, Deployment: p.Deployment, Seconds: time.Since(r.begun).Seconds(), Looks: r.looks,
		Seen: r.seen, Progress: p,
	}
	if d := r.seen.Deployment(p.Deployment); d != nil && res.Revision == "" {
		res.Revision = d.Revision
	}
	if outcome != "" {
		r.emit(Event{Type: Ended, Text: res.String(), Verdict: p.Verdict, Result: &res})
	}
	return res
}
