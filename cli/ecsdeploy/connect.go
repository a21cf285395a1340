package ecsdeploy

import (
	"cmp"
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go/middleware"

	"github.com/slipway-cd/slipway/app"
	"github.com/slipway-cd/slipway/fault"
	"github.com/slipway-cd/slipway/target/ecs"
)

// flow is one call of the command, once it is known what to do and where.
type flow struct {
	*Program
	o      options
	target *ecs.Target
	ecs    *awsecs.Client
}

// connect finds region and credentials, and assumes the role that is named.
func (p *Program) connect(ctx context.Context, o options) (*flow, error) {
	cfg, err := app.AWSConfig(ctx, app.TargetOptions{
		Region:   cmp.Or(o.region, p.variable("AWS_REGION"), p.variable("AWS_DEFAULT_REGION")),
		Profile:  cmp.Or(o.profile, p.variable("AWS_PROFILE")),
		Endpoint: p.variable("AWS_ENDPOINT_URL"),
	})
	if err != nil {
		return nil, err
	}
	if o.verbose {
		cfg.APIOptions = append(cfg.APIOptions, p.tellCalls)
	}
	if o.accessKey != "" || o.secretKey != "" {
		if cfg.Credentials, err = p.keys(o); err != nil {
			return nil, err
		}
	}
	if o.role != "" {
		if cfg.Credentials, err = assume(ctx, cfg, o.role); err != nil {
			return nil, err
		}
	}
	target := ecs.New(ecs.Options{Config: cfg})
	return &flow{p, o, target, target.Client()}, nil
}

// keys are those of -k and -s, the other one from the environment where only one is given. The session's token of the
// environment belongs to the environment's own key.
func (p *Program) keys(o options) (aws.CredentialsProvider, error) {
	key, secret, token := p.variable("AWS_ACCESS_KEY_ID"), p.variable("AWS_SECRET_ACCESS_KEY"), p.variable("AWS_SESSION_TOKEN")
	if key != "" && o.accessKey != "" && o.accessKey != key {
		token = ""
	}
	if o.accessKey != "" {
		key = o.accessKey
	}
	if o.secretKey != "" {
		secret = o.secretKey
	}
	if key == "" || secret == "" {
		return nil, fault.New(fault.Denied, "of access key and secret key only one is given").
			WithHint("give -k and -s, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY")
	}
	return credentials.NewStaticCredentialsProvider(key, secret, token), nil
}

// assume assumes a role now, and again whenever its credentials are about to expire.
func assume(ctx context.Context, cfg aws.Config, role string) (aws.CredentialsProvider, error) {
	provider := stscreds.NewAssumeRoleProvider(sts.NewFromConfig(cfg), role, func(o *stscreds.AssumeRoleOptions) {
		o.RoleSessionName = "ecs-deploy"
	})
	cache := aws.NewCredentialsCache(provider)
	if _, err := cache.Retrieve(ctx); err != nil {
		return nil, fault.New(fault.Denied, "cannot assume role %s: %w", role, err).
			WithHint("check the role's ARN, and that it trusts the caller")
	}
	return cache, nil
}

// tellCalls tells the name of each call: neither what is sent nor what is answered, in which there may be secrets.
func (p *Program) tellCalls(stack *middleware.Stack) error {
	return stack.Initialize.Add(middleware.InitializeMiddlewareFunc("EcsDeployVerbose",
		func(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
			out, metadata, err := next.HandleInitialize(ctx, in)
			result := "ok"
			if err != nil {
				result = "failed"
			}
			p.say("  aws %s %s: %s", awsmiddleware.GetServiceID(ctx), awsmiddleware.GetOperationName(ctx), result)
			return out, metadata, err
		}), middleware.After)
}
