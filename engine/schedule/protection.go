package schedule

// sayProtected tells which deployments keep more tasks than they are to have, because those that are too many are
// protected. [ecs-behaviour 1.8]
func (p *pass) sayProtected() {
	shielded := func(t *task) bool { return staying(t) && t.protected }
	replaced := p.primary.count(well) - p.desired
	for _, d := range p.olds {
		replaced += d.count(staying)
	}
	for _, d := range p.current() {
		excess := replaced
		if d == p.primary {
			excess = d.count(good) - p.desired
		}
		p.sayShielded(d, min(excess, d.count(shielded)))
	}
}

func (p *pass) sayShielded(d *deployment, n int) {
	if n <= 0 {
		d.overcome(sortProtected)
		return
	}
	p.sayOnce(d, sortProtected, ") was unable to reach steady state because (taskSet %s) was unable to scale in due to (reason %d tasks under protection)", d.ID, n)
}
