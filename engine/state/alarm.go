package state

import (
	"iter"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
)

// Alarm is a metric alarm. Doc is what CloudWatch describes, its state included.
type Alarm struct {
	Name string
	Doc  types.MetricAlarm
	Tags []types.Tag
}

func (a *Alarm) Kind() Kind  { return KindAlarm }
func (a *Alarm) Key() string { return a.Name }

// Alarming reports whether the alarm is in the state ALARM.
func (a *Alarm) Alarming() bool { return a.Doc.StateValue == types.StateValueAlarm }

// Alarm returns the metric alarm with that name.
func (s Snapshot) Alarm(name string) (*Alarm, bool) { return get[*Alarm](s, KindAlarm, name) }

// Alarms returns all metric alarms, by name.
func (s Snapshot) Alarms() iter.Seq[*Alarm] { return all[*Alarm](s, KindAlarm, "") }

// AlarmHistoryLimit is how many entries of an alarm's history are kept.
const AlarmHistoryLimit = 100

// AlarmHistory is what became of an alarm, newest first. It outlives the alarm, as with AWS.
type AlarmHistory struct {
	Name string
	List []types.AlarmHistoryItem
}

func (h *AlarmHistory) Kind() Kind  { return KindAlarmHistory }
func (h *AlarmHistory) Key() string { return h.Name }

// Add returns the history with one more entry, the oldest beyond AlarmHistoryLimit dropped.
func (h *AlarmHistory) Add(item types.AlarmHistoryItem) *AlarmHistory {
	list := append([]types.AlarmHistoryItem{item}, h.List[:min(len(h.List), AlarmHistoryLimit-1)]...)
	return &AlarmHistory{Name: h.Name, List: list}
}

// AlarmHistory returns what became of an alarm.
func (s Snapshot) AlarmHistory(name string) *AlarmHistory {
	if h, ok := get[*AlarmHistory](s, KindAlarmHistory, name); ok {
		return h
	}
	return &AlarmHistory{Name: name}
}

// AlarmHistories returns the histories of all alarms, by name.
func (s Snapshot) AlarmHistories() iter.Seq[*AlarmHistory] {
	return all[*AlarmHistory](s, KindAlarmHistory, "")
}
