package bus

import (
	"context"
	"encoding/json"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/slipway-cd/slipway/engine/agenda"
	"github.com/slipway-cd/slipway/engine/calendar"
	"github.com/slipway-cd/slipway/engine/state"
)

// clockwork runs the rules that have a schedule.
type clockwork struct {
	bus    *Bus
	watch  *state.Watcher
	agenda agenda.Agenda[string] // by the rule's name
}

func newClockwork(b *Bus) *clockwork {
	c := &clockwork{bus: b, watch: b.options.DB.Watch(state.KindEventRule)}
	for r := range b.options.DB.Read().EventRules() {
		c.note(r, time.Now())
	}
	return c
}

func (c *clockwork) run(ctx context.Context) {
	defer c.watch.Close()
	for ctx.Err() == nil {
		for _, change := range c.wait(ctx) {
			c.see(change)
		}
		for _, name := range c.agenda.Due(time.Now(), maxQueued) {
			if r, ok := c.bus.options.DB.Read().EventRule(name); ok && r.Active() {
				c.fire(r)
				c.note(r, time.Now())
			}
		}
	}
}

func (c *clockwork) wait(ctx context.Context) []state.Change {
	if at, ok := c.agenda.Next(); ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, at)
		defer cancel()
	}
	changes, _ := c.watch.Next(ctx) // an error means that there are none
	return changes
}

// see has a rule's schedule begin anew when it is another one, or when the rule begins to do anything.
func (c *clockwork) see(change state.Change) {
	after, ok := change.After.(*state.EventRule)
	before, had := change.Before.(*state.EventRule)
	switch {
	case !ok || !after.Active():
		c.agenda.Drop(change.Key)
	case !had || !before.Active() || aws.ToString(before.Doc.ScheduleExpression) != aws.ToString(after.Doc.ScheduleExpression):
		c.agenda.Drop(change.Key)
		c.note(after, time.Now())
	}
}

func (c *clockwork) note(r *state.EventRule, now time.Time) {
	if !r.Active() || aws.ToString(r.Doc.ScheduleExpression) == "" {
		return
	}
	s, err := calendar.Parse(*r.Doc.ScheduleExpression, time.UTC)
	if err != nil { // it was checked when it was put
		return
	}
	if rate := s.Rate(); rate > 0 {
		c.agenda.Set(r.Name, now.Add(max(time.Duration(float64(rate)/c.bus.options.Speed), shortestOfWait)))
	} else if at, ok := s.Next(now); ok {
		c.agenda.Set(r.Name, at)
	}
}

// fire sends the event of a schedule to the rule's own targets. [EventBridge User Guide, "Scheduled Event"]
func (c *clockwork) fire(r *state.EventRule) {
	e := Event{Source: "aws.events", DetailType: "Scheduled Event", Time: time.Now(), Resources: []string{aws.ToString(r.Doc.Arn)}, Detail: json.RawMessage("{}")}
	c.bus.complete(&e)
	if text, err := json.Marshal(e); err == nil {
		c.bus.send(r, text)
	}
}
