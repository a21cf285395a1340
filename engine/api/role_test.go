package api_test

import (
	"context"
	"errors"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/slipway-cd/slipway/engine"
	"github.com/slipway-cd/slipway/engine/api"
	"github.com/slipway-cd/slipway/engine/state"
)

const trustECS = `{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Principal": {"Service": "ecs-tasks.amazonaws.com"}, "Action": "sts:AssumeRole"}}`

func (h *house) role(client *iam.Client, name, trust string) {
	h.Helper()
	_, err := client.CreateRole(h.Context(), &iam.CreateRoleInput{RoleName: &name, AssumeRolePolicyDocument: &trust})
	must(h, 0, err)
}

func TestARoleFromCreationToDeletion(t *testing.T) {
	t.Parallel()
	h := newStillHouse(t)
	client, ctx, name := iam.NewFromConfig(h.config()), t.Context(), aws.String("task")
	h.role(client, *name, trustECS)
	got, err := client.GetRole(ctx, &iam.GetRoleInput{RoleName: name})
	must(h, got, err)
	if document, err := url.QueryUnescape(*got.Role.AssumeRolePolicyDocument); *got.Role.Arn != "arn:aws:iam::000000000000:role/task" || document != trustECS || err != nil ||
		!strings.HasPrefix(*got.Role.RoleId, "AROA") || len(*got.Role.RoleId) != 20 || *got.Role.MaxSessionDuration != 3600 {
		t.Errorf("%s", h.last.answer())
	}
	_, err = client.CreateRole(ctx, &iam.CreateRoleInput{RoleName: name, AssumeRolePolicyDocument: aws.String(trustECS)})
	if _, ok := errors.AsType[*iamtypes.EntityAlreadyExistsException](err); !ok {
		t.Errorf("%v", err)
	}
	policy := aws.String("arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy")
	for range 2 { // once attached, it is attached
		_, err = client.AttachRolePolicy(ctx, &iam.AttachRolePolicyInput{RoleName: name, PolicyArn: policy})
		must(h, 0, err)
	}
	attached, err := client.ListAttachedRolePolicies(ctx, &iam.ListAttachedRolePoliciesInput{RoleName: name})
	must(h, attached, err)
	if len(attached.AttachedPolicies) != 1 || *attached.AttachedPolicies[0].PolicyName != "AmazonECSTaskExecutionRolePolicy" {
		t.Errorf("%+v", attached.AttachedPolicies)
	}
	document := aws.String(`{"Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}`)
	_, err = client.PutRolePolicy(ctx, &iam.PutRolePolicyInput{RoleName: name, PolicyName: aws.String("s3"), PolicyDocument: document})
	must(h, 0, err)
	inline, err := client.GetRolePolicy(ctx, &iam.GetRolePolicyInput{RoleName: name, PolicyName: aws.String("s3")})
	must(h, inline, err)
	if text, _ := url.QueryUnescape(*inline.PolicyDocument); text != *document {
		t.Error(text)
	}
	names, err := client.ListRolePolicies(ctx, &iam.ListRolePoliciesInput{RoleName: name})
	if must(h, names, err); !slices.Equal(names.PolicyNames, []string{"s3"}) {
		t.Errorf("%v", names.PolicyNames)
	}
	_, err = client.TagRole(ctx, &iam.TagRoleInput{RoleName: name, Tags: []iamtypes.Tag{{Key: aws.String("team"), Value: aws.String("a")}}})
	must(h, 0, err)
	tags, err := client.ListRoleTags(ctx, &iam.ListRoleTagsInput{RoleName: name})
	if must(h, tags, err); len(tags.Tags) != 1 || *tags.Tags[0].Value != "a" {
		t.Errorf("%+v", tags.Tags)
	}
	for range 2 { // what is attached, and what is its own, is in the way
		_, err = client.DeleteRole(ctx, &iam.DeleteRoleInput{RoleName: name})
		if _, ok := errors.AsType[*iamtypes.DeleteConflictException](err); !ok {
			t.Errorf("%v", err)
		}
		_, _ = client.DetachRolePolicy(ctx, &iam.DetachRolePolicyInput{RoleName: name, PolicyArn: policy})
	}
	_, err = client.DeleteRolePolicy(ctx, &iam.DeleteRolePolicyInput{RoleName: name, PolicyName: aws.String("s3")})
	must(h, 0, err)
	_, err = client.DeleteRole(ctx, &iam.DeleteRoleInput{RoleName: name})
	must(h, 0, err)
	_, err = client.GetRole(ctx, &iam.GetRoleInput{RoleName: name})
	if _, ok := errors.AsType[*iamtypes.NoSuchEntityException](err); !ok {
		t.Errorf("%v", err)
	}
}

func TestRolesAreListedByPathAndPage(t *testing.T) {
	t.Parallel()
	h := newStillHouse(t)
	client := iam.NewFromConfig(h.config())
	for _, name := range []string{"a", "b", "c"} {
		h.role(client, name, trustECS)
	}
	linked, err := client.CreateServiceLinkedRole(t.Context(), &iam.CreateServiceLinkedRoleInput{AWSServiceName: aws.String("ecs.amazonaws.com")})
	if must(h, linked, err); *linked.Role.Arn != "arn:aws:iam::000000000000:role/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS" {
		t.Errorf("%s", *linked.Role.Arn)
	}
	below, err := client.ListRoles(t.Context(), &iam.ListRolesInput{PathPrefix: aws.String("/aws-service-role/")})
	if must(h, below, err); len(below.Roles) != 1 {
		t.Errorf("%d roles", len(below.Roles))
	}
	pages, n := iam.NewListRolesPaginator(client, &iam.ListRolesInput{MaxItems: aws.Int32(3)}), 0
	for pages.HasMorePages() {
		out, err := pages.NextPage(t.Context())
		must(h, out, err)
		n += len(out.Roles)
	}
	if n != 4 {
		t.Errorf("%d roles on all pages", n)
	}
}

func TestRolesThatIAMRefusesAreRefused(t *testing.T) {
	t.Parallel()
	h := newStillHouse(t)
	client, ctx := iam.NewFromConfig(h.config()), t.Context()
	for want, err := range map[string]error{
		"ValidationError: The specified value for roleName is invalid": second(client.CreateRole(ctx, &iam.CreateRoleInput{RoleName: aws.String("a b"), AssumeRolePolicyDocument: aws.String(trustECS)})),
		"MalformedPolicyDocument: This policy contains invalid Json":   second(client.CreateRole(ctx, &iam.CreateRoleInput{RoleName: aws.String("a"), AssumeRolePolicyDocument: aws.String("{")})),
		"MalformedPolicyDocument: Syntax errors in policy.":            second(client.CreateRole(ctx, &iam.CreateRoleInput{RoleName: aws.String("a"), AssumeRolePolicyDocument: aws.String("{}")})),
		"ValidationError: The specified value for path is invalid":     second(client.CreateRole(ctx, &iam.CreateRoleInput{RoleName: aws.String("a"), Path: aws.String("x"), AssumeRolePolicyDocument: aws.String(trustECS)})),
		"NoSuchEntity: The role with name nobody cannot be found.":     second(client.UpdateRole(ctx, &iam.UpdateRoleInput{RoleName: aws.String("nobody")})),
		"Service-linked roles of ec2.amazonaws.com are not served":     second(client.CreateServiceLinkedRole(ctx, &iam.CreateServiceLinkedRoleInput{AWSServiceName: aws.String("ec2.amazonaws.com")})),
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

// newSignedHouse returns a still house that looks at signatures.
func newSignedHouse(t *testing.T) *house {
	t.Helper()
	h := newStillHouse(t)
	handler, err := api.Handler(api.Options{
		Engine: h.Engine, Bus: h.bus, Host: func() string { return "" }, Credentials: map[string]string{"AKIDEXAMPLE": "secret"},
	})
	must(h, handler, err)
	h.server = httptest.NewServer(handler)
	t.Cleanup(h.server.Close)
	h.sts = sts.NewFromConfig(h.config())
	return h
}

func TestWhoeverAssumesARoleIsThatRole(t *testing.T) {
	t.Parallel()
	h := newSignedHouse(t)
	ctx := t.Context()
	out, err := h.sts.AssumeRole(ctx, &sts.AssumeRoleInput{RoleArn: aws.String("arn:aws:iam::000000000000:role/ci/deployer"), RoleSessionName: aws.String("build-7")})
	must(h, out, err)
	if *out.AssumedRoleUser.Arn != "arn:aws:sts::000000000000:assumed-role/deployer/build-7" || !strings.HasPrefix(*out.Credentials.AccessKeyId, "ASIA") {
		t.Errorf("%+v", out)
	}
	config := h.config()
	credentials := aws.Credentials{
		AccessKeyID: *out.Credentials.AccessKeyId, SecretAccessKey: *out.Credentials.SecretAccessKey, SessionToken: *out.Credentials.SessionToken,
	}
	with := func(c aws.Credentials) aws.Config {
		config.Credentials = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) { return c, nil })
		return config
	}
	who, err := sts.NewFromConfig(with(credentials)).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if must(h, who, err); *who.Arn != *out.AssumedRoleUser.Arn || *who.UserId != *out.AssumedRoleUser.AssumedRoleId {
		t.Errorf("%+v", who)
	}
	_, err = ecs.NewFromConfig(with(credentials)).ListClusters(ctx, &ecs.ListClustersInput{})
	must(h, 0, err)

	forged, tokenless := credentials, credentials
	forged.SecretAccessKey, tokenless.SessionToken = "guess", ""
	for code, c := range map[string]aws.Credentials{
		"InvalidSignatureException": forged, "UnrecognizedClientException": tokenless,
	} {
		if _, err := ecs.NewFromConfig(with(c)).ListClusters(ctx, &ecs.ListClustersInput{}); !isCode(err, code) {
			t.Errorf("%v, want %s", err, code)
		}
	}
	must(h, 0, h.DB().Write(func(tx *state.Tx) error {
		s, _ := tx.Session(credentials.AccessKeyID)
		expired := *s
		expired.Expires = h.Now().Add(-time.Minute)
		tx.Put(&expired)
		return nil
	}))
	if _, err := ecs.NewFromConfig(with(credentials)).ListClusters(ctx, &ecs.ListClustersInput{}); !isCode(err, "ExpiredTokenException") {
		t.Errorf("%v", err)
	}
	for want, in := range map[string]*sts.AssumeRoleInput{
		"ValidationError: deployer is invalid": {RoleArn: aws.String("deployer"), RoleSessionName: aws.String("x1")},
		"at 'roleSessionName' failed":          {RoleArn: aws.String("arn:aws:iam::000000000000:role/a"), RoleSessionName: aws.String("x 1")},
		"at 'durationSeconds' failed":          {RoleArn: aws.String("arn:aws:iam::000000000000:role/a"), RoleSessionName: aws.String("x1"), DurationSeconds: aws.Int32(60)},
		"AccessDenied: User: arn:aws:iam::000000000000:root is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::111111111111:role/a": {
			RoleArn: aws.String("arn:aws:iam::111111111111:role/a"), RoleSessionName: aws.String("x1"),
		},
	} {
		if _, err := h.sts.AssumeRole(ctx, in); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

// With --check-roles, tasks need the roles that they name, and the roles must trust ECS.
func TestTasksNeedRolesThatTrustECSWhereRolesAreChecked(t *testing.T) {
	t.Parallel()
	h := newHouse(t, func(o *engine.Options) { o.CheckRoles = true })
	client, ctx := iam.NewFromConfig(h.config()), t.Context()
	definition := h.register("web", func(in *ecs.RegisterTaskDefinitionInput) {
		in.TaskRoleArn = aws.String("arn:aws:iam::000000000000:role/task")
	})
	const missing = "ECS was unable to assume the role 'arn:aws:iam::000000000000:role/task' that was provided for this task."
	run := func() error {
		return second(h.ecs.RunTask(ctx, &ecs.RunTaskInput{TaskDefinition: &definition}))
	}
	h.create("default", "web", definition, nil)
	if err := run(); err == nil || !strings.Contains(err.Error(), "ClientException: "+missing) {
		t.Errorf("%v", err)
	}
	h.until("the service tells it", func(snap state.Snapshot) bool {
		list := snap.Events(state.ServiceKey{Cluster: "default", Name: "web"}).List
		return len(list) == 1 && strings.HasPrefix(*list[0].Message, "(service web) failed to launch a task with (error "+missing)
	})
	if _, err := h.sts.AssumeRole(ctx, &sts.AssumeRoleInput{RoleArn: aws.String("arn:aws:iam::000000000000:role/task"), RoleSessionName: aws.String("x1")}); !isCode(err, "AccessDenied") {
		t.Errorf("%v", err)
	}
	h.role(client, "task", strings.ReplaceAll(trustECS, "ecs-tasks", "lambda"))
	if err := run(); err == nil || !strings.Contains(err.Error(), missing) {
		t.Errorf("a role that trusts another service: %v", err)
	}
	_, err := client.UpdateAssumeRolePolicy(ctx, &iam.UpdateAssumeRolePolicyInput{RoleName: aws.String("task"), PolicyDocument: aws.String(trustECS)})
	must(h, 0, err)
	must(h, 0, run())
	h.completed("default", "web")
}
