package schedule

import (
	"cmp"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// config returns how a deployment goes: what the service said when it began.
func (p *pass) config(d *deployment) *types.DeploymentConfiguration {
	if history, ok := p.snap.ServiceDeployment(d.ServiceDeployment); ok && history.Doc.DeploymentConfiguration != nil {
		return history.Doc.DeploymentConfiguration
	}
	return cmp.Or(p.service.Doc.DeploymentConfiguration, &types.DeploymentConfiguration{})
}

// early returns what the PRIMARY deployment needs to be completed before the service is stable; nil when it has to wait
// for that, as rollbacks do. [SDK: DeploymentEarlySuccessCriteria]
func (p *pass) early() *types.DeploymentEarlySuccessCriteria {
	if c := p.config(p.primary).EarlySuccessCriteria; c != nil && c.Enable && p.primary.Completed.IsZero() {
		return c
	}
	return nil
}

// enough reports whether as many tasks of the PRIMARY deployment are healthy as it needs to be completed.
func (p *pass) enough(c *types.DeploymentEarlySuccessCriteria) bool {
	percent := int(aws.ToInt32(cmp.Or(c.HealthyPercent, aws.Int32(100))))
	return !p.turned && p.primary.count(well) >= Floor(p.desired, percent)
}

// clearEarly stops what is being replaced as soon as enough new tasks are healthy, when the deployment may be completed
// then but waits for that.
func (p *pass) clearEarly() {
	c := p.early()
	if c == nil || !p.primary.inProgress() || c.SourceServiceRevisionCleanup != types.ServiceRevisionCleanupBlocking || !p.enough(c) {
		return
	}
	for _, d := range p.olds {
		p.stopOld(d.tasks, d.count(staying))
	}
}

// baked reports whether a deployment that has all it wants was watched for long enough. A rollback is not watched; one
// that shifts traffic has a stage for it.
func (p *pass) baked() bool {
	d := p.primary
	wait := p.bakeTime()
	if wait <= 0 || d.Shift != nil || !d.Completed.IsZero() {
		return true
	}
	if d.Baking.IsZero() {
		d.edit().Baking = p.now
	}
	return !p.now.Before(d.Baking.Add(wait))
}

// bakeTime returns for how long the PRIMARY deployment is watched at its end: what it says, or what its alarms need.
func (p *pass) bakeTime() time.Duration {
	if minutes := aws.ToInt32(p.config(p.primary).BakeTimeInMinutes); minutes > 0 {
		return p.minutes(float64(minutes))
	}
	return p.alarmTime()
}

// minutes returns so many minutes at the engine's pace.
func (p *pass) minutes(n float64) time.Duration {
	return time.Duration(n * float64(time.Minute) / p.pace.Speed)
}
