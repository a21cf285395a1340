package cli

import (
	"fmt"
	"strings"
	"time"

	"github.com/slipway-cd/slipway/cli/terminal"
	"github.com/slipway-cd/slipway/deploy"
	"github.com/slipway-cd/slipway/rollout"
)

// follower tells what happens in a rollout: live where somebody looks, in plain lines elsewhere, or as JSON, a line each.
type follower struct {
	report deploy.Reporter
	close  func()
}

func (p *Program) follow() follower {
	switch {
	case p.output == outputJSON:
		return follower{func(e deploy.Event) { _ = p.JSONLine(e) }, func() {}}
	case p.ErrTTY:
		return newLiveView(p).follower()
	default:
		return p.plain()
	}
}

// watched reports that somebody looks on while a rollout runs.
func (p *Program) watched() bool { return p.ErrTTY && p.output != outputJSON }

// plain writes a line whenever something has changed: what a CI log keeps.
func (p *Program) plain() follower {
	var begun time.Time
	return follower{func(e deploy.Event) {
		if begun.IsZero() {
			begun = e.Time
		}
		for _, line := range p.lines(e) {
			p.Say("%7s  %s", since(begun, e.Time), line)
		}
	}, func() {}}
}

func since(begun, now time.Time) string { return fmt.Sprintf("%.1fs", now.Sub(begun).Seconds()) }

// lines are what lasts of an event.
func (p *Program) lines(e deploy.Event) []string {
	switch e.Type {
	case deploy.Started:
		lines := []string{p.Style(terminal.Strong, e.Text)}
		for _, step := range e.Plan {
			lines = append(lines, "  - "+step.Text)
		}
		return lines
	case deploy.Found:
		return p.finding(e)
	case deploy.StepBegun:
		return []string{"→ " + e.Text}
	case deploy.StepDone:
		return []string{p.Style(terminal.Good, "✓") + " " + e.Text}
	case deploy.Message:
		return []string{p.Style(terminal.Faint, e.Text)}
	case deploy.Progress:
		return []string{e.Text}
	case deploy.Staged:
		return p.stage(e)
	case deploy.Trouble:
		return []string{p.Style(terminal.Warn, "! "+e.Text)}
	case deploy.Diagnosed:
		if e.Undoing != "" {
			return append([]string{p.Style(terminal.Bad, "the rollback failed")}, p.diagnosis(e.Diagnosis)...)
		}
		return p.diagnosis(e.Diagnosis)
	case deploy.Judged:
		return p.verdict(e)
	case deploy.Ended:
		return p.result(e)
	default:
		return []string{e.Text}
	}
}

// stage tells how far a deployment has come that shifts traffic, and what to do when it waits for somebody.
func (p *Program) stage(e deploy.Event) []string {
	if e.Shift == nil || len(e.Shift.Pauses) == 0 || e.Shift.Undoing {
		return []string{p.Style(terminal.Busy, e.Text)}
	}
	named := fmt.Sprintf("--cluster %s --service %s", e.Cluster, e.Service)
	return []string{p.Style(terminal.Warn, e.Text), fmt.Sprintf("  `slipway continue %s` lets it go on, `slipway stop %s` sends the traffic back", named, named)}
}

func (p *Program) verdict(e deploy.Event) []string {
	tone := terminal.Bad
	if e.Verdict == rollout.Proven {
		tone = terminal.Good
	}
	return []string{p.Style(tone, e.Text)}
}

func (p *Program) result(e deploy.Event) []string {
	tone := terminal.Bad
	if r := e.Result; r != nil && exitOfOutcome[r.Outcome] == exitDone {
		tone = terminal.Good
	}
	return []string{p.Style(tone, e.Text)}
}

// diagnosis says why a rollout cannot succeed, what tells so, and what to do.
func (p *Program) diagnosis(d *rollout.Diagnosis) []string {
	if d == nil {
		return nil
	}
	lines := []string{p.Style(terminal.Bad, "cause: "+string(d.Cause)), "  " + d.Summary}
	for _, e := range d.Evidence {
		lines = append(lines, "  · "+e)
	}
	if len(d.Logs) > 0 {
		lines = append(lines, "  last lines of the container:")
		for _, l := range d.Logs {
			lines = append(lines, p.Style(terminal.Faint, "    | "+strings.TrimRight(l, "\r\n")))
		}
	}
	if d.Remedy != "" {
		lines = append(lines, "  "+p.Style(terminal.Strong, "what to do:")+" "+d.Remedy)
	}
	return lines
}
