package awswire_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/slipway-cd/slipway/awswire"

	"github.com/google/go-cmp/cmp"
)

// awsCLI finds the AWS CLI (Debian's package awscli, or newer). A machine without it cannot tell whether the wire is
// right for it, so that is a failure and not a reason to skip.
func awsCLI(t *testing.T) string {
	t.Helper()
	const debian = "/usr/bin/aws"
	if _, err := os.Stat(debian); err == nil {
		return debian
	}
	path, err := exec.LookPath("aws")
	if err != nil {
		t.Fatalf("the AWS CLI is not installed (%v): these tests need it, `apt-get install awscli` brings it", err)
	}
	return path
}

func TestAWSCLISpeaksToTheServer(t *testing.T) {
	t.Parallel()
	aws := awsCLI(t)
	cfg := serve(t, awswire.Options{Credentials: map[string]string{"AKIDEXAMPLE": "secret"}})
	run := func(t *testing.T, secret string, args ...string) (string, error) {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), aws, append([]string{"--endpoint-url", *cfg.BaseEndpoint, "--region", "eu-west-1"}, args...)...)
		cmd.Env = append(os.Environ(), "HOME="+t.TempDir(), "AWS_ACCESS_KEY_ID=AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY="+secret,
			"AWS_PAGER=", "AWS_EC2_METADATA_DISABLED=true")
		out, err := cmd.CombinedOutput()
		return strings.TrimSpace(string(out)), err
	}
	for name, tc := range map[string]struct {
		args, want string // want: all of the output
		secret     string
		fails      bool
	}{
		"ecs, with lists and counts": {
			args: "ecs describe-services --services web --query services[0].[serviceName,runningCount,events,loadBalancers,tags] --output json",
			want: "[\n    \"web\",\n    0,\n    [],\n    [],\n    null\n]",
		},
		"ecs, an error": {
			args: "ecs update-service --service x", fails: true,
			want: "An error occurred (ServiceNotFoundException) when calling the UpdateService operation: Service not found.",
		},
		"ecs, an operation that is not served": {
			args: "ecs list-clusters", fails: true,
			want: `An error occurred (UnknownOperationException) when calling the ListClusters operation: The operation "ListClusters" of ` + ecsPrefix + " is not served here.",
		},
		"ecs, wrong secret": {
			args: "ecs describe-services --services web", secret: "wrong", fails: true,
			want: "An error occurred (InvalidSignatureException) when calling the DescribeServices operation: The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.",
		},
		"ecr":  {args: "ecr create-repository --repository-name a/b --query repository.repositoryName --output text", want: "a/b"},
		"logs": {args: "logs get-log-events --log-group-name g --log-stream-name s --query events[0].timestamp --output text", want: "1783015901408"},
		"elb": {
			args: "elb describe-load-balancers --load-balancer-names web --query LoadBalancerDescriptions[0].[LoadBalancerName,AvailabilityZones,Instances,ListenerDescriptions] --output json",
			want: "[\n    \"web <&>\",\n    [\n        \"us-east-1a\",\n        \"us-east-1b\"\n    ],\n    [\n        {\n            \"InstanceId\": \"i-1\"\n        }\n    ],\n    []\n]",
		},
		"elbv2, an error": {
			args: "elbv2 describe-load-balancers --names gone", fails: true,
			want: "An error occurred (LoadBalancerNotFound) when calling the DescribeLoadBalancers operation: Load balancers '[gone]' not found",
		},
		"elbv2, wrong secret": {
			args: "elbv2 describe-load-balancers --names gone", secret: "wrong", fails: true,
			want: "An error occurred (SignatureDoesNotMatch) when calling the DescribeLoadBalancers operation: The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.",
		},
		"elbv2, an empty list": {
			args: "elbv2 describe-target-health --target-group-arn x --query TargetHealthDescriptions --output json", want: "[]",
		},
		"sts": {args: "sts get-caller-identity --query [UserId,Arn] --output text", want: "AKIDEXAMPLE\tarn:aws:iam::000000000000:user/eu-west-1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			secret := "secret"
			if tc.secret != "" {
				secret = tc.secret
			}
			got, err := run(t, secret, strings.Fields(tc.args)...)
			if (err != nil) != tc.fails {
				t.Errorf("err = %v", err)
			}
			if d := cmp.Diff(tc.want, got); d != "" {
				t.Errorf("-want +got:\n%s", d)
			}
		})
	}
}
