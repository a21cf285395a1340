package api_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	secrettypes "github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"
)

// vault is a house with clients of the services that keep values for containers.
type vault struct {
	*house
	secrets    *secretsmanager.Client
	parameters *ssm.Client
}

func vaultOf(h *house) vault {
	config := aws.Config{
		BaseEndpoint: aws.String(h.server.URL), Region: "us-east-1", HTTPClient: &http.Client{Transport: h.last},
		Credentials: credentials.NewStaticCredentialsProvider("AKIDEXAMPLE", "secret", ""), RetryMaxAttempts: 1,
	}
	return vault{h, secretsmanager.NewFromConfig(config), ssm.NewFromConfig(config)}
}

func (v vault) create(name, value string) string {
	v.Helper()
	out, err := v.secrets.CreateSecret(v.Context(), &secretsmanager.CreateSecretInput{Name: &name, SecretString: &value})
	if err != nil {
		v.Fatal(err)
	}
	return *out.ARN
}

func (v vault) current(id, stage string) string {
	v.Helper()
	in := &secretsmanager.GetSecretValueInput{SecretId: &id}
	if stage != "" {
		in.VersionStage = &stage
	}
	out, err := v.secrets.GetSecretValue(v.Context(), in)
	if err != nil {
		v.Fatal(err)
	}
	return aws.ToString(out.SecretString)
}

func refusalOf(err error) string {
	if api, ok := errors.AsType[smithy.APIError](err); ok {
		return api.ErrorCode() + ": " + api.ErrorMessage()
	}
	return ""
}

func TestASecretIsFoundByNameAndByARN(t *testing.T) {
	t.Parallel()
	v := vaultOf(newStillHouse(t))
	arn := v.create("db/password", "hunter2")
	for _, id := range []string{"db/password", arn, arn[:len(arn)-7]} {
		if got := v.current(id, ""); got != "hunter2" {
			t.Errorf("%s: %q", id, got)
		}
	}
	if !strings.HasPrefix(arn, "arn:aws:secretsmanager:us-east-1:000000000000:secret:db/password-") {
		t.Error(arn)
	}
	_, err := v.secrets.GetSecretValue(t.Context(), &secretsmanager.GetSecretValueInput{SecretId: aws.String("db/passwor")})
	if got := refusalOf(err); got != "ResourceNotFoundException: Secrets Manager can't find the specified secret." {
		t.Error(got)
	}
}

func TestANewVersionMakesTheOneBeforeAWSPREVIOUS(t *testing.T) {
	t.Parallel()
	v := vaultOf(newStillHouse(t))
	v.create("key", "one")
	for _, value := range []string{"two", "three"} {
		if _, err := v.secrets.PutSecretValue(t.Context(), &secretsmanager.PutSecretValueInput{SecretId: aws.String("key"), SecretString: &value}); err != nil {
			t.Fatal(err)
		}
	}
	if got := v.current("key", "") + " " + v.current("key", "AWSPREVIOUS"); got != "three two" {
		t.Error(got)
	}
	_, err := v.secrets.PutSecretValue(t.Context(), &secretsmanager.PutSecretValueInput{
		SecretId: aws.String("key"), SecretString: aws.String("four"), VersionStages: []string{"CANDIDATE"},
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := v.current("key", "") + " " + v.current("key", "CANDIDATE"); got != "three four" {
		t.Error(got)
	}
	all, err := v.secrets.ListSecretVersionIds(t.Context(), &secretsmanager.ListSecretVersionIdsInput{SecretId: aws.String("key")})
	if err != nil || len(all.Versions) != 3 {
		t.Error(all, err)
	}
	var candidate, current string
	for _, version := range all.Versions {
		switch version.VersionStages[0] {
		case "CANDIDATE":
			candidate = *version.VersionId
		case "AWSCURRENT":
			current = *version.VersionId
		}
	}
	move := &secretsmanager.UpdateSecretVersionStageInput{SecretId: aws.String("key"), VersionStage: aws.String("AWSCURRENT"), MoveToVersionId: &candidate}
	if _, err := v.secrets.UpdateSecretVersionStage(t.Context(), move); !strings.Contains(refusalOf(err), "RemoveFromVersionId must be specified") {
		t.Error(err)
	}
	move.RemoveFromVersionId = &current
	if _, err := v.secrets.UpdateSecretVersionStage(t.Context(), move); err != nil {
		t.Fatal(err)
	}
	if got := v.current("key", "") + " " + v.current("key", "AWSPREVIOUS"); got != "four three" {
		t.Error(got)
	}
}

func TestARepeatedRequestChangesASecretOnce(t *testing.T) {
	t.Parallel()
	v := vaultOf(newStillHouse(t))
	v.create("key", "one")
	token := "0123456789abcdef0123456789abcdef"
	put := func(value string) error {
		_, err := v.secrets.PutSecretValue(t.Context(), &secretsmanager.PutSecretValueInput{
			SecretId: aws.String("key"), SecretString: &value, ClientRequestToken: &token,
		})
		return err
	}
	if err := errors.Join(put("two"), put("two")); err != nil {
		t.Fatal(err)
	}
	if got := v.current("key", "AWSPREVIOUS"); got != "one" {
		t.Errorf("AWSPREVIOUS is %q", got)
	}
	if got := refusalOf(put("other")); !strings.HasPrefix(got, "ResourceExistsException: You can't use ClientRequestToken") {
		t.Error(got)
	}
}

func TestADeletedSecretIsOutOfReachUntilItIsRestored(t *testing.T) {
	t.Parallel()
	v := vaultOf(newStillHouse(t))
	v.create("key", "one")
	if _, err := v.secrets.DeleteSecret(t.Context(), &secretsmanager.DeleteSecretInput{SecretId: aws.String("key")}); err != nil {
		t.Fatal(err)
	}
	get := &secretsmanager.GetSecretValueInput{SecretId: aws.String("key")}
	_, err := v.secrets.GetSecretValue(t.Context(), get)
	if got := refusalOf(err); got != "InvalidRequestException: You can't perform this operation on the secret because it was marked for deletion." {
		t.Error(got)
	}
	_, err = v.secrets.CreateSecret(t.Context(), &secretsmanager.CreateSecretInput{Name: aws.String("key")})
	if got := refusalOf(err); !strings.Contains(got, "already scheduled for deletion") {
		t.Error(got)
	}
	list, err := v.secrets.ListSecrets(t.Context(), &secretsmanager.ListSecretsInput{})
	if err != nil || len(list.SecretList) != 0 {
		t.Error(list, err)
	}
	if _, err := v.secrets.RestoreSecret(t.Context(), &secretsmanager.RestoreSecretInput{SecretId: aws.String("key")}); err != nil {
		t.Fatal(err)
	}
	if got := v.current("key", ""); got != "one" {
		t.Error(got)
	}
	_, err = v.secrets.DeleteSecret(t.Context(), &secretsmanager.DeleteSecretInput{SecretId: aws.String("key"), ForceDeleteWithoutRecovery: aws.Bool(true)})
	if err != nil {
		t.Fatal(err)
	}
	v.create("key", "anew")
}

func TestSecretsAreListedByFilterAndDescribedWithoutTheirValues(t *testing.T) {
	t.Parallel()
	v := vaultOf(newStillHouse(t))
	v.create("db/a", "hunter2")
	v.create("db/b", "hunter2")
	v.create("web", "hunter2")
	_, err := v.secrets.TagResource(t.Context(), &secretsmanager.TagResourceInput{
		SecretId: aws.String("db/b"), Tags: []secrettypes.Tag{{Key: aws.String("team"), Value: aws.String("hid")}},
	})
	if err != nil {
		t.Fatal(err)
	}
	for want, filter := range map[string]secrettypes.Filter{
		"db/a db/b": {Key: "name", Values: []string{"db/"}},
		"web":       {Key: "name", Values: []string{"!db/"}},
		"db/b":      {Key: "tag-key", Values: []string{"team"}},
	} {
		out, err := v.secrets.ListSecrets(t.Context(), &secretsmanager.ListSecretsInput{Filters: []secrettypes.Filter{filter}})
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, s := range out.SecretList {
			names = append(names, *s.Name)
		}
		if got := strings.Join(names, " "); got != want {
			t.Errorf("%v: %q", filter, got)
		}
		v.hides("hunter2")
	}
	described, err := v.secrets.DescribeSecret(t.Context(), &secretsmanager.DescribeSecretInput{SecretId: aws.String("db/b")})
	if err != nil || len(described.VersionIdsToStages) != 1 || len(described.Tags) != 1 {
		t.Error(described, err)
	}
	v.hides("hunter2")
}

// hides fails when the last answer holds a text.
func (v vault) hides(text string) {
	v.Helper()
	if strings.Contains(v.last.body, text) {
		v.Errorf("the answer holds the value: %s", v.last.body)
	}
}

func (v vault) put(name, value string, kind ssmtypes.ParameterType) {
	v.Helper()
	_, err := v.parameters.PutParameter(v.Context(), &ssm.PutParameterInput{Name: &name, Value: &value, Type: kind, Overwrite: aws.Bool(true)})
	if err != nil {
		v.Fatal(err)
	}
}

func TestAParameterHasVersionsAndLabels(t *testing.T) {
	t.Parallel()
	v := vaultOf(newStillHouse(t))
	v.put("/web/url", "one", "String")
	v.put("/web/url", "two", "")
	_, err := v.parameters.LabelParameterVersion(t.Context(), &ssm.LabelParameterVersionInput{
		Name: aws.String("/web/url"), ParameterVersion: aws.Int64(1), Labels: []string{"stable", "1st"},
	})
	if err != nil {
		t.Fatal(err)
	}
	for id, want := range map[string]string{
		"/web/url": "two", "/web/url:1": "one", "/web/url:stable": "one", "arn:aws:ssm:us-east-1:000000000000:parameter/web/url": "two",
	} {
		out, err := v.parameters.GetParameter(t.Context(), &ssm.GetParameterInput{Name: &id})
		if err != nil || *out.Parameter.Value != want {
			t.Errorf("%s: %v, %v", id, out, err)
		}
	}
	for id, want := range map[string]string{"/web": "ParameterNotFound: ", "/web/url:9": "ParameterVersionNotFound: Systems Manager could not find version 9"} {
		_, err := v.parameters.GetParameter(t.Context(), &ssm.GetParameterInput{Name: &id})
		if got := refusalOf(err); !strings.HasPrefix(got, want) {
			t.Errorf("%s: %s", id, got)
		}
	}
	_, err = v.parameters.PutParameter(t.Context(), &ssm.PutParameterInput{Name: aws.String("/web/url"), Value: aws.String("x")})
	if got := refusalOf(err); !strings.HasPrefix(got, "ParameterAlreadyExists: ") {
		t.Error(got)
	}
	several, err := v.parameters.GetParameters(t.Context(), &ssm.GetParametersInput{Names: []string{"/web/url", "/nothing"}})
	if err != nil || len(several.Parameters) != 1 || strings.Join(several.InvalidParameters, "") != "/nothing" {
		t.Error(several, err)
	}
}

func TestASecureStringIsShownOnlyWithDecryption(t *testing.T) {
	t.Parallel()
	v := vaultOf(newStillHouse(t))
	v.put("password", "hunter2", "SecureString")
	out, err := v.parameters.GetParameter(t.Context(), &ssm.GetParameterInput{Name: aws.String("password")})
	if err != nil || *out.Parameter.Value == "" {
		t.Error(out, err)
	}
	v.hides("hunter2")
	if _, err := v.parameters.DescribeParameters(t.Context(), &ssm.DescribeParametersInput{}); err != nil {
		t.Error(err)
	}
	v.hides("hunter2")
	out, err = v.parameters.GetParameter(t.Context(), &ssm.GetParameterInput{Name: aws.String("password"), WithDecryption: aws.Bool(true)})
	if err != nil || *out.Parameter.Value != "hunter2" {
		t.Error(out, err)
	}
}

func TestParametersAreFoundByTheirPath(t *testing.T) {
	t.Parallel()
	v := vaultOf(newStillHouse(t))
	for _, name := range []string{"/web/qa/url", "/web/qa/key", "/web/qa/db/password", "/web/production/url", "plain"} {
		v.put(name, "v", "String")
	}
	for want, in := range map[string]ssm.GetParametersByPathInput{
		"/web/qa/key /web/qa/url":                     {Path: aws.String("/web/qa")},
		"/web/qa/db/password /web/qa/key /web/qa/url": {Path: aws.String("/web/qa"), Recursive: aws.Bool(true)},
	} {
		var names []string
		pages := ssm.NewGetParametersByPathPaginator(v.parameters, &in, func(o *ssm.GetParametersByPathPaginatorOptions) { o.Limit = 2 })
		for pages.HasMorePages() {
			out, err := pages.NextPage(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range out.Parameters {
				names = append(names, *p.Name)
			}
		}
		if got := strings.Join(names, " "); got != want {
			t.Error(cmp.Diff(want, got))
		}
	}
	out, err := v.parameters.DescribeParameters(t.Context(), &ssm.DescribeParametersInput{ParameterFilters: []ssmtypes.ParameterStringFilter{
		{Key: aws.String("Name"), Option: aws.String("Contains"), Values: []string{"url"}},
	}})
	if err != nil || len(out.Parameters) != 2 {
		t.Error(out, err)
	}
}
