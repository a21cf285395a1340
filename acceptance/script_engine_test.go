package acceptance

import (
	"context"
	"flag"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancing"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancing/types"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/slipway-cd/slipway/app"
)

// engine [-speed N] [-runtime NAME] [-limits NAME] [-credentials KEY:SECRET]
//
// starts an engine that ends with the script, with a cluster called default. AWS_ENDPOINT_URL leads to it, and
// SLIPWAY_VALUE_registry is its image registry. Containers are scripted unless another runtime is named.
func startEngine(ts *testscript.TestScript, neg bool, args []string) {
	var credential string
	dir := ts.MkAbs(filepath.Join(ts.Getenv("WORK"), ".engine"))
	o := app.EngineOptions{Listen: "127.0.0.1:0", Dir: dir}
	flags := flag.NewFlagSet("engine", flag.ContinueOnError)
	flags.Float64Var(&o.Speed, "speed", 100, "")
	flags.StringVar((*string)(&o.Runtime), "runtime", string(app.Scripted), "")
	flags.StringVar((*string)(&o.Limits), "limits", "", "")
	flags.StringVar(&credential, "credentials", "", "")
	if err := flags.Parse(args); err != nil || neg {
		ts.Fatalf("usage: engine [-speed N] [-runtime NAME] [-limits NAME] [-credentials KEY:SECRET]")
	}
	if key, secret, ok := strings.Cut(credential, ":"); ok {
		o.Credentials = map[string]string{key: secret}
	}
	ctx := context.Background()
	ts.Check(os.MkdirAll(dir, 0o755))
	e, err := app.NewEngine(ctx, o)
	ts.Check(err)
	ts.Defer(func() {
		ts.Check(e.Clear(ctx))
		ts.Check(e.Stop(ctx))
	})
	ts.Check(e.Start(ctx))
	ts.Setenv("AWS_ENDPOINT_URL", e.Endpoint())
	ts.Setenv("SLIPWAY_VALUE_registry", e.Addr())
	_, err = ecs.NewFromConfig(engineConfig(ts, credential)).CreateCluster(ctx, &ecs.CreateClusterInput{})
	ts.Check(err)
}

// engineConfig leads AWS's clients to the script's engine.
func engineConfig(ts *testscript.TestScript, credential string) aws.Config {
	key, secret, ok := strings.Cut(credential, ":")
	if !ok {
		key, secret = "any", "any"
	}
	return aws.Config{
		Region: "us-east-1", BaseEndpoint: aws.String(ts.Getenv("AWS_ENDPOINT_URL")),
		Credentials: credentials.NewStaticCredentialsProvider(key, secret, ""),
	}
}

// cluster NAME
//
// creates a cluster on the script's engine, with four instances.
func createCluster(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: cluster NAME")
	}
	ctx := context.Background()
	_, err := ecs.NewFromConfig(engineConfig(ts, "")).CreateCluster(ctx, &ecs.CreateClusterInput{ClusterName: aws.String(args[0])})
	ts.Check(err)
}

// balancer NAME PORT
//
// makes a classic load balancer on the script's engine, from port 8080 to a port of the instances, with a health check of
// /healthz there. BALANCER is its address.
func createBalancer(ts *testscript.TestScript, neg bool, args []string) {
	var port int32
	if neg || len(args) != 2 {
		ts.Fatalf("usage: balancer NAME PORT")
	}
	_, err := fmt.Sscan(args[1], &port)
	ts.Check(err)
	ctx := context.Background()
	client := elb.NewFromConfig(engineConfig(ts, ""))
	made, err := client.CreateLoadBalancer(ctx, &elb.CreateLoadBalancerInput{
		LoadBalancerName: &args[0], AvailabilityZones: []string{"us-east-1a", "us-east-1b"},
		Listeners: []elbtypes.Listener{{Protocol: aws.String("HTTP"), LoadBalancerPort: 8080, InstancePort: &port}},
	})
	ts.Check(err)
	_, err = client.ConfigureHealthCheck(ctx, &elb.ConfigureHealthCheckInput{LoadBalancerName: &args[0], HealthCheck: &elbtypes.HealthCheck{
		Target: aws.String(fmt.Sprintf("HTTP:%d/healthz", port)), Interval: aws.Int32(10), Timeout: aws.Int32(5),
		HealthyThreshold: aws.Int32(2), UnhealthyThreshold: aws.Int32(2),
	}})
	ts.Check(err)
	ts.Setenv("BALANCER", net.JoinHostPort(*made.DNSName, "8080"))
}

// detached
//
// keeps the endpoint that "slipway engine start --detach" has just told: as AWS_ENDPOINT_URL, and its address as ENGINE. An
// engine that is still there at the end of the script ends with it.
func detached(ts *testscript.TestScript, neg bool, args []string) {
	endpoint := regexp.MustCompile(`http://[0-9.:]+`).FindString(ts.ReadFile("stdout"))
	if neg || len(args) > 0 || endpoint == "" {
		ts.Fatalf("usage: detached, after an engine has told its endpoint")
	}
	ts.Setenv("AWS_ENDPOINT_URL", endpoint)
	ts.Setenv("ENGINE", strings.TrimPrefix(endpoint, "http://"))
	ts.Defer(func() {
		ctx := context.Background()
		if _, err := app.AskEngine(ctx, endpoint); err == nil {
			_, err := app.StopEngine(ctx, endpoint, true)
			ts.Check(err)
		}
	})
}
