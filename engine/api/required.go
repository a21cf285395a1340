package api

import (
	"context"
	"fmt"
	"reflect"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/applicationautoscaling"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	logtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	ecrtypes "github.com/aws/aws-sdk-go-v2/service/ecr/types"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancing"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/servicediscovery"
	sdtypes "github.com/aws/aws-sdk-go-v2/service/servicediscovery/types"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"

	"github.com/slipway-cd/slipway/awswire"
)

// A checker knows what one service's model requires, and how the service refuses.
type checker struct {
	inputs string // the package path of the inputs ends with it
	client any
	refuse func(message string) error
}

// required refuses inputs that lack what the operation's model requires.
func required() func(context.Context, string, any) error {
	checkers := checkers()
	return func(_ context.Context, _ string, input any) error {
		for _, c := range checkers {
			if !strings.HasSuffix(reflect.TypeOf(input).Elem().PkgPath(), c.inputs) {
				continue
			}
			missing, err := awswire.Missing(c.client, input)
			if err != nil || len(missing) == 0 {
				return err
			}
			return c.refuse(refusal(missing))
		}
		return nil
	}
}

func checkers() []checker {
	only := awswire.OnlyValidate()
	const region = "us-east-1" // a client needs one; nothing is sent
	return []checker{
		{"service/ecs", ecs.New(ecs.Options{APIOptions: only, Region: region}), func(s string) error {
			return &ecstypes.InvalidParameterException{Message: aws.String(s)}
		}},
		{"service/ecr", ecr.New(ecr.Options{APIOptions: only, Region: region}), func(s string) error {
			return &ecrtypes.InvalidParameterException{Message: aws.String(s)}
		}},
		{"service/cloudwatchlogs", cloudwatchlogs.New(cloudwatchlogs.Options{APIOptions: only, Region: region}), func(s string) error {
			return &logtypes.InvalidParameterException{Message: aws.String(s)}
		}},
		{"service/cloudwatch", cloudwatch.New(cloudwatch.Options{APIOptions: only, Region: region}), validation},
		{"service/eventbridge", eventbridge.New(eventbridge.Options{APIOptions: only, Region: region}), validationException},
		{"service/applicationautoscaling", applicationautoscaling.New(applicationautoscaling.Options{APIOptions: only, Region: region}), validationException},
		{"service/servicediscovery", servicediscovery.New(servicediscovery.Options{APIOptions: only, Region: region}), func(s string) error {
			return &sdtypes.InvalidInput{Message: aws.String(s)}
		}},
		{"service/iam", iam.New(iam.Options{APIOptions: only, Region: region}), validation},
		{"service/sts", sts.New(sts.Options{APIOptions: only, Region: region}), validation},
		{"service/secretsmanager", secretsmanager.New(secretsmanager.Options{APIOptions: only, Region: region}), validationException},
		{"service/ssm", ssm.New(ssm.Options{APIOptions: only, Region: region}), validationException},
		{"service/elasticloadbalancingv2", elbv2.New(elbv2.Options{APIOptions: only, Region: region}), validation},
		{"service/elasticloadbalancing", elb.New(elb.Options{APIOptions: only, Region: region}), validation},
	}
}

// refusal words what is missing as AWS's front ends do, all at once.
func refusal(missing []string) string {
	parts := make([]string, len(missing))
	for i, member := range missing {
		parts[i] = fmt.Sprintf("Value null at '%s' failed to satisfy constraint: Member must not be null", member)
	}
	plural := "s"
	if len(missing) == 1 {
		plural = ""
	}
	return fmt.Sprintf("%d validation error%s detected: %s", len(missing), plural, strings.Join(parts, "; "))
}

func validation(message string) error {
	return &smithy.GenericAPIError{Code: "ValidationError", Message: message, Fault: smithy.FaultClient}
}

// validationException is what the services with a JSON protocol and no exception of their own for it say.
func validationException(message string) error {
	return &smithy.GenericAPIError{Code: "ValidationException", Message: message, Fault: smithy.FaultClient}
}
