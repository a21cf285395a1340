package engine

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"github.com/slipway-cd/slipway/engine/agenda"
	"github.com/slipway-cd/slipway/engine/metrics"
	"github.com/slipway-cd/slipway/engine/state"
)

// shortestPeriod bounds how often an alarm is judged, whatever the speed.
const shortestPeriod = 10 * time.Millisecond

// Metrics returns the data points that clients have put. They are in memory: an engine that starts anew has none.
func (e *Engine) Metrics() *metrics.Store { return &e.metrics }

// AlarmPeriod returns how long a period of an alarm lasts at the engine's speed.
func (e *Engine) AlarmPeriod(a types.MetricAlarm) time.Duration {
	return max(time.Duration(float64(aws.ToInt32(a.Period))*float64(time.Second)/e.options.Speed), shortestPeriod)
}

// SetAlarm puts an alarm in a state, for that reason, and notes it in the alarm's history when it is another one.
func (e *Engine) SetAlarm(tx *state.Tx, a *state.Alarm, to types.StateValue, reason, data string) {
	now := e.Now()
	changed := *a
	changed.Doc.StateValue, changed.Doc.StateReason, changed.Doc.StateReasonData = to, &reason, nil
	if data != "" {
		changed.Doc.StateReasonData = &data
	}
	changed.Doc.StateUpdatedTimestamp = &now
	if from := a.Doc.StateValue; from != to {
		changed.Doc.StateTransitionedTimestamp = &now
		e.NoteAlarm(tx, a.Name, types.HistoryItemTypeStateUpdate, fmt.Sprintf("Alarm updated from %s to %s", from, to), map[string]any{
			"version": "1.0", "oldState": stateOf(a.Doc), "newState": stateOf(changed.Doc),
		})
	}
	tx.Put(&changed)
}

func stateOf(a types.MetricAlarm) map[string]any {
	s := map[string]any{"stateValue": a.StateValue, "stateReason": aws.ToString(a.StateReason)}
	if data := aws.ToString(a.StateReasonData); json.Valid([]byte(data)) {
		s["stateReasonData"] = json.RawMessage(data)
	}
	return s
}

// NoteAlarm adds an entry to an alarm's history. The data are given as JSON.
func (e *Engine) NoteAlarm(tx *state.Tx, name string, kind types.HistoryItemType, summary string, data any) {
	now := e.Now()
	history := tx.AlarmHistory(name)
	if len(history.List) > 0 { // no two entries bear the same time
		now = later(now, aws.ToTime(history.List[0].Timestamp).Add(time.Millisecond))
	}
	text, err := json.Marshal(data)
	if err != nil {
		text = []byte("{}")
	}
	tx.Put(history.Add(types.AlarmHistoryItem{
		AlarmName: &name, AlarmType: types.AlarmTypeMetricAlarm, HistoryItemType: kind, Timestamp: &now,
		HistorySummary: &summary, HistoryData: aws.String(string(text)),
	}))
}

// watchman judges each alarm by its data at the end of each of its periods. An alarm whose metric was never put stays in
// the state that it was set to.
type watchman struct {
	engine *Engine
	watch  *state.Watcher
	agenda agenda.Agenda[string] // by the alarm's name
}

func newWatchman(e *Engine) *watchman {
	w := &watchman{engine: e, watch: e.db.Watch(state.KindAlarm)}
	for a := range e.db.Read().Alarms() {
		w.note(a)
	}
	return w
}

func (w *watchman) run(ctx context.Context) {
	defer w.watch.Close()
	for ctx.Err() == nil {
		for _, c := range nextChanges(ctx, w.watch, &w.agenda) {
			if a, ok := c.After.(*state.Alarm); ok {
				w.note(a)
			} else {
				w.agenda.Drop(c.Key)
			}
		}
		for _, name := range w.agenda.Due(w.engine.Now(), batch) {
			w.judge(name)
		}
	}
}

// nextChanges waits for changes; it returns none when something on the agenda is due first.
func nextChanges[K comparable](ctx context.Context, watch *state.Watcher, a *agenda.Agenda[K]) []state.Change {
	if at, ok := a.Next(); ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, at)
		defer cancel()
	}
	changes, _ := watch.Next(ctx) // an error means that there are none
	return changes
}

// note has an alarm judged at the end of its present period.
func (w *watchman) note(a *state.Alarm) {
	if !metrics.Judged(a.Doc) {
		w.agenda.Drop(a.Name)
		return
	}
	period := w.engine.AlarmPeriod(a.Doc)
	w.agenda.Set(a.Name, metrics.Floor(w.engine.Now(), period).Add(period))
}

func (w *watchman) judge(name string) {
	a, ok := w.engine.db.Read().Alarm(name)
	if !ok || !metrics.Judged(a.Doc) {
		return
	}
	w.note(a)
	v, ok := w.engine.judge(a.Doc)
	if !ok || v.State == a.Doc.StateValue {
		return
	}
	err := w.engine.db.Write(func(tx *state.Tx) error {
		if now, ok := tx.Alarm(name); ok && now == a { // else it is judged again soon
			w.engine.SetAlarm(tx, a, v.State, v.Reason, reasonData(a.Doc, v))
		}
		return nil
	})
	if err != nil {
		w.engine.options.Logger.Error("the state of an alarm could not be stored; it is judged again", "alarm", name, "error", err)
	}
}

// judge looks at an alarm's data; false when there have never been any.
func (e *Engine) judge(a types.MetricAlarm) (metrics.Verdict, bool) {
	series := metrics.SeriesOf(aws.ToString(a.Namespace), aws.ToString(a.MetricName), a.Dimensions)
	if !e.metrics.Known(series) {
		return metrics.Verdict{}, false
	}
	period := e.AlarmPeriod(a)
	end := metrics.Floor(e.Now(), period)
	data := map[time.Time]float64{}
	for begin, p := range e.metrics.Periods(series, end.Add(-metrics.Range(a, period)), end, period, a.Unit) {
		data[begin] = p.Statistic(a.Statistic)
	}
	return metrics.Judge(a, end, period, data), true
}

// reasonData is what CloudWatch tells programs of a change: Application Auto Scaling reads the newest value from it.
func reasonData(a types.MetricAlarm, v metrics.Verdict) string {
	data := map[string]any{
		"version": "1.0", "statistic": a.Statistic, "period": aws.ToInt32(a.Period), "threshold": aws.ToFloat64(a.Threshold),
		"recentDatapoints": append([]float64{}, v.Values...),
	}
	if len(v.Begins) > 0 {
		maps.Copy(data, map[string]any{
			"startDate": v.Begins[len(v.Begins)-1].Format("2006-01-02T15:04:05.000+0000"),
			"queryDate": v.Begins[0].Format("2006-01-02T15:04:05.000+0000"),
		})
	}
	text, err := json.Marshal(data)
	if err != nil { // a value that is no number
		return ""
	}
	return string(text)
}
