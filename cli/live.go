package cli

import (
	"fmt"
	"math"
	"strings"
	"sync"
	"time"

	"github.com/slipway-cd/slipway/cli/terminal"
	"github.com/slipway-cd/slipway/deploy"
	"github.com/slipway-cd/slipway/rollout"
)

// liveView draws a rollout in place: a square for each task, targets, the newest events, the time. What lasts (steps,
// diagnosis, verdict) is written above.
type liveView struct {
	p    *Program
	live *terminal.Live
	stop chan struct{}
	done sync.WaitGroup

	mu       sync.Mutex
	begun    time.Time
	title    string
	doing    string
	snapshot *deploy.Snapshot
	shift    *rollout.Shift // as last told; nil: nothing is shifted
	messages []string       // the newest events, oldest first
}

const messagesShown = 5

func newLiveView(p *Program) *liveView {
	v := &liveView{p: p, live: terminal.NewLive(p.Terminal), stop: make(chan struct{}), begun: time.Now()}
	v.done.Go(v.tick)
	return v
}

func (v *liveView) follower() follower {
	return follower{report: v.report, close: func() {
		close(v.stop)
		v.done.Wait()
		v.live.Clear()
	}}
}

// tick keeps the clock on the screen going.
func (v *liveView) tick() {
	t := time.NewTicker(200 * time.Millisecond)
	defer t.Stop()
	for {
		select {
		case <-v.stop:
			return
		case <-t.C:
			v.draw()
		}
	}
}

func (v *liveView) report(e deploy.Event) {
	v.mu.Lock()
	switch e.Type {
	case deploy.Progress:
		v.snapshot = e.Snapshot
		v.shift = e.Snapshot.Shift
	case deploy.Staged:
		v.shift = e.Shift
	case deploy.Message:
		v.messages = append(v.messages, e.Text)
		v.messages = v.messages[max(0, len(v.messages)-messagesShown):]
	case deploy.StepBegun:
		v.doing = e.Text
	case deploy.Started:
		name := string(e.Service)
		if e.Version != "" { // a rollback is told no version
			name += " " + e.Version
		}
		v.title = fmt.Sprintf("%s on %s", name, e.Cluster)
	}
	v.mu.Unlock()
	if e.Type != deploy.Progress && e.Type != deploy.Message {
		v.live.Say(v.p.lines(e)...)
	}
	v.draw()
}

func (v *liveView) draw() {
	v.mu.Lock()
	lines := v.lines()
	v.mu.Unlock()
	v.live.Show(lines)
}

func (v *liveView) lines() []string {
	p := v.p
	elapsed := time.Since(v.begun).Round(time.Second)
	lines := []string{"", fmt.Sprintf("%s  %s", p.Style(terminal.Strong, v.title), p.Style(terminal.Faint, elapsed.String()))}
	if v.snapshot == nil {
		return append(lines, "  "+v.doing)
	}
	for _, d := range v.snapshot.Deployments {
		lines = append(lines, v.deployment(d))
	}
	if v.shift != nil {
		lines = append(lines, "  traffic   "+v.traffic(*v.shift))
	}
	if t := v.targets(); t != "" {
		lines = append(lines, t)
	}
	if w := v.snapshot.Waiting; len(w) > 0 && v.shift == nil {
		lines = append(lines, p.Style(terminal.Faint, "  waiting:  "+string(w[0])))
	}
	for _, m := range v.messages {
		lines = append(lines, p.Style(terminal.Faint, "  "+m))
	}
	return lines
}

// deployment is one line: new or old, its version, a square for each task, and the counts in words.
func (v *liveView) deployment(d rollout.Deployment) string {
	name := "old"
	if d.Primary {
		name = "new"
	}
	if v.snapshot.Undoing && d.Primary {
		name = "back"
	}
	squares := v.squares(d)
	version := d.Version
	if version == "" {
		version = string(d.Revision[strings.LastIndexByte(string(d.Revision), '/')+1:])
	}
	words := fmt.Sprintf("%d of %d running", d.Running, d.Desired)
	if d.Desired == 0 {
		words = fmt.Sprintf("%d running", d.Running) // what is left of an old one
	}
	if d.Pending > 0 {
		words += fmt.Sprintf(", %d pending", d.Pending)
	}
	if d.Failed > 0 {
		words += ", " + v.p.Style(terminal.Bad, fmt.Sprintf("%d failed", d.Failed))
	}
	return fmt.Sprintf("  %-8s  %-20s %s  %s", name, version, squares, v.p.Style(terminal.Faint, words))
}

// squares are the deployment's tasks, one each. The shapes differ, so that they read without colours as well. Counts are
// newer than the tasks themselves, which are looked at less often; these only tell which of them are sick.
func (v *liveView) squares(d rollout.Deployment) string {
	sick := 0
	for _, t := range v.snapshot.Tasks {
		if t.Deployment == d.ID && t.Status == rollout.TaskRunning && (t.Health == rollout.Unhealthy || v.sick(t.ID)) {
			sick++
		}
	}
	sick = min(sick, d.Running)
	p := v.p
	return p.Style(terminal.Good, strings.Repeat("■", d.Running-sick)) + p.Style(terminal.Bad, strings.Repeat("✗", sick)) +
		p.Style(terminal.Busy, strings.Repeat("□", d.Pending))
}

func (v *liveView) sick(id rollout.TaskID) bool {
	for _, t := range v.snapshot.Targets {
		if t.Task == id && t.State == rollout.TargetUnhealthy {
			return true
		}
	}
	return false
}

// traffic is a bar of ten squares, how much of the production traffic the new tasks get, and the stage.
func (v *liveView) traffic(s rollout.Shift) string {
	const squares = 10
	share := 0.0
	if s.Production != nil {
		share = min(max(*s.Production, 0), 100)
	}
	filled := int(math.Ceil(share * squares / 100))
	bar := v.p.Style(terminal.Good, strings.Repeat("■", filled)) + v.p.Style(terminal.Faint, strings.Repeat("□", squares-filled))
	text := fmt.Sprintf("%s %3.0f %%  %s", bar, share, v.p.Style(terminal.Faint, s.Stage))
	switch {
	case s.Undoing:
		text += ", " + v.p.Style(terminal.Bad, "going back")
	case len(s.Pauses) > 0:
		text += ", " + v.p.Style(terminal.Warn, "waits for somebody")
	}
	return text
}

func (v *liveView) targets() string {
	if len(v.snapshot.Targets) == 0 {
		return ""
	}
	healthy, draining := 0, 0
	for _, t := range v.snapshot.Targets {
		switch t.State {
		case rollout.TargetHealthy:
			healthy++
		case rollout.TargetDraining:
			draining++
		}
	}
	text := fmt.Sprintf("  targets   %d of %d healthy", healthy, len(v.snapshot.Targets)-draining)
	if draining > 0 {
		text += fmt.Sprintf(", %d draining", draining)
	}
	return text
}
