package elbv2api

import (
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/slipway-cd/slipway/engine/api/awsdoc"
	"github.com/slipway-cd/slipway/engine/state"
)

// inFull writes actions as AWS describes them: one that forwards names its target groups with their weights, and the
// group itself too when there is only one. [recorded answers of CreateListener, 2025]
func inFull(actions []types.Action) []types.Action {
	list := slices.Clone(actions)
	for i, a := range list {
		if a.Type == types.ActionTypeEnumForward {
			list[i].ForwardConfig, list[i].TargetGroupArn = forwardInFull(a)
		}
	}
	return list
}

func forwardInFull(a types.Action) (*types.ForwardActionConfig, *string) {
	config := types.ForwardActionConfig{}
	if a.ForwardConfig != nil {
		config = *a.ForwardConfig
	}
	groups := slices.Clone(config.TargetGroups)
	if len(groups) == 0 {
		groups = []types.TargetGroupTuple{{TargetGroupArn: a.TargetGroupArn}}
	}
	one := int32(1)
	for i := range groups {
		if groups[i].Weight == nil {
			groups[i].Weight = &one
		}
	}
	config.TargetGroups = groups
	if config.TargetGroupStickinessConfig == nil {
		no := false
		config.TargetGroupStickinessConfig = &types.TargetGroupStickinessConfig{Enabled: &no}
	}
	if len(groups) == 1 {
		return &config, groups[0].TargetGroupArn
	}
	return &config, nil
}

// conditionsInFull writes conditions as AWS describes them: host names and paths as values and in their configuration.
func conditionsInFull(conditions []types.RuleCondition) []types.RuleCondition {
	list := slices.Clone(conditions)
	for i, c := range list {
		switch awsdoc.Or(c.Field, "") {
		case "host-header":
			if c.HostHeaderConfig == nil {
				list[i].HostHeaderConfig = &types.HostHeaderConditionConfig{Values: c.Values}
			} else {
				list[i].Values = c.HostHeaderConfig.Values
			}
		case "path-pattern":
			if c.PathPatternConfig == nil {
				list[i].PathPatternConfig = &types.PathPatternConditionConfig{Values: c.Values}
			} else {
				list[i].Values = c.PathPatternConfig.Values
			}
		}
	}
	return list
}

// checkActions refuses actions that lead nowhere, or where a listener of that load balancer and protocol cannot go.
func checkActions(snap state.Snapshot, balancer string, protocol types.ProtocolEnum, actions []types.Action) error {
	if len(actions) == 0 {
		return validation("At least one action must be specified")
	}
	for _, a := range actions {
		switch a.Type {
		case types.ActionTypeEnumForward:
			if err := checkForward(a); err != nil {
				return err
			}
		case types.ActionTypeEnumRedirect:
			if err := checkRedirect(a.RedirectConfig); err != nil {
				return err
			}
		case types.ActionTypeEnumFixedResponse:
			if a.FixedResponseConfig == nil || !isStatus(awsdoc.Or(a.FixedResponseConfig.StatusCode, "")) {
				return validation("FixedResponseConfig with a status code 2XX, 4XX or 5XX must be specified for actions of type fixed-response")
			}
		default:
			return &types.InvalidLoadBalancerActionException{Message: awsdoc.Text("Actions of type '%s' are not served by this engine", a.Type)}
		}
	}
	return checkReach(snap, balancer, protocol, actions)
}

// checkForward refuses weights and stickiness out of bounds. [API reference: TargetGroupTuple, TargetGroupStickinessConfig]
func checkForward(a types.Action) error {
	groups := forwardsTo(a)
	if len(groups) == 0 {
		return validation("A target group must be specified for actions of type forward")
	}
	if len(groups) > 5 {
		return &types.TooManyTargetGroupsException{Message: awsdoc.Text("A forward action can specify up to 5 target groups")}
	}
	config := awsdoc.Or(a.ForwardConfig, types.ForwardActionConfig{})
	for _, t := range config.TargetGroups {
		if w := awsdoc.Or(t.Weight, 1); w < 0 || w > 999 {
			return validation("The weight '%d' of a target group must be between 0 and 999", w)
		}
	}
	sticky := awsdoc.Or(config.TargetGroupStickinessConfig, types.TargetGroupStickinessConfig{})
	if d := awsdoc.Or(sticky.DurationSeconds, 1); awsdoc.Or(sticky.Enabled, false) && (sticky.DurationSeconds == nil || d < 1 || d > 604800) {
		return validation("Target group stickiness needs a duration between 1 and 604800 seconds")
	}
	return nil
}

// checkRedirect refuses a redirection that leads to where the request came from, or to no URL.
// [API reference: RedirectActionConfig]
func checkRedirect(c *types.RedirectActionConfig) error {
	if c == nil {
		return validation("RedirectConfig must be specified for actions of type redirect")
	}
	protocol, port, path := awsdoc.Or(c.Protocol, "#{protocol}"), awsdoc.Or(c.Port, "#{port}"), awsdoc.Or(c.Path, "/#{path}")
	switch {
	case c.StatusCode != types.RedirectActionStatusCodeEnumHttp301 && c.StatusCode != types.RedirectActionStatusCodeEnumHttp302:
		return validation("The redirect status code '%s' must be one of 'HTTP_301, HTTP_302'", c.StatusCode)
	case protocol != "HTTP" && protocol != "HTTPS" && protocol != "#{protocol}":
		return validation("The redirect protocol '%s' must be HTTP, HTTPS or #{protocol}", protocol)
	case !strings.HasPrefix(path, "/"):
		return validation("The redirect path '%s' must start with '/'", path)
	case protocol == "#{protocol}" && port == "#{port}" && path == "/#{path}" && awsdoc.Or(c.Host, "#{host}") == "#{host}":
		return &types.InvalidLoadBalancerActionException{Message: awsdoc.Text("The redirect action must change at least one of protocol, port, host and path, or it would be a loop")}
	}
	if n, err := strconv.Atoi(port); port != "#{port}" && (err != nil || n < 1 || n > 65535) {
		return validation("The redirect port '%s' must be between 1 and 65535, or #{port}", port)
	}
	return nil
}

func isStatus(code string) bool {
	n, err := strconv.Atoi(code)
	return err == nil && n >= 200 && n < 600 && n/100 != 3
}

func forwardsTo(a types.Action) []string {
	var groups []string
	if a.ForwardConfig != nil {
		for _, g := range a.ForwardConfig.TargetGroups {
			groups = append(groups, awsdoc.Or(g.TargetGroupArn, ""))
		}
	}
	if arn := awsdoc.Or(a.TargetGroupArn, ""); arn != "" && !slices.Contains(groups, arn) {
		groups = append(groups, arn)
	}
	return groups
}

// attach keeps in step which load balancers each target group is reached from.
func attach(tx *state.Tx) {
	reached := map[string][]string{}
	for r := range tx.AllRules() {
		l, ok := tx.Listener(r.Listener)
		if !ok {
			continue
		}
		for _, a := range r.Doc.Actions {
			for _, arn := range forwardsTo(a) {
				if !slices.Contains(reached[arn], l.Balancer) {
					reached[arn] = append(reached[arn], l.Balancer)
				}
			}
		}
	}
	for _, g := range slices.Collect(tx.TargetGroups()) {
		arns := awsdoc.List(reached[g.ARN])
		slices.Sort(arns)
		if !slices.Equal(arns, g.Doc.LoadBalancerArns) {
			changed := *g
			changed.Doc.LoadBalancerArns = arns
			tx.Put(&changed)
		}
	}
}
