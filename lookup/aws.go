package lookup

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/logging"

	"github.com/slipway-cd/slipway/config"
	"github.com/slipway-cd/slipway/fault"
	"github.com/slipway-cd/slipway/suggest"
)

func (l *Lookups) config(ctx context.Context, region string) (aws.Config, error) {
	return l.configs.do(region, func() (aws.Config, error) {
		if l.options.AWS == nil {
			return aws.Config{}, fault.New(fault.Internal, "nothing of AWS can be looked up here")
		}
		cfg, err := l.options.AWS(ctx, region)
		cfg.Logger = logging.Nop{}
		return cfg, err
	})
}

// parameter returns the value of a parameter. A SecureString is not even decrypted: a document shows it to everybody.
func (l *Lookups) parameter(ctx context.Context, region, name string) (string, error) {
	cfg, err := l.config(ctx, region)
	if err != nil {
		return "", err
	}
	what := fmt.Sprintf("SSM parameter %q", name)
	out, err := ssm.NewFromConfig(cfg).GetParameter(ctx, &ssm.GetParameterInput{Name: &name})
	if err != nil {
		return "", told(what, cfg.Region, err, "ParameterNotFound", "ParameterVersionNotFound")
	}
	if out.Parameter.Type == types.ParameterTypeSecureString {
		return "", fault.New(fault.Invalid, "%s is a SecureString, which would be readable in the document", what).
			WithHint("name its ARN in the container's secrets instead: %s", aws.ToString(out.Parameter.ARN))
	}
	return aws.ToString(out.Parameter.Value), nil
}

// secret returns the ARN of a secret. Its value is not asked for.
func (l *Lookups) secret(ctx context.Context, region, name string) (string, error) {
	cfg, err := l.config(ctx, region)
	if err != nil {
		return "", err
	}
	out, err := secretsmanager.NewFromConfig(cfg).DescribeSecret(ctx, &secretsmanager.DescribeSecretInput{SecretId: &name})
	if err != nil {
		return "", told(fmt.Sprintf("secret %q", name), cfg.Region, err, "ResourceNotFoundException")
	}
	if out.DeletedDate != nil {
		return "", fault.New(fault.NotFound, "secret %q is being deleted", name)
	}
	return aws.ToString(out.ARN), nil
}

func (l *Lookups) output(ctx context.Context, region, name string) (string, error) {
	stack, key := config.CutOutput(name)
	if stack == "" || key == "" {
		return "", fault.New(fault.Invalid, "%q doesn't name a stack and one of its outputs", name).WithHint("write STACK.Output")
	}
	outputs, err := l.stacks.do(region+" "+stack, func() (map[string]string, error) { return l.stack(ctx, region, stack) })
	if err != nil {
		return "", err
	}
	if value, ok := outputs[key]; ok {
		return value, nil
	}
	names := slices.Sorted(maps.Keys(outputs))
	if len(names) == 0 {
		return "", fault.New(fault.NotFound, "CloudFormation stack %q has no outputs", stack)
	}
	return "", fault.New(fault.NotFound, "CloudFormation stack %q has no output %q", stack, key).WithHint("%s", suggest.HintOrList(key, names))
}

func (l *Lookups) stack(ctx context.Context, region, stack string) (map[string]string, error) {
	cfg, err := l.config(ctx, region)
	if err != nil {
		return nil, err
	}
	what := fmt.Sprintf("CloudFormation stack %q", stack)
	out, err := cloudformation.NewFromConfig(cfg).DescribeStacks(ctx, &cloudformation.DescribeStacksInput{StackName: &stack})
	if err != nil {
		// "Stack with id NAME does not exist" has the code ValidationError, as every other mistake in a request.
		if failure, ok := errors.AsType[smithy.APIError](err); ok && strings.HasSuffix(failure.ErrorMessage(), "does not exist") {
			return nil, absent(what, cfg.Region)
		}
		return nil, told(what, cfg.Region, err)
	}
	outputs := map[string]string{}
	for _, s := range out.Stacks {
		for _, o := range s.Outputs {
			outputs[aws.ToString(o.OutputKey)] = aws.ToString(o.OutputValue)
		}
	}
	return outputs, nil
}

// object returns the content of an S3 object.
func (l *Lookups) object(ctx context.Context, region, url string) ([]byte, error) {
	bucket, key, _ := strings.Cut(strings.TrimPrefix(url, s3Scheme), "/")
	if bucket == "" || key == "" {
		return nil, fault.New(fault.Invalid, "%q doesn't name an object", url).WithHint("write s3://BUCKET/KEY")
	}
	cfg, err := l.config(ctx, region)
	if err != nil {
		return nil, err
	}
	client := s3.NewFromConfig(cfg, func(o *s3.Options) { o.UsePathStyle = cfg.BaseEndpoint != nil })
	out, err := client.GetObject(ctx, &s3.GetObjectInput{Bucket: &bucket, Key: &key})
	if err != nil {
		return nil, told(url, cfg.Region, err, "NoSuchKey", "NoSuchBucket", "NotFound")
	}
	defer out.Body.Close()
	content, err := io.ReadAll(io.LimitReader(out.Body, maxFile+1))
	switch {
	case err != nil:
		return nil, fault.New(fault.Unavailable, "cannot read %s: %w", url, err)
	case len(content) > maxFile:
		return nil, fault.New(fault.Invalid, "%s has more than %d bytes", url, maxFile)
	}
	return content, nil
}

// told turns an error of AWS into one of ours. missing are the codes that say that the thing doesn't exist.
func told(what, region string, err error, missing ...string) error {
	failure, ok := errors.AsType[smithy.APIError](err)
	switch {
	case !ok:
		return fault.New(fault.Unavailable, "cannot look at %s: %w", what, err)
	case slices.Contains(missing, failure.ErrorCode()):
		return absent(what, region)
	case strings.HasPrefix(failure.ErrorCode(), "AccessDenied"):
		return fault.New(fault.Denied, "no right to look at %s: %s", what, failure.ErrorMessage())
	}
	return fault.New(fault.Unavailable, "cannot look at %s: %s: %s", what, failure.ErrorCode(), failure.ErrorMessage())
}

func absent(what, region string) error {
	return fault.New(fault.NotFound, "%s doesn't exist in %s", what, region)
}
