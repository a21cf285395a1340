package schedule

import (
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway/engine/state"
)

// A deployment that shifts traffic (BLUE_GREEN, LINEAR, CANARY) starts all its tasks beside those of the deployment that it
// replaces, its source, and only then lets traffic come to them. It goes through stages, one in a pass. [ecs-behaviour 1.7]

const (
	reconcile    = types.ServiceDeploymentLifecycleStageReconcileService
	preScaleUp   = types.ServiceDeploymentLifecycleStagePreScaleUp
	scaleUp      = types.ServiceDeploymentLifecycleStageScaleUp
	postScaleUp  = types.ServiceDeploymentLifecycleStagePostScaleUp
	testShift    = types.ServiceDeploymentLifecycleStageTestTrafficShift
	postTest     = types.ServiceDeploymentLifecycleStagePostTestTrafficShift
	preShift     = types.ServiceDeploymentLifecycleStage("PRE_PRODUCTION_TRAFFIC_SHIFT") // which the model's enumeration has for hooks only
	traffic      = types.ServiceDeploymentLifecycleStageProductionTrafficShift
	postTraffic  = types.ServiceDeploymentLifecycleStagePostProductionTrafficShift
	bake         = types.ServiceDeploymentLifecycleStageBakeTime
	cleanUp      = types.ServiceDeploymentLifecycleStageCleanUp
	stageLimit   = 24 * 60      // minutes that a stage may take
	overallLimit = 30 * 24 * 60 // minutes that the whole deployment may take
)

// The stages in their order: those of a deployment, and those of one that takes the traffic back from it. AWS documents
// that the hooks of the two traffic shifts run in a rollback too; that the others are passed over is unverified.
func stages(back bool) []types.ServiceDeploymentLifecycleStage {
	if back {
		return []types.ServiceDeploymentLifecycleStage{scaleUp, traffic, testShift, cleanUp}
	}
	return []types.ServiceDeploymentLifecycleStage{
		reconcile, preScaleUp, scaleUp, postScaleUp, testShift, postTest, preShift, traffic, postTraffic, bake, cleanUp,
	}
}

// shifting reports whether the PRIMARY deployment shifts traffic and has not come to its end.
func (p *pass) shifting() bool {
	return p.primary.Shift != nil && p.primary.State != types.DeploymentRolloutStateCompleted
}

func (p *pass) shift() {
	p.ceiling += p.desired // the tasks of two deployments are there at once
	for _, d := range p.olds {
		if d != p.source() && p.primary.Shift.Stage != reconcile { // and what reconciliation had to leave
			p.ceiling += len(d.tasks)
		}
	}
	p.replaceSick()
	p.breakCircuit()
	p.proceed()
	p.scale()
	p.complete()
}

// shiftBack returns the beginning of a rollback. Traffic that had not been shifted is not shifted back, but the stages are
// the same.
func (p *pass) shiftBack(broken *deployment) *state.Shift {
	return &state.Shift{
		Stage: scaleUp, Since: p.now, Back: true,
		Test: 100 - broken.Shift.Test, Production: 100 - broken.Shift.Production,
	}
}

// editShift returns the PRIMARY deployment's progress to be changed.
func (p *pass) editShift() *state.Shift {
	d := p.primary.edit()
	c := *d.Shift
	c.Hooks = slices.Clone(c.Hooks)
	d.Shift = &c
	return &c
}

// proceed enters the next stage once the present one has done what it is there for.
func (p *pass) proceed() {
	d := p.primary
	if d.Broken || !d.inProgress() || p.turned {
		return
	}
	if d.Shift.Stage == "" {
		p.begin()
		return
	}
	p.expireHooks()
	if f, failed := p.stageFailed(); failed {
		p.breakOff(f)
		return
	}
	if next := p.following(); next != "" && !p.openHooks() && p.achieved() {
		p.enter(next)
	}
}

// begin enters the first stage, unless the load balancers make all that follows impossible.
func (p *pass) begin() {
	if why := p.misrouted(); why != "" {
		p.breakOff(failing(state.CauseNetwork, "of invalid networking configuration. "+why))
		return
	}
	active := 0
	for _, d := range p.olds {
		if d.Status == state.Active {
			active++
		}
	}
	if active > 1 {
		p.enter(reconcile)
		return
	}
	p.enter(preScaleUp)
}

// following returns the stage after the present one; empty after the last.
func (p *pass) following() types.ServiceDeploymentLifecycleStage {
	s := p.primary.Shift
	if s.Stage == traffic && !s.Back && s.Production < 100 {
		return preShift
	}
	order := stages(s.Back)
	if i := slices.Index(order, s.Stage); i >= 0 && i+1 < len(order) {
		return order[i+1]
	}
	return ""
}

// enter begins a stage: what it does to the traffic is done at once, and its hooks begin to run.
func (p *pass) enter(stage types.ServiceDeploymentLifecycleStage) {
	s := p.editShift()
	s.Stage, s.Since = stage, p.now
	switch {
	case stage == testShift:
		s.Test = 100
		p.route(testRule, s.Test)
	case stage == traffic && s.Back:
		s.Production = 100
		p.route(productionRule, s.Production)
	case stage == traffic:
		s.Step++
		s.Production = p.share(s.Step)
		p.route(productionRule, s.Production)
	}
	s.Hooks = p.hooksOf(stage, s)
}

// share returns how many percent of the production traffic go to the PRIMARY deployment after that many steps. The first
// deployment of a service has nobody to share it with, nor has one whose source never served. [SDK: LinearConfiguration, CanaryConfiguration]
func (p *pass) share(step int) float64 {
	c, source := p.config(p.primary), p.source()
	switch {
	case source == nil, source.Completed.IsZero() && source.count(well) == 0:
		return 100
	case c.Strategy == types.DeploymentStrategyLinear && c.LinearConfiguration != nil:
		return min(float64(step)*aws.ToFloat64(c.LinearConfiguration.StepPercent), 100)
	case c.Strategy == types.DeploymentStrategyCanary && c.CanaryConfiguration != nil && step == 1:
		return aws.ToFloat64(c.CanaryConfiguration.CanaryPercent)
	default:
		return 100
	}
}

// achieved reports whether the stage, its hooks apart, has done what it is there for.
func (p *pass) achieved() bool {
	s, d := p.primary.Shift, p.primary
	switch {
	case s.Stage == reconcile:
		return p.reconciled()
	case s.Stage == scaleUp && s.Back: // as many as may be left to themselves
		return d.count(well) >= min(p.desired, max(p.floor, 1))
	case s.Stage == scaleUp, s.Stage == preShift: // hooks may have taken long, and tasks may have been lost
		return d.count(well) == p.desired && d.count(staying) == p.desired
	case s.Stage == traffic:
		return !p.now.Before(s.Since.Add(p.stepBake()))
	case s.Stage == bake:
		return !p.now.Before(s.Since.Add(p.minutes(float64(aws.ToInt32(p.config(d).BakeTimeInMinutes)))))
	default:
		return true
	}
}

// stepBake returns how long a part of the traffic stays where it was shifted to before more follows; nothing after the
// last part.
func (p *pass) stepBake() time.Duration {
	c, s := p.config(p.primary), p.primary.Shift
	switch {
	case s.Back || s.Production >= 100:
		return 0
	case c.LinearConfiguration != nil && c.Strategy == types.DeploymentStrategyLinear:
		return p.minutes(float64(aws.ToInt32(c.LinearConfiguration.StepBakeTimeInMinutes)))
	case c.CanaryConfiguration != nil && c.Strategy == types.DeploymentStrategyCanary:
		return p.minutes(float64(aws.ToInt32(c.CanaryConfiguration.CanaryBakeTimeInMinutes)))
	default:
		return 0
	}
}

// source returns the deployment that serves until the PRIMARY one does; nil when there is none, or no longer.
func (p *pass) source() *deployment {
	for _, d := range p.olds {
		if s := p.primary.Shift; s != nil && !s.Back && d.ID == s.Source {
			return d
		}
	}
	return nil
}

// scale starts and stops what the stage wants.
func (p *pass) scale() {
	s := p.primary.Shift
	p.evict()
	p.keepSource()
	if s.Back || slices.Index(stages(false), s.Stage) >= slices.Index(stages(false), scaleUp) {
		p.startNew()
	}
	switch {
	case p.primary.Broken:
	case s.Stage == reconcile:
		p.settleOnSource()
	case s.Stage == cleanUp:
		for _, d := range p.olds {
			p.stopOld(d.tasks, d.count(staying))
		}
		p.sayProtected()
	}
	p.shrink()
	p.sayStarts(p.unhealthy())
	p.sayStops()
	p.sayStuck()
	p.wantBoth()
}

// keepSource has the source keep the service's desired count, with its own revision, as long as it may be needed.
func (p *pass) keepSource() {
	d := p.source()
	if d == nil || p.primary.Shift.Stage == cleanUp {
		return
	}
	room := p.ceiling
	if p.primary.Shift.Stage != reconcile {
		room -= p.desired // the PRIMARY deployment's own: what is sick must not stand in its way
	}
	for _, old := range p.olds {
		room -= len(old.tasks)
	}
	if p.mayStart(d) {
		p.start(d, min(p.desired-d.count(good), room))
	}
	for _, t := range choose(d.tasks, d.count(good)-p.desired, p.healthy()-p.floor) {
		p.scaleIn(t)
	}
}

// settleOnSource gives all traffic to the source, when it can take it, and stops the other deployments that are left over.
// What is not healthy or gets no traffic serves nobody, and goes at once.
func (p *pass) settleOnSource() {
	source := p.source()
	if source == nil {
		return
	}
	ready := source.count(well) >= p.floor || source.Broken && source.count(well) > 0 // it won't have more
	if ready {
		p.route(productionRule, 0)
	}
	idle := len(p.routed(productionRule)) > 0 && p.untouched() // behind the PRIMARY deployment's target groups
	for _, d := range p.olds {
		for _, t := range d.tasks {
			if d != source && staying(t) && !t.protected && (ready || !t.healthy || idle && p.shares(d)) {
				p.scaleIn(t)
			}
		}
	}
}

// reconciled reports whether nothing but the source is left, and has the traffic. A source that is no use, because it has
// failed and lost its tasks or has never had what the others have, doesn't matter: they serve until the PRIMARY one does.
func (p *pass) reconciled() bool {
	source := p.source()
	others := slices.DeleteFunc(slices.Clone(p.olds), func(d *deployment) bool { return d == source || len(d.tasks) == 0 })
	if source != nil {
		lost := source.Broken && source.count(staying) == 0
		never := source.Completed.IsZero() && source.count(well) == 0
		if lost || never && slices.ContainsFunc(others, func(d *deployment) bool { return d.count(well) > 0 }) {
			return true
		}
		if !source.Completed.IsZero() && !p.untouched() {
			return false
		}
	}
	return len(others) == 0
}

// wantBoth notes how many tasks each deployment is meant to have from now on.
func (p *pass) wantBoth() {
	p.setWanted(p.primary, min(p.desired, max(p.primary.Wanted, p.startedOf(p.primary))))
	for _, d := range p.olds {
		wanted := d.count(staying)
		if d == p.source() && p.primary.Shift.Stage != cleanUp {
			wanted = p.desired
		}
		p.setWanted(d, wanted)
	}
}

// stageFailed reports whether the stage has failed or takes too long. A rollback goes on whatever its hooks say.
func (p *pass) stageFailed() (failure, bool) {
	s, d := p.primary.Shift, p.primary
	if s.Back {
		return failure{}, false
	}
	if why := p.hookFailures(); why != "" {
		return failing(state.CauseHook, string(s.Stage)+" lifecycle hook(s) failed. "+why), true
	}
	waits := s.Stage == bake || s.Stage == traffic || p.openHooks() // these have limits of their own
	switch {
	case !waits && !p.now.Before(s.Since.Add(p.minutes(stageLimit))):
		return failing(state.CauseTime, "the lifecycle stage "+string(s.Stage)+" did not complete within 24 hours."), true
	case !p.now.Before(d.Created.Add(p.minutes(overallLimit))):
		return failing(state.CauseTime, "it did not complete within 30 days."), true
	default:
		return failure{}, false
	}
}
