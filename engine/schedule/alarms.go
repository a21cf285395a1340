package schedule

import (
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway/engine/state"
)

// alarmTimeMax bounds how long alarms are watched after a rolling deployment unless that is said; AWS computes it from the
// alarms and gives less than 5 minutes. [ecs-behaviour 1.4]
const alarmTimeMax = 5 // minutes

// alarms returns the alarms that a deployment is watched by; nil when there are none.
func (p *pass) alarms(d *deployment) *types.DeploymentAlarms {
	if a := p.config(d).Alarms; a != nil && a.Enable && len(a.AlarmNames) > 0 {
		return a
	}
	return nil
}

// alarmed reports whether an alarm of the PRIMARY deployment goes off. When one is in ALARM at the start, none of them
// matters to this deployment. [ecs-behaviour 1.4]
func (p *pass) alarmed() (failure, bool) {
	d, a := p.primary, p.alarms(p.primary)
	if a == nil || !d.Completed.IsZero() {
		return failure{}, false
	}
	on := p.alarming(a)
	switch d.Alarms.Status {
	case "":
		d.edit().Alarms.Status = types.ServiceDeploymentRollbackMonitorsStatusMonitoring
		if len(on) > 0 {
			d.edit().Alarms.Status = types.ServiceDeploymentRollbackMonitorsStatusDisabled
		}
		return failure{}, false
	case types.ServiceDeploymentRollbackMonitorsStatusDisabled:
		return failure{}, false
	}
	if len(on) == 0 {
		return failure{}, false
	}
	d.edit().Alarms = state.AlarmWatch{Status: types.ServiceDeploymentRollbackMonitorsStatusTriggered, Triggered: on}
	return failure{
		cause: state.CauseAlarm, rollback: a.Rollback, event: "alarm detected.", reason: reasonAlarm, back: reasonAlarmed,
		because: "CloudWatch alarm(s) were detected: " + strings.Join(on, ", ") + ".",
	}, true
}

// alarming returns the names of the alarms that are in the state ALARM. One that is not there is not.
func (p *pass) alarming(a *types.DeploymentAlarms) []string {
	var on []string
	for _, name := range a.AlarmNames {
		if alarm, ok := p.snap.Alarm(name); ok && alarm.Alarming() {
			on = append(on, name)
		}
	}
	slices.Sort(on)
	return on
}

// alarmTime returns how long the alarms of the PRIMARY deployment need to notice something.
func (p *pass) alarmTime() time.Duration {
	a := p.alarms(p.primary)
	if a == nil || p.primary.Alarms.Status == types.ServiceDeploymentRollbackMonitorsStatusDisabled {
		return 0
	}
	longest := 0.0
	for _, name := range a.AlarmNames {
		if alarm, ok := p.snap.Alarm(name); ok {
			seconds := float64(aws.ToInt32(alarm.Doc.Period)) * float64(aws.ToInt32(alarm.Doc.EvaluationPeriods))
			longest = max(longest, seconds/60)
		}
	}
	return p.minutes(min(longest, alarmTimeMax))
}

// describeAlarms tells what the alarms of a deployment have said.
func (p *pass) describeAlarms(doc *types.ServiceDeployment, d *deployment) {
	a := p.alarms(d)
	if a == nil {
		doc.Alarms = &types.ServiceDeploymentAlarms{Status: types.ServiceDeploymentRollbackMonitorsStatusDisabled}
		return
	}
	status := d.Alarms.Status
	switch {
	case status == "":
		status = types.ServiceDeploymentRollbackMonitorsStatusMonitoring
	case status == types.ServiceDeploymentRollbackMonitorsStatusMonitoring && (d.Broken || !d.inProgress()):
		status = types.ServiceDeploymentRollbackMonitorsStatusMonitoringComplete
	}
	doc.Alarms = &types.ServiceDeploymentAlarms{Status: status, AlarmNames: a.AlarmNames, TriggeredAlarmNames: d.Alarms.Triggered}
}
