package schedule

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	v2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/slipway-cd/slipway/engine/state"
)

// retarget registers the running tasks with their load balancers, and deregisters those that are to stop or have stopped.
// A task serves until then: the decision to stop it and its deregistration are one pass apart. [ecs-behaviour 1.2, trace]
func (p *pass) retarget() {
	var registered, deregistered tally
	drained := map[*deployment]int{}
	for _, d := range p.current() {
		for _, t := range d.tasks {
			if !staying(t) {
				drained[d] += p.deregister(t, &deregistered)
			} else if t.Last == state.Running && p.status() != statusDraining {
				p.register(t, &registered)
			}
		}
	}
	for _, t := range p.ended {
		drained[t.of] += p.deregister(t, &deregistered)
	}
	p.sayTargets("registered", registered)
	p.sayTargets("deregistered", deregistered)
	for _, d := range p.all() {
		p.sayDraining(d, drained[d])
	}
}

func (p *pass) sayDraining(d *deployment, tasks int) {
	switch {
	case tasks == 0:
	case d == p.primary:
		p.say(") has begun draining connections on %d tasks.", tasks)
	default:
		p.say(", taskSet %s) has begun draining connections on %d tasks.", d.ID, tasks)
	}
}

func (p *pass) sayTargets(what string, counts tally) {
	for _, c := range counts {
		noun := "targets"
		if isClassic(c.group) {
			noun = "instances"
		}
		p.say(") %s %d %s in %s", what, c.n, noun, groupName(c.group))
	}
}

// register puts the task's targets that are not there yet.
func (p *pass) register(t *task, counts *tally) {
	for _, b := range t.of.balancers() {
		want, ok := p.target(t, b)
		if !ok {
			p.sayOnce(t.of, sortTargets, ") failed to register targets in %s", balancerName(b))
			continue
		}
		if is, ok := p.snap.Target(want.Key()); ok && (is.Task == t.ID || p.inUse(is)) {
			continue
		}
		p.plan.Register = append(p.plan.Register, want)
		counts.add(want.Group)
	}
}

// inUse reports whether a target still belongs to somebody else.
func (p *pass) inUse(is *state.Target) bool {
	if !is.Draining.IsZero() {
		return false
	}
	other, ok := p.snap.Task(is.Task)
	return !ok || other.Alive()
}

// deregister begins to drain the task's targets and returns 1 when there was one to be drained.
func (p *pass) deregister(t *task, counts *tally) int {
	drained := 0
	for is := range p.snap.TargetsOfTask(t.ID) {
		if !is.Draining.IsZero() {
			continue
		}
		target := *is
		target.Draining, target.Since = p.now, p.now
		target.Health = v2.TargetHealthStateEnumDraining
		target.Reason = v2.TargetHealthReasonEnumDeregistrationInProgress
		target.Description = "Target deregistration is in progress"
		p.plan.Deregister = append(p.plan.Deregister, &target)
		counts.add(target.Group)
		drained = 1
	}
	return drained
}

// target returns the target that the task is for an entry of its revision's load balancers; not ok when the target group,
// the container or its port is not there.
func (p *pass) target(t *task, b types.LoadBalancer) (*state.Target, bool) {
	port, ok := hostPort(t, aws.ToString(b.ContainerName), int(aws.ToInt32(b.ContainerPort)))
	if !ok {
		return nil, false
	}
	target := &state.Target{
		Port: port, Zone: t.Zone, Address: netip.AddrPortFrom(t.Address, uint16(port)), Task: t.ID,
		Registered: p.now, Since: p.now, Health: v2.TargetHealthStateEnumInitial,
		Reason: v2.TargetHealthReasonEnumRegistrationInProgress, Description: "Target registration is in progress",
	}
	if name := aws.ToString(b.LoadBalancerName); name != "" {
		target.Group = state.ClassicGroup(name)
		target.ID, ok = p.ec2ID(t)
		return target, ok
	}
	group, ok := p.snap.TargetGroup(aws.ToString(b.TargetGroupArn))
	if !ok {
		return nil, false
	}
	target.Group = group.ARN
	if group.Doc.TargetType == v2.TargetTypeEnumIp {
		target.ID = t.Address.String()
		return target, t.Address.IsValid()
	}
	target.ID, ok = p.ec2ID(t)
	return target, ok
}

func (p *pass) ec2ID(t *task) (string, bool) {
	i, ok := p.snap.Instance(t.Instance)
	if !ok || aws.ToString(i.Doc.Ec2InstanceId) == "" {
		return "", false
	}
	return *i.Doc.Ec2InstanceId, true
}

// hostPort returns the host port of a container's port: the task's ports are in the order of the definition's mappings.
func hostPort(t *task, container string, port int) (int, bool) {
	for i, m := range t.of.mappings {
		if m.container == container && m.port == port && i < len(t.Ports) {
			return t.Ports[i].Port, true
		}
	}
	return 0, false
}

const classicPrefix = "classic/"

func isClassic(group string) bool { return strings.HasPrefix(group, classicPrefix) }

func groupName(group string) string {
	if isClassic(group) {
		return fmt.Sprintf("(elb %s)", strings.TrimPrefix(group, classicPrefix))
	}
	return fmt.Sprintf("(target-group %s)", group)
}

func balancerName(b types.LoadBalancer) string {
	if name := aws.ToString(b.LoadBalancerName); name != "" {
		return groupName(state.ClassicGroup(name))
	}
	return groupName(aws.ToString(b.TargetGroupArn))
}

// tally counts targets by group, in the order in which the groups were met.
type tally []struct {
	group string
	n     int
}

func (c *tally) add(group string) {
	for i := range *c {
		if (*c)[i].group == group {
			(*c)[i].n++
			return
		}
	}
	*c = append(*c, struct {
		group string
		n     int
	}{group, 1})
}
