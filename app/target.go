package app

import (
	"context"
	"net/netip"
	"net/url"
	"os"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsconfig "github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/feature/ec2/imds"

	"github.com/slipway-cd/slipway/config"
	"github.com/slipway-cd/slipway/deploy"
	"github.com/slipway-cd/slipway/fault"
	"github.com/slipway-cd/slipway/target/ecs"
)

// TargetOptions say how to reach a scheduler. What is empty is left to AWS's own environment variables and shared
// configuration files.
type TargetOptions struct {
	Region   string
	Profile  string
	Endpoint string
}

// Target returns the scheduler that an environment names.
func Target(ctx context.Context, scheduler config.Scheduler, o TargetOptions) (deploy.Target, error) {
	if scheduler != config.ECS && scheduler != "" {
		return nil, fault.New(fault.Invalid, "the scheduler %q is not supported by this version", scheduler).
			WithHint("use scheduler: ecs")
	}
	cfg, err := AWSConfig(ctx, o)
	if err != nil {
		return nil, err
	}
	return ecs.New(ecs.Options{Config: cfg, Images: imageRegistries(cfg)}), nil
}

// AWSConfig loads AWS's shared configuration, with what is given in front of it. For an endpoint on this machine, which
// is an engine, region and credentials are made up when there are none.
func AWSConfig(ctx context.Context, o TargetOptions) (aws.Config, error) {
	if err := checkEndpoint(o.Endpoint); err != nil {
		return aws.Config{}, err
	}
	local := onThisMachine(o.Endpoint)
	cfg, err := awsconfig.LoadDefaultConfig(ctx, o.load(local)...)
	if err != nil {
		return cfg, fault.New(fault.Invalid, "cannot read AWS's configuration: %w", err).
			WithHint("check ~/.aws/config, AWS_PROFILE and --profile")
	}
	if cfg.HTTPClient != nil {
		cfg.HTTPClient = plainBodies{cfg.HTTPClient}
	}
	if local {
		return madeUp(ctx, cfg), nil
	}
	if cfg.Region == "" {
		return cfg, fault.New(fault.Invalid, "no AWS region is known").
			WithHint("give --region, set AWS_REGION, or name the environment's region in slipway.yaml")
	}
	return cfg, nil
}

func (o TargetOptions) load(local bool) []func(*awsconfig.LoadOptions) error {
	var load []func(*awsconfig.LoadOptions) error
	if o.Region != "" {
		load = append(load, awsconfig.WithRegion(o.Region))
	}
	if o.Profile != "" {
		load = append(load, awsconfig.WithSharedConfigProfile(o.Profile))
	}
	if o.Endpoint != "" {
		load = append(load, awsconfig.WithBaseEndpoint(o.Endpoint))
	}
	if local { // no use asking the network who we are
		load = append(load, awsconfig.WithEC2IMDSClientEnableState(imds.ClientDisabled))
	}
	return load
}

func madeUp(ctx context.Context, cfg aws.Config) aws.Config {
	if cfg.Region == "" {
		cfg.Region = "us-east-1"
	}
	if cfg.Credentials == nil {
		cfg.Credentials = credentials.NewStaticCredentialsProvider("slipway", "slipway", "")
	} else if _, err := cfg.Credentials.Retrieve(ctx); err != nil {
		cfg.Credentials = credentials.NewStaticCredentialsProvider("slipway", "slipway", "")
	}
	return cfg
}

// checkEndpoint refuses an endpoint, or AWS_ENDPOINT_URL when it is empty, that is no URL: the most likely slip is to leave
// http:// out.
func checkEndpoint(endpoint string) error {
	from := "--endpoint-url"
	if endpoint == "" {
		from, endpoint = "AWS_ENDPOINT_URL", os.Getenv("AWS_ENDPOINT_URL")
	}
	u, err := url.Parse(endpoint)
	if endpoint == "" || err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" {
		return nil
	}
	return fault.New(fault.Invalid, "%s: %q is no URL of an endpoint", from, endpoint).
		WithHint("write it as http://HOST:PORT or https://HOST, as in http://127.0.0.1:4566")
}

// onThisMachine reports whether an endpoint, or AWS_ENDPOINT_URL when it is empty, is on a loopback address.
func onThisMachine(endpoint string) bool {
	if endpoint == "" {
		endpoint = os.Getenv("AWS_ENDPOINT_URL")
	}
	u, err := url.Parse(endpoint)
	if err != nil || endpoint == "" {
		return false
	}
	host := u.Hostname()
	at, err := netip.ParseAddr(host)
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || (err == nil && at.IsLoopback())
}
