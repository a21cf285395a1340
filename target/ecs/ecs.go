// Package ecs deploys to Amazon ECS and whatever speaks its API: it observes services, performs steps, gathers evidence.
package ecs

import (
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/applicationautoscaling"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancing"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go/logging"
)

// Options say how to reach Amazon ECS.
type Options struct {
	Config aws.Config // region, credentials, and, for whatever is not AWS itself, BaseEndpoint
	Images Images     // asked by Verify; nil: images are not verified
}

// Target is Amazon ECS in one region and account. It may be used by several goroutines at once.
type Target struct {
	ecs      *ecs.Client
	elb      *elasticloadbalancing.Client
	elbv2    *elasticloadbalancingv2.Client
	logs     *cloudwatchlogs.Client
	alarms   *cloudwatch.Client
	scaling  *applicationautoscaling.Client
	endpoint string // as it was given; empty: AWS's own
	region   string

	iam        *iam.Client // these are asked by Verify alone
	identity   *sts.Client
	secrets    *secretsmanager.Client
	parameters *ssm.Client
	images     Images

	mu          sync.Mutex
	streams     map[string]bool        // log streams that are known to be there, by group and name
	definitions map[string]*definition // by ARN: a registered task definition never changes; nil: it was asked for and not told
	instances   map[string]string      // EC2 instance by the ARN of the container instance, which never changes either
}

// New returns a target. It asks nothing yet.
func New(o Options) *Target {
	cfg := o.Config.Copy()
	cfg.Logger = logging.Nop{} // what the SDK has to say of connections is not for people who watch a rollout
	reach := new(reach)
	cfg.Retryer = reach.retryer(o.Config)
	cfg.APIOptions = append(cfg.APIOptions, newLimits().addTo, reach.addTo)
	return &Target{
		ecs:         ecs.NewFromConfig(cfg),
		elb:         elasticloadbalancing.NewFromConfig(cfg),
		elbv2:       elasticloadbalancingv2.NewFromConfig(cfg),
		logs:        cloudwatchlogs.NewFromConfig(cfg),
		alarms:      cloudwatch.NewFromConfig(cfg),
		scaling:     applicationautoscaling.NewFromConfig(cfg),
		endpoint:    aws.ToString(cfg.BaseEndpoint),
		region:      cfg.Region,
		iam:         iam.NewFromConfig(cfg),
		identity:    sts.NewFromConfig(cfg),
		secrets:     secretsmanager.NewFromConfig(cfg),
		parameters:  ssm.NewFromConfig(cfg),
		images:      o.Images,
		definitions: map[string]*definition{},
		instances:   map[string]string{},
	}
}
