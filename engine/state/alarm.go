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
