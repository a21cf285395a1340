package schedule

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	v2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/slipway-cd/slipway/engine/state"
)

// balancers returns the load balancers of a deployment's revision, each with the target group that is this revision's.
func (d *deployment) balancers() []types.LoadBalancer {
	list := d.revision.LoadBalancers
	if !slices.ContainsFunc(list, func(b types.LoadBalancer) bool { return b.AdvancedConfiguration != nil }) {
		return list
	}
	list = slices.Clone(list)
	for i, b := range list {
		own, _ := Groups(d.revision, b)
		list[i].TargetGroupArn = aws.String(own)
	}
	return list
}

// Groups returns the ARNs of the two target groups of a load balancer that traffic is shifted behind: the revision's own,
// and the other one. Without an alternate group the other one is empty.
func Groups(r types.ServiceRevision, b types.LoadBalancer) (own, other string) {
	own = aws.ToString(b.TargetGroupArn)
	if b.AdvancedConfiguration == nil {
		return own, ""
	}
	other = aws.ToString(b.AdvancedConfiguration.AlternateTargetGroupArn)
	if c := r.ResolvedConfiguration; c != nil && slices.ContainsFunc(c.LoadBalancers, func(l types.ServiceRevisionLoadBalancer) bool {
		return aws.ToString(l.TargetGroupArn) == other
	}) {
		return other, own
	}
	return own, other
}

// Shifts reports whether deployments so configured shift traffic.
func Shifts(c *types.DeploymentConfiguration) bool {
	return c != nil && c.Strategy != "" && c.Strategy != types.DeploymentStrategyRolling
}

// Resolve returns which target groups a new revision of a service registers with, of the two that each load balancer with
// an advanced configuration has: when traffic is to be shifted those that the deployment that serves now doesn't use, else
// the same. Nil: there is nothing to choose.
func Resolve(snap state.Snapshot, key state.ServiceKey, balancers []types.LoadBalancer, shifts bool) *types.ResolvedConfiguration {
	var serving types.ServiceRevision
	d := servingNow(snap, key)
	if d != nil {
		if r, ok := snap.Revision(d.Revision); ok {
			serving = r.Doc
		}
	}
	var list []types.ServiceRevisionLoadBalancer
	for _, b := range balancers {
		if b.AdvancedConfiguration == nil {
			continue
		}
		own, alternate := aws.ToString(b.TargetGroupArn), aws.ToString(b.AdvancedConfiguration.AlternateTargetGroupArn)
		if d != nil && uses(serving, alternate) != shifts {
			own = alternate
		}
		list = append(list, types.ServiceRevisionLoadBalancer{
			TargetGroupArn: aws.String(own), ProductionListenerRule: b.AdvancedConfiguration.ProductionListenerRule,
		})
	}
	if list == nil {
		return nil
	}
	return &types.ResolvedConfiguration{LoadBalancers: list}
}

// NewShift returns the beginning of a deployment that shifts traffic, for a service that is deployed so; nil for others.
func NewShift(snap state.Snapshot, s *state.Service) *state.Shift {
	if !Shifts(s.Doc.DeploymentConfiguration) {
		return nil
	}
	shift := &state.Shift{}
	if d := servingNow(snap, s.ID); d != nil {
		shift.Source = d.ID
	}
	return shift
}

// servingNow returns the deployment that serves until the next one does: of those described that have healthy tasks the
// last one that was completed, else the one that had the most traffic, has the most tasks, or is the newest.
func servingNow(snap state.Snapshot, key state.ServiceKey) *state.Deployment {
	healthy := map[state.DeploymentID]int{}
	for t := range snap.UnsettledTasksOfService(key) {
		if t.Healthy && t.Last == state.Running && t.Desired == state.Running {
			healthy[t.Deployment]++
		}
	}
	var serving *state.Deployment
	for d := range snap.Deployments(key) {
		if d.Status != state.Inactive && (serving == nil || servesBetter(d, serving, healthy)) {
			serving = d
		}
	}
	return serving
}

func servesBetter(a, b *state.Deployment, healthy map[state.DeploymentID]int) bool {
	return cmp.Or(
		cmp.Compare(min(healthy[a.ID], 1), min(healthy[b.ID], 1)),
		a.Completed.Compare(b.Completed),
		cmp.Compare(served(a), served(b)),
		cmp.Compare(healthy[a.ID], healthy[b.ID]),
		a.Created.Compare(b.Created),
	) > 0
}

// served returns how many percent of the production traffic a deployment has had at its best.
func served(d *state.Deployment) float64 {
	if d.Shift == nil {
		return 100
	}
	return d.Shift.Production
}

// uses reports whether the tasks of a revision are registered with that target group.
func uses(r types.ServiceRevision, group string) bool {
	return slices.ContainsFunc(r.LoadBalancers, func(b types.LoadBalancer) bool {
		own, _ := Groups(r, b)
		return own == group
	})
}

// A routing names one of the two listener rules of a load balancer.
type routing func(*types.AdvancedConfiguration) string

func productionRule(c *types.AdvancedConfiguration) string {
	return aws.ToString(c.ProductionListenerRule)
}

func testRule(c *types.AdvancedConfiguration) string { return aws.ToString(c.TestListenerRule) }

// routed returns the load balancers of the PRIMARY deployment that have such a rule.
func (p *pass) routed(by routing) []types.LoadBalancer {
	return slices.DeleteFunc(slices.Clone(p.primary.revision.LoadBalancers), func(b types.LoadBalancer) bool {
		return b.AdvancedConfiguration == nil || by(b.AdvancedConfiguration) == ""
	})
}

// route has so many percent of the traffic go to the PRIMARY deployment's target groups, and the rest to the others.
func (p *pass) route(by routing, share float64) {
	for _, b := range p.routed(by) {
		own, other := Groups(p.primary.revision, b)
		to, from := weights(share)
		p.weigh(by(b.AdvancedConfiguration), map[string]int32{own: to, other: from})
	}
}

// weights returns a share in percent as the weights of two target groups, which are whole numbers up to 999.
func weights(share float64) (to, from int32) {
	tenths := int32(math.Round(share * 10))
	if tenths%10 == 0 {
		return tenths / 10, 100 - tenths/10
	}
	return tenths, 1000 - tenths
}

// weigh sets the weights of the target groups that a rule, or the default rule of a listener, forwards to. What is not
// there cannot be changed.
func (p *pass) weigh(arn string, weights map[string]int32) {
	r, l := p.forwarding(arn)
	if r == nil {
		return
	}
	if !slices.ContainsFunc(sortedKeys(weights), func(group string) bool { return weightOf(r, group) != weights[group] }) {
		return
	}
	actions := weighed(r.Doc.Actions, weights)
	rule := *r
	rule.Doc.Actions = actions
	p.plan.Traffic = append(p.plan.Traffic, &rule)
	if l != nil {
		listener := *l
		listener.Doc.DefaultActions = actions
		p.plan.Traffic = append(p.plan.Traffic, &listener)
	}
}

// forwarding returns the rule that an ARN means: a rule's own, or a listener's, whose default rule it is. The listener
// comes with its default rule only.
func (p *pass) forwarding(arn string) (*state.Rule, *state.Listener) {
	r, ok := p.snap.Rule(arn)
	if !ok {
		for other := range p.snap.Rules(arn) {
			if aws.ToBool(other.Doc.IsDefault) {
				r = other
			}
		}
	}
	if r == nil || !aws.ToBool(r.Doc.IsDefault) {
		return r, nil
	}
	l, _ := p.snap.Listener(r.Listener)
	return r, l
}

// weighed returns the actions with other weights. A group that the action didn't forward to is added to it.
func weighed(actions []v2.Action, weights map[string]int32) []v2.Action {
	actions = slices.Clone(actions)
	for i, a := range actions {
		if a.Type != v2.ActionTypeEnumForward {
			continue
		}
		c := v2.ForwardActionConfig{TargetGroupStickinessConfig: &v2.TargetGroupStickinessConfig{Enabled: aws.Bool(false)}}
		if a.ForwardConfig != nil {
			c = *a.ForwardConfig
		}
		c.TargetGroups = tuples(a, weights)
		actions[i].ForwardConfig, actions[i].TargetGroupArn = &c, nil
		if len(c.TargetGroups) == 1 {
			actions[i].TargetGroupArn = c.TargetGroups[0].TargetGroupArn
		}
	}
	return actions
}

func tuples(a v2.Action, weights map[string]int32) []v2.TargetGroupTuple {
	groups := forwardsTo(a)
	for _, arn := range sortedKeys(weights) {
		if !slices.Contains(groups, arn) {
			groups = append(groups, arn)
		}
	}
	list := make([]v2.TargetGroupTuple, 0, len(groups))
	for _, arn := range groups {
		list = append(list, v2.TargetGroupTuple{TargetGroupArn: aws.String(arn), Weight: aws.Int32(weights[arn])})
	}
	return list
}

// forwardsTo returns the target groups that an action forwards to.
func forwardsTo(a v2.Action) []string {
	var groups []string
	if a.ForwardConfig != nil {
		for _, t := range a.ForwardConfig.TargetGroups {
			groups = append(groups, aws.ToString(t.TargetGroupArn))
		}
	}
	if arn := aws.ToString(a.TargetGroupArn); arn != "" && !slices.Contains(groups, arn) {
		groups = append(groups, arn)
	}
	return groups
}

// misrouted returns why the traffic cannot be shifted; empty when it can. AWS finds this out when the deployment begins.
func (p *pass) misrouted() string {
	for _, b := range p.routed(productionRule) {
		var reached []string
		for _, by := range []routing{productionRule, testRule} {
			arn := by(b.AdvancedConfiguration)
			if arn == "" {
				continue
			}
			r, _ := p.forwarding(arn)
			if r == nil {
				return "One or more rules not found"
			}
			for _, a := range r.Doc.Actions {
				reached = append(reached, forwardsTo(a)...)
			}
		}
		own, other := Groups(p.primary.revision, b)
		for _, group := range []string{own, other} {
			if !slices.Contains(reached, group) {
				return fmt.Sprintf("Target group %s is not associated with either productionListenerRule or testListenerRule.", group)
			}
		}
	}
	return ""
}

// reclaim gives all production traffic to the PRIMARY deployment of a rolling update that began while traffic was being
// shifted, once enough tasks are healthy behind its target groups, those that were serving before included. It reports
// whether that is done. What is not behind these groups serves nobody then, and goes.
func (p *pass) reclaim() bool {
	if len(p.routed(productionRule)) == 0 || p.primary.State == types.DeploymentRolloutStateCompleted {
		return true
	}
	ready := 0
	for _, d := range p.current() {
		if p.shares(d) {
			ready += d.count(well)
		}
	}
	switch {
	case p.reclaimed():
		for _, d := range p.olds {
			if !p.shares(d) {
				p.stopOld(d.tasks, d.count(staying))
			}
		}
		return true
	case p.primary.Broken: // what serves goes on serving
		return false
	case ready >= max(p.floor, 1), ready > 0 && p.room() <= 0:
		p.route(productionRule, 100)
		return false
	default:
		return ready == 0 && p.room() <= 0 // nothing can come behind the groups while nothing goes
	}
}

// reclaimed reports whether all production traffic goes to the PRIMARY deployment's target groups.
func (p *pass) reclaimed() bool {
	for _, b := range p.routed(productionRule) {
		own, other := Groups(p.primary.revision, b)
		r, _ := p.forwarding(productionRule(b.AdvancedConfiguration))
		if r != nil && (weightOf(r, own) == 0 || weightOf(r, other) > 0) {
			return false
		}
	}
	return true
}

// hold starts what the PRIMARY deployment lacks and stops nothing, while the traffic goes elsewhere.
func (p *pass) hold() {
	p.startNew()
	p.replaceOld()
	p.sayStarts(p.unhealthy())
	p.sayStops()
	p.sayStuck()
	p.want()
}

// shares reports whether a deployment's tasks are behind the target groups of the PRIMARY one.
func (p *pass) shares(d *deployment) bool {
	for _, b := range p.routed(productionRule) {
		if own, _ := Groups(p.primary.revision, b); !uses(d.revision, own) {
			return false
		}
	}
	return true
}

// untouched reports whether no production traffic goes to the PRIMARY deployment's target groups.
func (p *pass) untouched() bool {
	for _, b := range p.routed(productionRule) {
		own, _ := Groups(p.primary.revision, b)
		if r, _ := p.forwarding(productionRule(b.AdvancedConfiguration)); r != nil && weightOf(r, own) > 0 {
			return false
		}
	}
	return true
}

func weightOf(r *state.Rule, group string) int32 {
	for _, a := range r.Doc.Actions {
		if a.ForwardConfig == nil && aws.ToString(a.TargetGroupArn) == group {
			return 1
		}
		if a.ForwardConfig == nil {
			continue
		}
		for _, t := range a.ForwardConfig.TargetGroups {
			if aws.ToString(t.TargetGroupArn) == group {
				return aws.ToInt32(t.Weight)
			}
		}
	}
	return 0
}

// describeTraffic tells how the traffic is divided between the revisions of a deployment that shifts it.
func (p *pass) describeTraffic(doc *types.ServiceDeployment, d *deployment) {
	s := p.primary.Shift
	if d.Shift == nil || s == nil {
		return
	}
	doc.LifecycleStage, doc.LifecycleHookDetails = s.Stage, details(s.Hooks)
	p.describeShares(productionRule, s.Production, doc, func(r *types.ServiceRevisionSummary, share float64) {
		r.RequestedProductionTrafficWeight = &share
	})
	p.describeShares(testRule, s.Test, doc, func(r *types.ServiceRevisionSummary, share float64) {
		r.RequestedTestTrafficWeight = &share
	})
}

// describeShares tells each revision's share, when there is such a rule: the rest of what the PRIMARY deployment has goes
// to the one that it replaces, or that it takes the traffic back from.
func (p *pass) describeShares(
	by routing, share float64, doc *types.ServiceDeployment, tell func(*types.ServiceRevisionSummary, float64),
) {
	if len(p.routed(by)) == 0 {
		return
	}
	rest := p.counterpart()
	summaries := []*types.ServiceRevisionSummary{doc.TargetServiceRevision}
	for i := range doc.SourceServiceRevisions {
		summaries = append(summaries, &doc.SourceServiceRevisions[i])
	}
	for _, r := range summaries {
		switch aws.ToString(r.Arn) {
		case p.primary.Revision:
			tell(r, share)
		case rest:
			tell(r, 100-share)
		default:
			tell(r, 0)
		}
	}
}

// counterpart returns the revision that has the traffic which the PRIMARY deployment has not.
func (p *pass) counterpart() string {
	if d := cmp.Or(p.source(), p.undone()); d != nil {
		return d.Revision
	}
	return ""
}

// undone returns the deployment that failed and made the PRIMARY one take the traffic back; nil when there is none.
func (p *pass) undone() *deployment {
	var last *deployment
	if s := p.primary.Shift; s != nil && s.Back {
		for _, d := range p.all()[1:] {
			if d.RollbackTo == p.primary.ID && (last == nil || d.Created.After(last.Created)) {
				last = d
			}
		}
	}
	return last
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for key := range m {
		if key != "" {
			keys = append(keys, key)
		}
	}
	slices.SortFunc(keys, strings.Compare)
	return keys
}
