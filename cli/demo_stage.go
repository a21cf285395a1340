package cli

import (
	"context"
	"fmt"
	"net"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancing"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancing/types"

	"github.com/slipway-cd/slipway/app"
	"github.com/slipway-cd/slipway/cli/terminal"
	"github.com/slipway-cd/slipway/fault"
)

// The stage of the demo: names that the example's templates ask for.
const (
	demoCluster  = "demo"
	demoBalancer = "hid-generator"
	demoPort     = 8080 // of the load balancer
	demoHostPort = 1234 // that the user's task definition fixes
)

// start brings up the engine and what a service needs before it can be deployed.
func (d *demonstration) start(ctx context.Context) error {
	engine, err := app.NewEngine(ctx, app.EngineOptions{
		Listen: d.options.listen, Dir: d.dir + "/engine", Runtime: app.RuntimeName(d.options.runtime), Speed: d.options.speed,
	})
	if err != nil {
		return err
	}
	d.engine = engine
	if err := engine.Start(ctx); err != nil {
		return err
	}
	d.heading("An engine on %s, %v times as fast as AWS waits", engine.Addr(), d.options.speed)
	d.Say("%s", engine.Runtime())
	cfg, err := app.AWSConfig(ctx, app.TargetOptions{Endpoint: engine.Endpoint()})
	if err != nil {
		return err
	}
	if err := d.cluster(ctx, cfg); err != nil {
		return err
	}
	if err := d.balancer(ctx, cfg); err != nil {
		return err
	}
	return d.writeProject(ctx)
}

func (d *demonstration) cluster(ctx context.Context, cfg aws.Config) error {
	out, err := ecs.NewFromConfig(cfg).CreateCluster(ctx, &ecs.CreateClusterInput{ClusterName: aws.String(demoCluster)})
	if err != nil {
		return fault.New(fault.Internal, "cannot create the cluster: %w", err)
	}
	d.Say("cluster %s: %d instances over zones a and b", demoCluster, out.Cluster.RegisteredContainerInstancesCount)
	return nil
}

// balancer makes the classic load balancer that the user's service definition names.
func (d *demonstration) balancer(ctx context.Context, cfg aws.Config) error {
	client, name := elb.NewFromConfig(cfg), aws.String(demoBalancer)
	made, err := client.CreateLoadBalancer(ctx, &elb.CreateLoadBalancerInput{
		LoadBalancerName: name, AvailabilityZones: []string{"us-east-1a", "us-east-1b"},
		Listeners: []elbtypes.Listener{{
			Protocol: aws.String("HTTP"), LoadBalancerPort: demoPort, InstanceProtocol: aws.String("HTTP"), InstancePort: aws.Int32(demoHostPort),
		}},
	})
	if err == nil {
		_, err = client.ConfigureHealthCheck(ctx, &elb.ConfigureHealthCheckInput{LoadBalancerName: name, HealthCheck: &elbtypes.HealthCheck{
			Target: aws.String(fmt.Sprintf("HTTP:%d/healthz", demoHostPort)), Interval: aws.Int32(10), Timeout: aws.Int32(5),
			HealthyThreshold: aws.Int32(2), UnhealthyThreshold: aws.Int32(2),
		}})
	}
	if err == nil {
		_, err = client.ModifyLoadBalancerAttributes(ctx, &elb.ModifyLoadBalancerAttributesInput{
			LoadBalancerName: name, LoadBalancerAttributes: &elbtypes.LoadBalancerAttributes{
				ConnectionDraining: &elbtypes.ConnectionDraining{Enabled: true, Timeout: aws.Int32(20)},
			},
		})
	}
	if err != nil {
		return fault.New(fault.Internal, "cannot make the load balancer: %w", err)
	}
	d.address = net.JoinHostPort(*made.DNSName, strconv.Itoa(demoPort))
	d.Say("load balancer %s listens on %s", demoBalancer, d.address)
	return nil
}

func (d *demonstration) heading(format string, args ...any) {
	d.Say("")
	d.Say("%s", d.Style(terminal.Strong, "▌ "+fmt.Sprintf(format, args...)))
}
