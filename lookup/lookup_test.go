package lookup

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/slipway-cd/slipway/config"
	"github.com/slipway-cd/slipway/fault"
)

// account answers as AWS does, with answers in the form of the services' API references. It counts its requests.
type account struct{ asked atomic.Int64 }

func (a *account) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.asked.Add(1)
	body, _ := io.ReadAll(r.Body)
	target := r.Header.Get("X-Amz-Target")
	switch {
	case strings.HasSuffix(target, ".GetParameter"):
		answerJSON(w, parameters, "ParameterNotFound", string(body))
	case strings.HasSuffix(target, ".DescribeSecret"):
		answerJSON(w, secrets, "ResourceNotFoundException", string(body))
	case strings.HasSuffix(target, ".GetSecretValue"):
		panic("a secret's value was asked for")
	case strings.Contains(string(body), "Action=DescribeStacks"):
		answerStacks(w, string(body))
	case r.URL.Path == "/bucket/states/prod.tfstate":
		_, _ = io.WriteString(w, terraformState)
	default:
		w.Header().Set("Content-Type", "application/xml")
		w.WriteHeader(http.StatusNotFound)
		_, _ = io.WriteString(w, `<Error><Code>NoSuchKey</Code><Message>The specified key does not exist.</Message></Error>`)
	}
}

var (
	parameters = map[string]string{
		`"/qa/db/host"`:  `{"Parameter":{"ARN":"arn:aws:ssm:us-east-1:1:parameter/qa/db/host","Name":"/qa/db/host","Type":"String","Value":"db.qa","Version":3}}`,
		`"/qa/subnets"`:  `{"Parameter":{"Name":"/qa/subnets","Type":"StringList","Value":"a,b","Version":1}}`,
		`"/qa/password"`: `{"Parameter":{"ARN":"arn:aws:ssm:us-east-1:1:parameter/qa/password","Name":"/qa/password","Type":"SecureString","Value":"AQICAHh...","Version":1}}`,
		`"/denied"`:      "AccessDeniedException",
	}
	secrets = map[string]string{
		`"db-password"`: `{"ARN":"arn:aws:secretsmanager:us-east-1:1:secret:db-password-AbCdEf","Name":"db-password"}`,
		`"going"`:       `{"ARN":"arn:aws:secretsmanager:us-east-1:1:secret:going-AbCdEf","Name":"going","DeletedDate":1.5E9}`,
	}
)

func answerJSON(w http.ResponseWriter, known map[string]string, missing, body string) {
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	for name, answer := range known {
		if strings.Contains(body, name) && strings.HasPrefix(answer, "{") {
			_, _ = io.WriteString(w, answer)
			return
		} else if strings.Contains(body, name) {
			missing = answer
		}
	}
	w.WriteHeader(http.StatusBadRequest)
	_, _ = fmt.Fprintf(w, `{"__type":%q,"message":"no"}`, missing)
}

func answerStacks(w http.ResponseWriter, body string) {
	w.Header().Set("Content-Type", "text/xml")
	if !strings.Contains(body, "StackName=infra") {
		w.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(w, `<ErrorResponse xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/"><Error><Type>Sender</Type>`+
			`<Code>ValidationError</Code><Message>Stack with id nope does not exist</Message></Error><RequestId>1</RequestId></ErrorResponse>`)
		return
	}
	_, _ = io.WriteString(w, `<DescribeStacksResponse xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/"><DescribeStacksResult><Stacks>`+
		`<member><StackName>infra</StackName><StackStatus>UPDATE_COMPLETE</StackStatus><CreationTime>2026-01-01T00:00:00Z</CreationTime><Outputs>`+
		`<member><OutputKey>VpcId</OutputKey><OutputValue>vpc-1</OutputValue></member>`+
		`<member><OutputKey>TargetGroup</OutputKey><OutputValue>arn:aws:elasticloadbalancing:tg</OutputValue></member>`+
		`</Outputs></member></Stacks></DescribeStacksResult></DescribeStacksResponse>`)
}

const terraformState = `{"version": 4, "terraform_version": "1.9.0", "serial": 3, "lineage": "x",
 "outputs": {
  "db_host": {"value": "db.internal", "type": "string"},
  "port": {"value": 5432, "type": "number"},
  "public": {"value": true, "type": "bool"},
  "subnets": {"value": ["subnet-a", "subnet-b"], "type": ["list", "string"]},
  "account": {"value": "012345678901", "type": "string"},
  "token": {"value": "s3cr3t", "type": "string", "sensitive": true}},
 "resources": [
  {"mode": "managed", "type": "aws_lb", "name": "main", "provider": "p", "instances": [{"attributes": {"arn": "arn:lb", "id": null, "tags": {"Name": "web"}, "password": "x"}, "sensitive_attributes": [[{"type": "get_attr", "value": "password"}]]}]},
  {"mode": "data", "type": "aws_vpc", "name": "v", "instances": [{"attributes": {"id": "vpc-9"}, "sensitive_attributes": []}]},
  {"module": "module.net", "mode": "managed", "type": "aws_subnet", "name": "a", "instances": [{"index_key": 0, "attributes": {"id": "s-0"}}, {"index_key": 1, "attributes": {"id": "s-1"}}]},
  {"mode": "managed", "type": "aws_eip", "name": "e", "each": "map", "instances": [{"index_key": "blue", "attributes": {"public_ip": "192.0.2.1"}}]}]}`

func lookups(t *testing.T) (*Lookups, *account) {
	t.Helper()
	a := &account{}
	server := httptest.NewServer(a)
	t.Cleanup(server.Close)
	dir := t.TempDir()
	for name, text := range map[string]string{"motd": "hello\r\n", "t.tfstate": terraformState, "old.tfstate": `{"version":3}`, "sealed.tfstate": `{"encrypted_data":"x","version":4}`, "no.tfstate": "x"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return New(Options{Dir: dir, Environ: []string{"HOME=/home/dev", "EMPTY="}, AWS: func(_ context.Context, region string) (aws.Config, error) {
		if region == "" {
			region = "us-east-1"
		}
		return aws.Config{
			Region: region, BaseEndpoint: &server.URL, Credentials: credentials.NewStaticCredentialsProvider("a", "b", ""),
			RetryMaxAttempts: 1,
		}, nil
	}}), a
}

// looked is a look-up as slipway.yaml writes it.
func looked(kind config.LookupKind, name string, parts ...string) config.Lookup {
	l := config.Lookup{Kind: kind, Name: config.Text{Text: name}}
	switch len(parts) {
	case 1:
		l.Output.Text = parts[0]
	case 2:
		l.Resource.Text, l.Attribute.Text = parts[0], parts[1]
	}
	return l
}

func TestValuesAreFoundWhereTheyAre(t *testing.T) {
	t.Parallel()
	l, _ := lookups(t)
	sensitive := looked(config.FromTerraform, "t.tfstate", "token")
	sensitive.Sensitive = true
	for _, c := range []struct {
		what config.Lookup
		want string
	}{
		{looked(config.FromEnv, "HOME"), "/home/dev"},
		{looked(config.FromEnv, "EMPTY"), ""},
		{looked(config.FromFile, "motd"), "hello"},
		{looked(config.FromSSM, "/qa/db/host"), "db.qa"},
		{looked(config.FromSSM, "/qa/subnets"), "a,b"},
		{looked(config.FromSecretARN, "db-password"), "arn:aws:secretsmanager:us-east-1:1:secret:db-password-AbCdEf"},
		{looked(config.FromCloudFormation, "infra.VpcId"), "vpc-1"},
		{looked(config.FromTerraform, "t.tfstate", "db_host"), "db.internal"},
		{looked(config.FromTerraform, "s3://bucket/states/prod.tfstate", "db_host"), "db.internal"},
		{looked(config.FromTerraform, "t.tfstate", "port"), "5432"},
		{looked(config.FromTerraform, "t.tfstate", "public"), "true"},
		{looked(config.FromTerraform, "t.tfstate", "account"), "012345678901"},
		{looked(config.FromTerraform, "t.tfstate", "subnets.1"), "subnet-b"},
		{looked(config.FromTerraform, "t.tfstate", "aws_lb.main", "arn"), "arn:lb"},
		{looked(config.FromTerraform, "t.tfstate", "aws_lb.main", "tags.Name"), "web"},
		{looked(config.FromTerraform, "t.tfstate", "data.aws_vpc.v", "id"), "vpc-9"},
		{looked(config.FromTerraform, "t.tfstate", "module.net.aws_subnet.a[1]", "id"), "s-1"},
		{looked(config.FromTerraform, "t.tfstate", `aws_eip.e["blue"]`, "public_ip"), "192.0.2.1"},
		{sensitive, "s3cr3t"},
	} {
		if got, err := l.Look(t.Context(), "", c.what); err != nil || got != c.want {
			t.Errorf("%s is %q, %v; want %q", c.what, got, err, c.want)
		}
	}
}

func TestWhatCannotBeFoundIsToldWithARemedy(t *testing.T) {
	t.Parallel()
	l, _ := lookups(t)
	for _, c := range []struct {
		what     config.Lookup
		kind     fault.Kind
		sentence string
		hint     string
	}{
		{looked(config.FromEnv, "NOPE"), fault.NotFound, `the environment variable "NOPE" is not set`, ""},
		{looked(config.FromFile, "nope"), fault.NotFound, `cannot read "nope": no such file or directory`, ""},
		{looked(config.FromSSM, "/nope"), fault.NotFound, `SSM parameter "/nope" doesn't exist in eu-west-1`, ""},
		{looked(config.FromSSM, "/denied"), fault.Denied, `no right to look at SSM parameter "/denied": no`, ""},
		{
			looked(config.FromSSM, "/qa/password"), fault.Invalid, `SSM parameter "/qa/password" is a SecureString, which would be readable in the document`,
			"name its ARN in the container's secrets instead: arn:aws:ssm:us-east-1:1:parameter/qa/password",
		},
		{looked(config.FromSecretARN, "nope"), fault.NotFound, `secret "nope" doesn't exist in eu-west-1`, ""},
		{looked(config.FromSecretARN, "going"), fault.NotFound, `secret "going" is being deleted`, ""},
		{looked(config.FromCloudFormation, "nope.X"), fault.NotFound, `CloudFormation stack "nope" doesn't exist in eu-west-1`, ""},
		{looked(config.FromCloudFormation, "infra.VpcID"), fault.NotFound, `CloudFormation stack "infra" has no output "VpcID"`, `did you mean "VpcId"?`},
		{looked(config.FromCloudFormation, "infra"), fault.Invalid, `"infra" doesn't name a stack and one of its outputs`, "write STACK.Output"},
		{looked(config.FromTerraform, "t.tfstate", "db_hst"), fault.NotFound, `Terraform state "t.tfstate" has no output "db_hst"`, `did you mean "db_host"?`},
		{looked(config.FromTerraform, "t.tfstate", "token"), fault.Invalid, `output "token" of Terraform state "t.tfstate" is sensitive, and would be readable in the document`, "name a secret's ARN in the container's secrets instead, or say sensitive: true if it is no secret"},
		{looked(config.FromTerraform, "t.tfstate", "aws_lb.main", "password"), fault.Invalid, `password of aws_lb.main in Terraform state "t.tfstate" is sensitive, and would be readable in the document`, "name a secret's ARN in the container's secrets instead, or say sensitive: true if it is no secret"},
		{looked(config.FromTerraform, "t.tfstate", "subnets"), fault.Invalid, `output "subnets" of Terraform state "t.tfstate" is no single value`, "name a part of it, as in subnet_ids.0 or tags.Name"},
		{looked(config.FromTerraform, "t.tfstate", "subnets.2"), fault.NotFound, `output "subnets.2" of Terraform state "t.tfstate": "2" is not the number of one of 2 elements`, ""},
		{looked(config.FromTerraform, "t.tfstate", "port.x"), fault.NotFound, `output "port.x" of Terraform state "t.tfstate": there is nothing below 5432`, ""},
		{looked(config.FromTerraform, "t.tfstate", "aws_lb.mian", "arn"), fault.NotFound, `Terraform state "t.tfstate" has no resource "aws_lb.mian"`, `did you mean "aws_lb.main"?`},
		{looked(config.FromTerraform, "t.tfstate", "aws_lb.main", "dns"), fault.NotFound, `aws_lb.main in Terraform state "t.tfstate" has no attribute "dns"`, "one of arn, id, password, tags"},
		{looked(config.FromTerraform, "t.tfstate", "aws_lb.main", "id"), fault.NotFound, `id of aws_lb.main in Terraform state "t.tfstate" has no value`, ""},
		{looked(config.FromTerraform, "old.tfstate", "x"), fault.Invalid, `the Terraform state "old.tfstate" has format version 3: only 4 can be read`, ""},
		{looked(config.FromTerraform, "sealed.tfstate", "x"), fault.Invalid, `the Terraform state "sealed.tfstate" is encrypted`, ""},
		{looked(config.FromTerraform, "no.tfstate", "x"), fault.Invalid, `"no.tfstate" is no Terraform state: invalid character 'x' looking for beginning of value`, ""},
		{looked(config.FromTerraform, "s3://bucket/nope", "x"), fault.NotFound, "s3://bucket/nope doesn't exist in eu-west-1", ""},
		{looked(config.FromTerraform, "s3://bucket", "x"), fault.Invalid, `"s3://bucket" doesn't name an object`, "write s3://BUCKET/KEY"},
	} {
		_, err := l.Look(t.Context(), "eu-west-1", c.what)
		if err == nil || err.Error() != c.sentence || fault.KindOf(err) != c.kind || fault.HintOf(err) != c.hint {
			t.Errorf("%s: %s: %v (%s)\nwant %s: %s (%s)", c.what, fault.KindOf(err), err, fault.HintOf(err), c.kind, c.sentence, c.hint)
		}
	}
}

func TestAStackAndAStateAreReadOnce(t *testing.T) {
	t.Parallel()
	l, a := lookups(t)
	for _, what := range []config.Lookup{
		looked(config.FromCloudFormation, "infra.VpcId"), looked(config.FromCloudFormation, "infra.TargetGroup"),
		looked(config.FromTerraform, "s3://bucket/states/prod.tfstate", "port"), looked(config.FromTerraform, "s3://bucket/states/prod.tfstate", "public"),
	} {
		if _, err := l.Look(t.Context(), "", what); err != nil {
			t.Error(err)
		}
	}
	if n := a.asked.Load(); n != 2 {
		t.Errorf("%d requests for one stack and one object", n)
	}
}

func FuzzReadState(f *testing.F) {
	f.Add(terraformState, "subnets.1", "module.net.aws_subnet.a[1]")
	f.Add(`{"version":4,"outputs":{"a":{"value":{"b":[1]}}}}`, "a.b.0", "x.y")
	f.Fuzz(func(t *testing.T, text, output, resource string) {
		s, err := readState("t", []byte(text))
		if err != nil {
			return
		}
		_, _ = s.output("t", output, true)
		_, _ = s.attribute("t", looked(config.FromTerraform, "t", resource, output))
	})
}
