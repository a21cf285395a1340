package engine

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"github.com/slipway-cd/slipway/engine/agenda"
	"github.com/slipway-cd/slipway/engine/state"
)

// scaler does what alarms and schedules ask of the services that are scalable targets.
type scaler struct {
	engine *Engine
	watch  *state.Watcher
	agenda agenda.Agenda[scaling]
}

// scaling is one thing that the scaler does at a time: one of both.
type scaling struct {
	alarm  string // its name
	action string // the key of a scheduled action
}

// rescale is how often an alarm asks for scaling while it stays in ALARM. [Application Auto Scaling User Guide, "Step scaling
// policies": continues to respond to additional alarms, evaluated each minute]
const rescale = time.Minute

func newScaler(e *Engine) *scaler {
	s := &scaler{engine: e, watch: e.db.Watch(state.KindAlarm, state.KindScheduledAction)}
	snap := e.db.Read()
	for a := range snap.Alarms() {
		if a.Alarming() && scales(a) {
			s.agenda.Add(scaling{alarm: a.Name}, e.Now())
		}
	}
	for a := range snap.ScheduledActions("") {
		s.plan(a)
	}
	return s
}

func (s *scaler) run(ctx context.Context) {
	defer s.watch.Close()
	for ctx.Err() == nil {
		for _, c := range nextChanges(ctx, s.watch, &s.agenda) {
			s.note(c)
		}
		for _, i := range s.agenda.Due(s.engine.Now(), batch) {
			s.do(i)
		}
	}
}

func (s *scaler) note(c state.Change) {
	switch r := c.After.(type) {
	case *state.Alarm:
		before, _ := c.Before.(*state.Alarm)
		if scales(r) && (before == nil || before.Doc.StateValue != r.Doc.StateValue) {
			s.agenda.Set(scaling{alarm: r.Name}, s.engine.Now())
		}
	case *state.ScheduledAction:
		s.agenda.Drop(scaling{action: c.Key})
		s.plan(r)
	default:
		if c.Kind == state.KindScheduledAction {
			s.agenda.Drop(scaling{action: c.Key})
		}
	}
}

// scales reports whether an alarm has anything to do with scaling policies.
func scales(a *state.Alarm) bool {
	for _, list := range [][]string{a.Doc.AlarmActions, a.Doc.OKActions, a.Doc.InsufficientDataActions} {
		for _, arn := range list {
			if _, _, ok := policyOf(arn); ok {
				return true
			}
		}
	}
	return false
}

func (s *scaler) do(i scaling) {
	var err error
	if i.alarm != "" {
		err = s.alarmed(i)
	} else {
		err = s.scheduled(i)
	}
	if err != nil {
		s.engine.options.Logger.Error("a service could not be scaled", "alarm", i.alarm, "action", i.action, "error", err)
	}
}

// alarmed has the policies act that an alarm's state names; in ALARM again and again.
func (s *scaler) alarmed(i scaling) error {
	a, ok := s.engine.db.Read().Alarm(i.alarm)
	if !ok || !aws.ToBool(a.Doc.ActionsEnabled) {
		return nil
	}
	actions := map[types.StateValue][]string{
		types.StateValueAlarm: a.Doc.AlarmActions, types.StateValueOk: a.Doc.OKActions,
		types.StateValueInsufficientData: a.Doc.InsufficientDataActions,
	}[a.Doc.StateValue]
	if a.Alarming() {
		s.agenda.Add(i, s.engine.Now().Add(s.engine.scaled(rescale)))
	}
	return s.engine.db.Write(func(tx *state.Tx) error {
		for _, arn := range actions {
			if resource, name, ok := policyOf(arn); ok {
				s.engine.actOn(tx, a, resource, name)
			}
		}
		return nil
	})
}

// scaled is a wait at the engine's speed.
func (e *Engine) scaled(d time.Duration) time.Duration {
	return max(time.Duration(float64(d)/e.options.Speed), shortestPeriod)
}

// plan puts on the agenda when an action is due next.
func (s *scaler) plan(a *state.ScheduledAction) {
	if at, ok := s.engine.dueNext(a, s.engine.Now()); ok {
		s.agenda.Set(scaling{action: a.Key()}, at)
	}
}

func (s *scaler) scheduled(i scaling) error {
	return s.engine.db.Write(func(tx *state.Tx) error {
		for a := range tx.ScheduledActions("") {
			if a.Key() == i.action {
				s.engine.actAt(tx, a)
				s.plan(a)
			}
		}
		return nil
	})
}
