//go:build soak

package acceptance

import (
	"context"
	"flag"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancing"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancing/types"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	v2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"golang.org/x/sync/errgroup"
)

var (
	soakRequests = flag.Int("soak.requests", 1_000_000, "requests to send to each runtime in TestSoakStrategies")
	soakRate     = flag.Int("soak.rate", 1000, "requests a second")
	soakRollouts = flag.Int("soak.deployments", 20, "deployments of each service")
)

const (
	soakSpeed = 20
	// soakDelay is the deregistration delay, AWS's own: fifteen real seconds, in which streams of less than a second come to
	// their end on a machine that has many times as much to do as it can.
	soakDelay = 300
)

// lane is one service, deployed again and again by one strategy, behind one kind of load balancer.
type lane struct {
	*house
	name     string
	balancer v2.LoadBalancerTypeEnum // empty: a classic load balancer
	config   types.DeploymentConfiguration

	address  string // of the load balancer: host:port
	behind   []types.LoadBalancer
	crowd    *crowd
	rollouts []string // when each began and ended
}

// lanes are all strategies behind all load balancers that ECS has for them.
func (h *house) lanes() []*lane {
	const application, network = v2.LoadBalancerTypeEnumApplication, v2.LoadBalancerTypeEnumNetwork
	rolling := types.DeploymentConfiguration{Strategy: types.DeploymentStrategyRolling, MinimumHealthyPercent: aws.Int32(100), MaximumPercent: aws.Int32(200)}
	half := types.DeploymentConfiguration{Strategy: types.DeploymentStrategyRolling, MinimumHealthyPercent: aws.Int32(50), MaximumPercent: aws.Int32(100)}
	blueGreen := types.DeploymentConfiguration{Strategy: types.DeploymentStrategyBlueGreen, BakeTimeInMinutes: aws.Int32(1)}
	linear := types.DeploymentConfiguration{
		Strategy: types.DeploymentStrategyLinear, BakeTimeInMinutes: aws.Int32(1),
		LinearConfiguration: &types.LinearConfiguration{StepPercent: aws.Float64(25), StepBakeTimeInMinutes: aws.Int32(1)},
	}
	canary := types.DeploymentConfiguration{
		Strategy: types.DeploymentStrategyCanary, BakeTimeInMinutes: aws.Int32(1),
		CanaryConfiguration: &types.CanaryConfiguration{CanaryPercent: aws.Float64(10), CanaryBakeTimeInMinutes: aws.Int32(1)},
	}
	return []*lane{
		{house: h, name: "rolling", balancer: application, config: rolling},
		{house: h, name: "rolling-classic", config: half},
		{house: h, name: "rolling-network", balancer: network, config: rolling},
		{house: h, name: "blue-green", balancer: application, config: blueGreen},
		{house: h, name: "blue-green-network", balancer: network, config: blueGreen},
		{house: h, name: "linear", balancer: application, config: linear},
		{house: h, name: "linear-network", balancer: network, config: linear},
		{house: h, name: "canary", balancer: application, config: canary},
		{house: h, name: "canary-network", balancer: network, config: canary},
	}
}

// TestSoakStrategies sends a million requests to services that are deployed twenty times each meanwhile: by every strategy,
// behind every kind of load balancer. None may be lost.
func TestSoakStrategies(t *testing.T) {
	for _, runtime := range runtimes {
		t.Run(string(runtime), func(t *testing.T) {
			h := newHouse(t, runtime, soakSpeed)
			h.push("soak")
			lanes := h.lanes()
			begun := time.Now()
			var all errgroup.Group
			for _, l := range lanes {
				h.must(l.setUp())
				all.Go(func() error { return l.run(*soakRequests/len(lanes), float64(*soakRate)/float64(len(lanes))) })
			}
			if err := all.Wait(); err != nil {
				t.Error(err)
			}
			report(t, lanes, time.Since(begun))
		})
	}
}

// report tells what became of each lane's requests; a lane that lost any fails the test.
func report(t *testing.T, lanes []*lane, took time.Duration) {
	t.Helper()
	sent, lost, rollouts := 0, 0, 0
	var table strings.Builder
	for _, l := range lanes {
		if l.crowd == nil {
			continue
		}
		c := l.crowd
		if c.lost > 0 {
			t.Errorf("%s: %s\n  deployments: %s", l.name, c, strings.Join(l.rollouts, "\n    "))
		}
		sent, lost, rollouts = sent+c.sent, lost+c.lost, rollouts+len(l.rollouts)
		fmt.Fprintf(&table, "\n%-20s %11d %10d %8d   %8v %8v %8v", l.name, len(l.rollouts), c.sent, c.lost,
			c.percentile(50).Round(10*time.Microsecond), c.percentile(99).Round(100*time.Microsecond), c.percentile(100).Round(time.Millisecond))
	}
	t.Logf("in %v\n%-20s %11s %10s %8s   %8s %8s %8s%s\n%-20s %11d %10d %8d", took.Round(time.Second),
		"service", "deployments", "requests", "failed", "half in", "99 % in", "slowest", &table, "all", rollouts, sent, lost)
}

// run creates the service, and deploys it again and again while requests are sent: the deployments are spread over them.
func (l *lane) run(requests int, rate float64) error {
	ctx := l.Context()
	if err := l.create(ctx); err != nil {
		return fmt.Errorf("%s: %w", l.name, err)
	}
	l.crowd = startCrowd(ctx, l.address, l.wary(), rate, func(loss string) { l.Logf("%s: %s", l.name, loss) })
	defer l.crowd.end()
	for n := 1; n <= *soakRollouts; n++ {
		if err := l.awaitRequests(ctx, requests*(n-1) / *soakRollouts); err != nil {
			return fmt.Errorf("%s: %w", l.name, err)
		}
		if err := l.rollOut(ctx, n); err != nil {
			return fmt.Errorf("%s: deployment %d: %w", l.name, n, err)
		}
	}
	if err := l.awaitRequests(ctx, requests); err != nil {
		return fmt.Errorf("%s: %w", l.name, err)
	}
	l.crowd.end()
	for n := range *soakRollouts + 1 {
		if l.crowd.versions[version(n)] == 0 {
			return fmt.Errorf("%s: no answer came from version %s: %v", l.name, version(n), l.crowd.versions)
		}
	}
	return nil
}

func version(n int) string { return fmt.Sprintf("1.0.%d.RELEASE", n) }

// wary reports whether clients have to see for themselves that a kept connection was closed: through a network load balancer
// it is the program's own, and ends with it.
func (l *lane) wary() bool { return l.balancer == v2.LoadBalancerTypeEnumNetwork }

// define registers the task definition of a version.
func (l *lane) define(ctx context.Context, n int) (string, error) {
	port := types.PortMapping{ContainerPort: aws.Int32(8080), HostPort: aws.Int32(0)}
	if l.balancer == "" {
		port.HostPort = aws.Int32(hostPort)
	}
	environment := []types.KeyValuePair{{Name: aws.String("VERSION"), Value: aws.String(version(n))}}
	if l.wary() { // it asks for their end for longer than clients keep connections without using them
		environment = append(environment, types.KeyValuePair{Name: aws.String("HID_LINGER"), Value: aws.String("6s")})
	}
	out, err := l.ecs.RegisterTaskDefinition(ctx, &ecs.RegisterTaskDefinitionInput{
		Family: &l.name, ContainerDefinitions: []types.ContainerDefinition{{
			Name: aws.String("web"), Image: aws.String(l.addr + "/hid-generator:soak"), Memory: aws.Int32(64), Essential: aws.Bool(true),
			PortMappings: []types.PortMapping{port}, Environment: environment,
		}},
	})
	if err != nil {
		return "", err
	}
	return *out.TaskDefinition.TaskDefinitionArn, nil
}

func (l *lane) create(ctx context.Context) error {
	definition, err := l.define(ctx, 0)
	if err != nil {
		return err
	}
	_, err = l.ecs.CreateService(ctx, &ecs.CreateServiceInput{
		Cluster: aws.String(houseCluster), ServiceName: &l.name, TaskDefinition: &definition, DesiredCount: aws.Int32(2),
		LoadBalancers: l.behind, DeploymentConfiguration: &l.config,
	})
	if err != nil {
		return err
	}
	return l.awaitDeployed(ctx, definition)
}

// rollOut deploys a version and waits until it is deployed.
func (l *lane) rollOut(ctx context.Context, n int) error {
	definition, err := l.define(ctx, n)
	if err != nil {
		return err
	}
	begun := time.Now()
	_, err = l.ecs.UpdateService(ctx, &ecs.UpdateServiceInput{Cluster: aws.String(houseCluster), Service: &l.name, TaskDefinition: &definition})
	if err != nil {
		return err
	}
	if err := l.awaitDeployed(ctx, definition); err != nil {
		return err
	}
	told := fmt.Sprintf("%s from %s to %s", version(n), begun.Format("15:04:05.000"), time.Now().Format("15:04:05.000"))
	l.rollouts = append(l.rollouts, told)
	sent, lost := l.crowd.soFar()
	l.Logf("%s: %s; %d of %d requests failed so far", l.name, told, lost, sent)
	return nil
}

// awaitDeployed waits until nothing is left but that task definition, and its deployment is completed.
func (l *lane) awaitDeployed(ctx context.Context, definition string) error {
	last := ""
	err := await(ctx, 10*time.Minute, func() (bool, error) {
		out, err := l.ecs.DescribeServices(ctx, &ecs.DescribeServicesInput{Cluster: aws.String(houseCluster), Services: []string{l.name}})
		if err != nil {
			return false, err
		}
		s := out.Services[0]
		last = ""
		for _, d := range s.Deployments {
			last += fmt.Sprintf("\n  %s %s of %s: %d running, %d pending: %s", *d.Status, d.RolloutState, *d.TaskDefinition, d.RunningCount, d.PendingCount, aws.ToString(d.RolloutStateReason))
		}
		for _, e := range s.Events[:min(len(s.Events), 10)] {
			last += "\n    " + *e.Message
		}
		d := s.Deployments[0]
		if d.RolloutState == types.DeploymentRolloutStateFailed || *d.TaskDefinition != definition {
			return false, fmt.Errorf("it failed: %s", last)
		}
		return len(s.Deployments) == 1 && d.RolloutState == types.DeploymentRolloutStateCompleted, nil
	})
	if err != nil {
		return fmt.Errorf("%w; last seen: %s", err, last)
	}
	return nil
}

func (l *lane) awaitRequests(ctx context.Context, sent int) error {
	return await(ctx, time.Hour, func() (bool, error) {
		n, lost := l.crowd.soFar()
		if lost >= crowdFailuresKept {
			return false, fmt.Errorf("%d of %d requests failed: no use in going on", lost, n)
		}
		return n >= sent, nil
	})
}

// await looks again and again until what is looked for is there. Unlike until it may be called by any goroutine.
func await(ctx context.Context, patience time.Duration, look func() (bool, error)) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		if done, err := look(); done || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waited %v in vain", patience)
		case <-tick.C:
		}
	}
}

// setUp makes the load balancer of the lane.
func (l *lane) setUp() error {
	if l.balancer == "" {
		l.house.classic()
		l.address = l.house.balancer
		_, err := l.elb.ModifyLoadBalancerAttributes(l.Context(), &elb.ModifyLoadBalancerAttributesInput{
			LoadBalancerName: aws.String(houseService), LoadBalancerAttributes: &elbtypes.LoadBalancerAttributes{
				ConnectionDraining: &elbtypes.ConnectionDraining{Enabled: true, Timeout: aws.Int32(soakDelay)},
			},
		})
		if err != nil {
			return err
		}
		l.behind = []types.LoadBalancer{{LoadBalancerName: aws.String(houseService), ContainerName: aws.String("web"), ContainerPort: aws.Int32(8080)}}
		return nil
	}
	ctx := l.Context()
	protocol := v2.ProtocolEnumHttp
	if l.balancer == v2.LoadBalancerTypeEnumNetwork {
		protocol = v2.ProtocolEnumTcp
	}
	made, err := l.elbv2.CreateLoadBalancer(ctx, &elbv2.CreateLoadBalancerInput{Name: &l.name, Type: l.balancer, Subnets: []string{"subnet-a", "subnet-b"}})
	if err != nil {
		return err
	}
	lb := made.LoadBalancers[0]
	l.address = net.JoinHostPort(*lb.DNSName, fmt.Sprint(housePort))
	var groups, rules []string
	for n, colour := range []string{"blue", "green"} {
		group, err := l.group(ctx, colour, protocol)
		if err != nil {
			return err
		}
		rule, err := l.listen(ctx, *lb.LoadBalancerArn, housePort+int32(n), protocol, group)
		if err != nil {
			return err
		}
		groups, rules = append(groups, group), append(rules, rule)
	}
	behind := types.LoadBalancer{TargetGroupArn: &groups[0], ContainerName: aws.String("web"), ContainerPort: aws.Int32(8080)}
	if l.config.Strategy != types.DeploymentStrategyRolling {
		behind.AdvancedConfiguration = &types.AdvancedConfiguration{
			AlternateTargetGroupArn: &groups[1], ProductionListenerRule: &rules[0], TestListenerRule: &rules[1],
			RoleArn: aws.String("arn:aws:iam::000000000000:role/ecs"),
		}
	}
	l.behind = []types.LoadBalancer{behind}
	return nil
}

// group makes a target group of the lane.
func (l *lane) group(ctx context.Context, colour string, protocol v2.ProtocolEnum) (string, error) {
	name := colour + "-" + l.name
	made, err := l.elbv2.CreateTargetGroup(ctx, &elbv2.CreateTargetGroupInput{
		Name: &name, Protocol: protocol, Port: aws.Int32(80), VpcId: aws.String("vpc-1"),
		HealthCheckProtocol: v2.ProtocolEnumHttp, HealthCheckPath: aws.String("/healthz"), HealthCheckIntervalSeconds: aws.Int32(10),
		HealthyThresholdCount: aws.Int32(2),
	})
	if err != nil {
		return "", err
	}
	arn := made.TargetGroups[0].TargetGroupArn
	_, err = l.elbv2.ModifyTargetGroupAttributes(ctx, &elbv2.ModifyTargetGroupAttributesInput{
		TargetGroupArn: arn, Attributes: []v2.TargetGroupAttribute{{Key: aws.String("deregistration_delay.timeout_seconds"), Value: aws.String(fmt.Sprint(soakDelay))}},
	})
	return *arn, err
}

// listen makes a listener and returns what traffic is shifted by: its default rule, or the listener itself where there are
// no rules, behind a network load balancer.
func (l *lane) listen(ctx context.Context, balancer string, port int32, protocol v2.ProtocolEnum, group string) (string, error) {
	made, err := l.elbv2.CreateListener(ctx, &elbv2.CreateListenerInput{
		LoadBalancerArn: &balancer, Protocol: protocol, Port: &port, DefaultActions: []v2.Action{{Type: v2.ActionTypeEnumForward, TargetGroupArn: &group}},
	})
	if err != nil {
		return "", err
	}
	listener := made.Listeners[0].ListenerArn
	if protocol == v2.ProtocolEnumTcp {
		return *listener, nil
	}
	rules, err := l.elbv2.DescribeRules(ctx, &elbv2.DescribeRulesInput{ListenerArn: listener})
	if err != nil {
		return "", err
	}
	return *rules.Rules[0].RuleArn, nil
}
