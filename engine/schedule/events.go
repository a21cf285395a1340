package schedule

import (
	"fmt"
	"strings"

	"github.com/slipway-cd/slipway/engine/state"
)

// The texts of the service events are AWS's own, word for word. [ecs-behaviour 1.8]

// sort is a sort of event that is not told twice while its cause stays the same.
type sort string

const (
	sortLaunch        sort = "launch"
	sortImpaired      sort = "impaired"
	sortPlacement     sort = "placement"
	sortConfiguration sort = "configuration"
	sortTargets       sort = "targets"
	sortSteady        sort = "steady"
	sortProtected     sort = "protected"
	sortBalance       sort = "balance"
	sortZone          sort = "zone "      // followed by the zone
	sortUnhealthy     sort = "unhealthy " // followed by the task's id
)

// say tells an event of the service.
func (p *pass) say(format string, args ...any) {
	p.plan.Events = append(p.plan.Events, fmt.Sprintf("(service %s", p.service.ID.Name)+fmt.Sprintf(format, args...))
}

// sayOnce tells an event of that sort unless it was told before about the deployment, with the same text and not longer
// than pace.Quiet ago.
func (p *pass) sayOnce(d *deployment, s sort, format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if last, ok := d.Told[string(s)]; ok && last.Text == text && p.now.Before(last.At.Add(p.pace.Quiet)) {
		return
	}
	record := d.edit()
	if record.Told == nil {
		record.Told = map[string]state.Told{}
	}
	record.Told[string(s)] = state.Told{Text: text, At: p.now}
	p.say("%s", text)
}

// overcome notes that the cause of a sort of event is gone: when it comes back, it is told again.
func (d *deployment) overcome(s sort) {
	if _, ok := d.Told[string(s)]; ok {
		delete(d.edit().Told, string(s))
	}
}

// sayStarts tells which tasks are started. Their identifiers are filled in by Plan.Texts.
func (p *pass) sayStarts(unhealthy int) {
	n := len(p.plan.Start)
	if n == 0 {
		return
	}
	text := fmt.Sprintf(") has started %d tasks: %s.", n, startRefs(0, n))
	if replaced := min(n, unhealthy); replaced > 0 {
		text += fmt.Sprintf(" Amazon ECS replaced %d tasks due to an unhealthy status.", replaced)
	}
	p.say("%s", text)
}

// sayStops tells which tasks are stopped: pending ones by their number, running ones by their names.
func (p *pass) sayStops() {
	var running []string
	pending := 0
	for _, d := range p.current() {
		for _, t := range d.tasks {
			switch {
			case !t.stopped:
			case t.Last.Before(state.Running):
				pending++
			default:
				running = append(running, "(task "+string(t.ID)+")")
			}
		}
	}
	if pending > 0 {
		p.say(") stopped %d pending tasks.", pending)
	}
	if len(running) > 0 {
		p.say(") has stopped %d running tasks: %s.", len(running), strings.Join(running, " "))
	}
}
