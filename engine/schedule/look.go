package schedule

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway/engine/state"
)

// pass is one look at a service: what is there, and what has been decided so far.
type pass struct {
	snap    state.Snapshot
	now     time.Time
	pace    Pace
	service *state.Service // a changed copy once edited
	plan    Plan

	desired, floor, ceiling int

	primary *deployment
	olds    []*deployment // those being replaced, newest first
	past    []*deployment // INACTIVE ones without tasks
	ended   []*task       // stopped tasks whose consequences are still to be drawn
	fleet   *Fleet        // nil until a place is sought
	missing int           // tasks of the PRIMARY deployment that could not be started now, though they may be
	refusal *Failure      // why one of them found no place
	turned  bool          // this pass rolls back
}

// deployment is a deployment with its tasks.
type deployment struct {
	*state.Deployment         // a changed copy once edited
	edited, known     bool    // known: there is a record of it
	tasks             []*task // those that have not come to their end
	definition        *state.TaskDefinition
	revision          types.ServiceRevision
	mappings          []mapping
	checked           []string // essential containers with a health check
	shares            *Shares  // how its tasks are shared among capacity providers; see sharing
}

// task is a task of the service.
type task struct {
	*state.Task
	of      *deployment
	healthy bool
	sick    *sickness // why it has to be replaced; nil when it hasn't
	stopped bool      // this pass stops it
	surplus bool      // and nothing takes its place

	leaving   bool // it cannot stay on its container instance
	protected bool // neither scaling in nor a deployment may stop it
}

// look gathers what is known of a service. It costs as much as the service has tasks that are not Settled.
func look(snap state.Snapshot, key state.ServiceKey, now time.Time, pace Pace) (*pass, bool) {
	service, ok := snap.Service(key)
	if !ok || aws.ToString(service.Doc.Status) == statusInactive {
		return nil, false
	}
	p := &pass{snap: snap, now: now, pace: pace, service: service}
	p.bounds()
	byID := map[state.DeploymentID]*deployment{}
	for d := range snap.Deployments(key) {
		byID[d.ID] = &deployment{Deployment: d, known: true}
	}
	p.assign(byID)
	p.sort(byID)
	return p, true
}

// bounds says how many tasks there must and may be. [ecs-behaviour 1.2]
func (p *pass) bounds() {
	if p.status() == statusDraining {
		return
	}
	low, high := 100, 200
	if c := p.service.Doc.DeploymentConfiguration; c != nil {
		low = int(aws.ToInt32(cmp.Or(c.MinimumHealthyPercent, aws.Int32(100))))
		high = int(aws.ToInt32(cmp.Or(c.MaximumPercent, aws.Int32(200))))
	}
	p.desired = p.service.Desired()
	p.floor, p.ceiling = Floor(p.desired, low), Ceiling(p.desired, high)
}

// Floor returns how many healthy tasks a deployment leaves: the desired count's minimumHealthyPercent, rounded up.
func Floor(desired, percent int) int { return (desired*percent + 99) / 100 }

// Ceiling returns how many tasks may be there during a deployment: the desired count's maximumPercent, rounded down.
func Ceiling(desired, percent int) int { return desired * percent / 100 }

// assign gives each deployment its tasks.
func (p *pass) assign(byID map[state.DeploymentID]*deployment) {
	for t := range p.snap.UnsettledTasksOfService(p.service.ID) {
		d, ok := byID[t.Deployment]
		if !ok { // a deployment that nobody remembers: its tasks go
			d = &deployment{Deployment: &state.Deployment{ID: t.Deployment, Status: state.Inactive, Broken: true}}
			byID[t.Deployment] = d
		}
		view := &task{Task: t, of: d, leaving: p.leaves(t), protected: t.Protected.After(p.now)}
		if t.Alive() {
			d.tasks = append(d.tasks, view)
		} else {
			p.ended = append(p.ended, view)
		}
	}
}

// sort tells the deployment that is wanted from those that are being replaced and those that are history.
func (p *pass) sort(byID map[state.DeploymentID]*deployment) {
	for _, id := range slices.Sorted(maps.Keys(byID)) {
		d := byID[id]
		switch {
		case d.Status == state.Primary:
			p.primary = d
		case d.Status == state.Active || len(d.tasks) > 0:
			p.olds = append(p.olds, d)
		default:
			p.past = append(p.past, d)
		}
	}
	if p.primary == nil { // a service without a deployment wants nothing
		p.primary = &deployment{Deployment: &state.Deployment{Status: state.Primary, Broken: true}}
	}
	slices.SortStableFunc(p.olds, func(a, b *deployment) int { return b.Created.Compare(a.Created) })
	for _, d := range p.current() {
		p.equip(d)
	}
}

// equip adds what a deployment's revision says.
func (p *pass) equip(d *deployment) {
	if r, ok := p.snap.Revision(d.Revision); ok {
		d.revision = r.Doc
	}
	definition, ok := p.snap.TaskDefinition(d.TaskDefinition)
	if !ok {
		return
	}
	d.definition, d.mappings = definition, mappings(definition)
	for _, c := range definition.Doc.ContainerDefinitions {
		if c.HealthCheck != nil && (c.Essential == nil || *c.Essential) {
			d.checked = append(d.checked, aws.ToString(c.Name))
		}
	}
}

// current returns the PRIMARY deployment and those being replaced.
func (p *pass) current() []*deployment { return append([]*deployment{p.primary}, p.olds...) }

// all returns every deployment of the service.
func (p *pass) all() []*deployment { return append(p.current(), p.past...) }

// moment returns the time of the pass for a document to keep. A pointer into the pass itself would keep all of it.
func (p *pass) moment() *time.Time {
	at := p.now
	return &at
}

func (p *pass) status() string { return aws.ToString(p.service.Doc.Status) }

// alive counts the tasks that occupy a slot, stopping ones included.
func (p *pass) alive() int {
	n := 0
	for _, d := range p.current() {
		n += len(d.tasks)
	}
	return n
}

// room is how many more tasks may be started.
func (p *pass) room() int { return p.ceiling - p.alive() - len(p.plan.Start) }

// healthy counts the healthy tasks that stay.
func (p *pass) healthy() int {
	n := 0
	for _, d := range p.current() {
		n += d.count(well)
	}
	return n
}

// stopping counts the tasks that will free their slot.
func (p *pass) stopping() int {
	n := 0
	for _, d := range p.current() {
		n += len(d.tasks) - d.count(staying)
	}
	return n
}

func (d *deployment) count(of func(*task) bool) int {
	n := 0
	for _, t := range d.tasks {
		if of(t) {
			n++
		}
	}
	return n
}

// staying: nobody wants the task stopped.
func staying(t *task) bool {
	return !t.stopped && t.Desired != state.Stopped && !state.Running.Before(t.Last)
}

// good: the task stays and nothing is known against it.
func good(t *task) bool { return staying(t) && t.sick == nil && !t.leaving }

// stillborn: the task has failed to start and is on its way to its end.
func stillborn(t *task) bool { return fateOf(t.Task) == neverRan }

// well: the task stays and is healthy.
func well(t *task) bool { return staying(t) && t.healthy }

func (d *deployment) inProgress() bool { return d.State == types.DeploymentRolloutStateInProgress }

// edit returns the record to be changed; the plan will contain it.
func (d *deployment) edit() *state.Deployment {
	if !d.edited {
		c := *d.Deployment
		c.Told = maps.Clone(c.Told)
		d.Deployment, d.edited = &c, true
	}
	return d.Deployment
}

// editService returns the service's record to be changed; the plan will contain it.
func (p *pass) editService() *state.Service {
	if p.plan.Service == nil {
		c := *p.service
		p.service, p.plan.Service = &c, &c
	}
	return p.service
}
