package ecsapi

import (
	"math"
	"regexp"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway/engine/api/awsdoc"
	"github.com/slipway-cd/slipway/engine/state"
)

// shifting reports whether deployments so configured shift traffic.
func shifting(c *types.DeploymentConfiguration) bool {
	return c != nil && c.Strategy != "" && c.Strategy != types.DeploymentStrategyRolling
}

// checkStrategyMembers refuses members of a deployment configuration that are out of bounds or don't go with its strategy.
// given is what the request says, whole what comes of it. [SDK: DeploymentConfiguration; the wording is the engine's own]
func checkStrategyMembers(given, whole *types.DeploymentConfiguration) error {
	if given == nil {
		return nil
	}
	strategy := whole.Strategy
	if strategy == "" {
		strategy = types.DeploymentStrategyRolling
	}
	switch {
	case !slices.Contains(strategy.Values(), strategy):
		return invalid("The deployment strategy %s is not one of ROLLING, BLUE_GREEN, LINEAR, CANARY.", strategy)
	case given.LinearConfiguration != nil && strategy != types.DeploymentStrategyLinear:
		return invalid("linearConfiguration is only valid when the deployment strategy is LINEAR.")
	case given.CanaryConfiguration != nil && strategy != types.DeploymentStrategyCanary:
		return invalid("canaryConfiguration is only valid when the deployment strategy is CANARY.")
	case len(given.LifecycleHooks) > 0 && strategy == types.DeploymentStrategyRolling:
		return invalid("lifecycleHooks are not supported when the deployment strategy is ROLLING.")
	case given.EarlySuccessCriteria != nil && given.EarlySuccessCriteria.Enable && strategy != types.DeploymentStrategyRolling:
		return invalid("earlySuccessCriteria is only valid when the deployment strategy is ROLLING.")
	case strategy == types.DeploymentStrategyBlueGreen && whole.BakeTimeInMinutes == nil:
		return invalid("bakeTimeInMinutes is required when the deployment strategy is BLUE_GREEN.")
	case !within(whole.BakeTimeInMinutes, 0, 1440):
		return invalid("bakeTimeInMinutes must be between 0 and 1440.")
	}
	own := withStrategy(*whole)
	if err := checkSteps(&own); err != nil {
		return err
	}
	if err := checkEarly(&own); err != nil {
		return err
	}
	for _, h := range own.LifecycleHooks {
		if err := checkHook(h); err != nil {
			return err
		}
	}
	return nil
}

func within(n *int32, low, high int32) bool { return n == nil || *n >= low && *n <= high }

// checkSteps refuses shares of the traffic out of bounds. [SDK: LinearConfiguration, CanaryConfiguration]
func checkSteps(c *types.DeploymentConfiguration) error {
	if l := c.LinearConfiguration; l != nil {
		if !tenths(l.StepPercent, 3) {
			return invalid("stepPercent must be a multiple of 0.1 between 3.0 and 100.0.")
		}
		if !within(l.StepBakeTimeInMinutes, 0, 1440) {
			return invalid("stepBakeTimeInMinutes must be between 0 and 1440.")
		}
	}
	if k := c.CanaryConfiguration; k != nil {
		if !tenths(k.CanaryPercent, 0.1) {
			return invalid("canaryPercent must be a multiple of 0.1 between 0.1 and 100.0.")
		}
		if !within(k.CanaryBakeTimeInMinutes, 0, 1440) {
			return invalid("canaryBakeTimeInMinutes must be between 0 and 1440.")
		}
	}
	return nil
}

func tenths(percent *float64, low float64) bool {
	if percent == nil {
		return true
	}
	ten := *percent * 10
	return *percent >= low && *percent <= 100 && math.Abs(ten-math.Round(ten)) < 1e-9
}

// checkEarly refuses criteria that could not be met or not be acted on. [SDK: DeploymentEarlySuccessCriteria]
func checkEarly(c *types.DeploymentConfiguration) error {
	e := c.EarlySuccessCriteria
	if e == nil || !e.Enable {
		return nil
	}
	switch {
	case e.HealthyPercent == nil || e.SourceServiceRevisionCleanup == "":
		return invalid("healthyPercent and sourceServiceRevisionCleanup must be specified when earlySuccessCriteria is enabled.")
	case *e.HealthyPercent < 0 || *e.HealthyPercent > 100:
		return invalid("healthyPercent must be between 0 and 100.")
	case *e.HealthyPercent < awsdoc.Or(c.MinimumHealthyPercent, 100):
		return invalid("healthyPercent must be greater than or equal to minimumHealthyPercent.")
	case !slices.Contains(e.SourceServiceRevisionCleanup.Values(), e.SourceServiceRevisionCleanup):
		return invalid("sourceServiceRevisionCleanup must be one of BLOCKING, DEFERRED.")
	}
	return nil
}

// checkHook refuses a hook that could not run. [SDK: DeploymentLifecycleHook; ecs-behaviour 1.7]
func checkHook(h types.DeploymentLifecycleHook) error {
	pause := h.TargetType == types.DeploymentLifecycleHookTargetTypePause
	limit := int32(1440)
	if pause {
		limit = 20160
	}
	t := awsdoc.Or(h.TimeoutConfiguration, types.DeploymentLifecycleHookTimeoutConfiguration{})
	switch {
	case h.TargetType != "" && !slices.Contains(h.TargetType.Values(), h.TargetType):
		return invalid("The targetType of a lifecycle hook must be one of AWS_LAMBDA, PAUSE.")
	case len(h.LifecycleStages) == 0:
		return invalid("lifecycleStages must be specified for each lifecycle hook.")
	case !pause && !strings.Contains(awsdoc.Or(h.HookTargetArn, ""), ":function:"):
		return invalid("hookTargetArn must be the ARN of a Lambda function. Got: %s", awsdoc.Or(h.HookTargetArn, ""))
	case !pause && awsdoc.Or(h.RoleArn, "") == "":
		return invalid("roleArn must be specified for lifecycle hooks of type AWS_LAMBDA.")
	case !within(t.TimeoutInMinutes, 1, limit):
		return invalid("timeoutInMinutes must be between 1 and %d.", limit)
	case t.Action != "" && !slices.Contains(t.Action.Values(), t.Action):
		return invalid("The action of a timeoutConfiguration must be one of ROLLBACK, CONTINUE.")
	}
	for _, stage := range h.LifecycleStages {
		if !slices.Contains(stage.Values(), stage) {
			return invalid("Lifecycle hooks are not supported at the stage %s.", stage)
		}
		if pause && (stage == types.DeploymentLifecycleHookStageTestTrafficShift || stage == types.DeploymentLifecycleHookStageProductionTrafficShift) {
			return invalid("Lifecycle hooks of type PAUSE are not supported at the stage %s.", stage)
		}
	}
	return nil
}

// checkRouting refuses load balancers between whose target groups a deployment could not shift traffic. What it can find
// out only from listeners and rules, AWS tells when a deployment begins. [ecs-behaviour 1.7]
func checkRouting(snap state.Snapshot, doc *types.Service, definition *state.TaskDefinition) error {
	advanced, seen := 0, map[string]bool{}
	for _, lb := range doc.LoadBalancers {
		if lb.AdvancedConfiguration != nil {
			advanced++
		}
	}
	switch {
	case shifting(doc.DeploymentConfiguration) && advanced < len(doc.LoadBalancers):
		return invalid("advancedConfiguration field is required for all loadBalancers when using a non-ROLLING deployment strategy")
	case advanced > 0 && advanced < len(doc.LoadBalancers):
		return invalid("Either all or none of the provided loadBalancers must have advancedConfiguration defined")
	}
	for _, lb := range doc.LoadBalancers {
		groups := []string{awsdoc.Or(lb.TargetGroupArn, "")}
		if c := lb.AdvancedConfiguration; c != nil {
			groups = append(groups, awsdoc.Or(c.AlternateTargetGroupArn, ""))
		}
		for _, group := range groups {
			if group != "" && seen[group] {
				return invalid("Duplicate targetGroupArn found: %s", group)
			}
			seen[group] = true
		}
	}
	for _, lb := range doc.LoadBalancers {
		if lb.AdvancedConfiguration != nil {
			if err := checkAdvanced(snap, lb, definition); err != nil {
				return err
			}
		}
	}
	return checkRules(doc.LoadBalancers)
}

func ruleARN() *regexp.Regexp {
	return regexp.MustCompile(`^arn:[^:]+:elasticloadbalancing:[^:]*:[^:]*:(listener-rule/app/|listener/net/).+`)
}

func checkAdvanced(snap state.Snapshot, lb types.LoadBalancer, definition *state.TaskDefinition) error {
	c := lb.AdvancedConfiguration
	switch {
	case lb.TargetGroupArn == nil:
		return invalid("advancedConfiguration is only supported for loadBalancers with a targetGroupArn.")
	case awsdoc.Or(c.AlternateTargetGroupArn, "") == "":
		return invalid("alternateTargetGroupArn must be specified in advancedConfiguration.")
	case awsdoc.Or(c.RoleArn, "") == "":
		return invalid("roleArn must be specified in advancedConfiguration.")
	case !ruleARN().MatchString(awsdoc.Or(c.ProductionListenerRule, "")):
		return badRule("productionListenerRule", c.ProductionListenerRule)
	case c.TestListenerRule != nil && !ruleARN().MatchString(*c.TestListenerRule):
		return badRule("testListenerRule", c.TestListenerRule)
	}
	group, ok := snap.TargetGroup(*c.AlternateTargetGroupArn)
	if !ok {
		return invalid("The specified target group does not exist. (%s)", *c.AlternateTargetGroupArn)
	}
	return checkTargetType(group, definition.Doc.NetworkMode)
}

func badRule(member string, got *string) error {
	return invalid("%s has an invalid ARN format. Must be RuleArn for ALB or ListenerArn for NLB. Got: %s", member, awsdoc.Or(got, ""))
}

// checkRules refuses rules that would have to route production and test traffic at once.
func checkRules(balancers []types.LoadBalancer) error {
	production, both := map[string]bool{}, []string{}
	for _, lb := range balancers {
		if c := lb.AdvancedConfiguration; c != nil {
			production[awsdoc.Or(c.ProductionListenerRule, "")] = true
		}
	}
	for _, lb := range balancers {
		if c := lb.AdvancedConfiguration; c != nil && c.TestListenerRule != nil && production[*c.TestListenerRule] {
			both = append(both, *c.TestListenerRule)
		}
	}
	if len(both) > 0 {
		return invalid("The following rules cannot be used as both production and test listener rules: %s", strings.Join(both, ", "))
	}
	return nil
}

// withStrategy returns a configuration with what its strategy has by default, and without what only other strategies
// have. [SDK: LinearConfiguration, CanaryConfiguration]
func withStrategy(c types.DeploymentConfiguration) types.DeploymentConfiguration {
	switch c.Strategy {
	case types.DeploymentStrategyLinear:
		l := awsdoc.Or(c.LinearConfiguration, types.LinearConfiguration{})
		orDefault(&l.StepPercent, 10)
		orDefault(&l.StepBakeTimeInMinutes, 6)
		c.LinearConfiguration, c.CanaryConfiguration = &l, nil
	case types.DeploymentStrategyCanary:
		k := awsdoc.Or(c.CanaryConfiguration, types.CanaryConfiguration{})
		orDefault(&k.CanaryPercent, 5)
		orDefault(&k.CanaryBakeTimeInMinutes, 10)
		c.LinearConfiguration, c.CanaryConfiguration = nil, &k
	case types.DeploymentStrategyBlueGreen:
		c.LinearConfiguration, c.CanaryConfiguration = nil, nil
	default:
		c.LinearConfiguration, c.CanaryConfiguration, c.LifecycleHooks = nil, nil, nil
	}
	if c.Strategy != "" && c.Strategy != types.DeploymentStrategyRolling {
		c.EarlySuccessCriteria = nil
	}
	return c
}

func orDefault[T any](field **T, otherwise T) {
	if *field == nil {
		*field = &otherwise
	}
}
