package awswire

import (
	"bytes"
	"context"
	"go/build"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cwschemas "github.com/aws/aws-sdk-go-v2/service/cloudwatch/schemas"
	cwtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	logsschemas "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/schemas"
	logstypes "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	ecrschemas "github.com/aws/aws-sdk-go-v2/service/ecr/schemas"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecsschemas "github.com/aws/aws-sdk-go-v2/service/ecs/schemas"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancing"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	ebschemas "github.com/aws/aws-sdk-go-v2/service/eventbridge/schemas"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	smschemas "github.com/aws/aws-sdk-go-v2/service/secretsmanager/schemas"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	ssmschemas "github.com/aws/aws-sdk-go-v2/service/ssm/schemas"
	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
	smithyendpoints "github.com/aws/smithy-go/endpoints"
	"github.com/aws/smithy-go/middleware"
)

// sdkModule is one service of the SDK as the tests drive it: all its operations, from its client.
type sdkModule struct {
	name     string
	client   func(http.Handler) any
	schema   *smithy.ServiceSchema // JSON and RPC services only
	registry *smithy.TypeRegistry
	rpc      bool
	version  string // Query services only
	xmlns    string
	unions   []any
	// operations that are event streams, which this package does not serve
	streams []string
}

func (m sdkModule) String() string { return m.name }

var jsonModules = []sdkModule{
	{
		name: "ecs", schema: ecsschemas.AmazonEC2ContainerServiceV20141113, registry: ecs.TypeRegistry,
		client: func(h http.Handler) any {
			return ecs.New(ecs.Options{Region: "x", BaseEndpoint: aws.String("http://x"), Credentials: testCredentials, HTTPClient: inProcess{h}, APIOptions: unaltered})
		},
		unions: []any{
			&ecstypes.GatewayConfigurationMemberHostSharedAlb{},
			&ecstypes.UpdateGatewayConfigurationMemberHostSharedAlb{},
		},
	},
	{
		name: "ecr", schema: ecrschemas.AmazonEC2ContainerRegistry_V20150921, registry: ecr.TypeRegistry,
		client: func(h http.Handler) any {
			return ecr.New(ecr.Options{Region: "x", BaseEndpoint: aws.String("http://x"), Credentials: testCredentials, HTTPClient: inProcess{h}, APIOptions: unaltered})
		},
	},
	{
		name: "cloudwatchlogs", schema: logsschemas.Logs_20140328, registry: cloudwatchlogs.TypeRegistry,
		client: func(h http.Handler) any {
			return cloudwatchlogs.New(cloudwatchlogs.Options{Region: "x", BaseEndpoint: aws.String("http://x"), Credentials: testCredentials, HTTPClient: inProcess{h}, APIOptions: unaltered})
		},
		unions:  []any{&logstypes.ResourceConfigMemberOpenSearchResourceConfig{}},
		streams: []string{"StartLiveTail", "GetLogObject"},
	},
	{
		name: "ssm", schema: ssmschemas.AmazonSSM, registry: ssm.TypeRegistry,
		client: func(h http.Handler) any {
			return ssm.New(ssm.Options{Region: "x", BaseEndpoint: aws.String("http://x"), Credentials: testCredentials, HTTPClient: inProcess{h}, APIOptions: unaltered})
		},
		unions: []any{
			&ssmtypes.CloudConnectorConfigurationMemberAzureConfiguration{}, &ssmtypes.ExecutionInputsMemberAutomation{},
		},
	},
	{
		name: "secretsmanager", schema: smschemas.Secretsmanager, registry: secretsmanager.TypeRegistry,
		client: func(h http.Handler) any {
			return secretsmanager.New(secretsmanager.Options{Region: "x", BaseEndpoint: aws.String("http://x"), Credentials: testCredentials, HTTPClient: inProcess{h}, APIOptions: unaltered})
		},
	},
	{
		name: "eventbridge", schema: ebschemas.AWSEvents, registry: eventbridge.TypeRegistry,
		client: func(h http.Handler) any {
			return eventbridge.New(eventbridge.Options{Region: "x", EndpointResolverV2: atX{}, Credentials: testCredentials, HTTPClient: inProcess{h}, APIOptions: unaltered})
		},
	},
}

var rpcModules = []sdkModule{
	{
		name: "cloudwatch", schema: cwschemas.GraniteServiceVersion20100801, registry: cloudwatch.TypeRegistry, rpc: true,
		client: func(h http.Handler) any {
			return cloudwatch.New(cloudwatch.Options{Region: "x", BaseEndpoint: aws.String("http://x"), Credentials: testCredentials, HTTPClient: inProcess{h}, APIOptions: unaltered})
		},
		unions: []any{
			&cwtypes.EvaluationCriteriaMemberPromQLCriteria{},
			&cwtypes.EvaluationWindowMemberSlidingWindow{}, &cwtypes.EvaluationWindowMemberWallClockWindow{},
		},
	},
}

var queryModules = []sdkModule{
	{
		name: "elasticloadbalancing", version: "2012-06-01", xmlns: "http://elasticloadbalancing.amazonaws.com/doc/2012-06-01/",
		client: func(h http.Handler) any {
			return elb.New(elb.Options{Region: "x", BaseEndpoint: aws.String("http://x"), Credentials: testCredentials, HTTPClient: inProcess{h}, APIOptions: unaltered})
		},
	},
	{
		name: "elasticloadbalancingv2", version: "2015-12-01", xmlns: "http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/",
		client: func(h http.Handler) any {
			return elbv2.New(elbv2.Options{Region: "x", BaseEndpoint: aws.String("http://x"), Credentials: testCredentials, HTTPClient: inProcess{h}, APIOptions: unaltered})
		},
	},
	{
		name: "sts", version: "2011-06-15", xmlns: "https://sts.amazonaws.com/doc/2011-06-15/",
		client: func(h http.Handler) any {
			return sts.New(sts.Options{Region: "x", BaseEndpoint: aws.String("http://x"), Credentials: testCredentials, HTTPClient: inProcess{h}, APIOptions: unaltered})
		},
	},
}

var testCredentials = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
	return aws.Credentials{AccessKeyID: "AKIDEXAMPLE", SecretAccessKey: "secret"}, nil
})

// atX is where EventBridge is, whatever an input says: PutEvents can name a part of its host.
type atX struct{}

func (atX) ResolveEndpoint(context.Context, eventbridge.EndpointParameters) (smithyendpoints.Endpoint, error) {
	return smithyendpoints.Endpoint{URI: url.URL{Scheme: "http", Host: "x"}}, nil
}

// unaltered keeps clients from refusing incomplete inputs, and from adding to them.
var unaltered = []func(*middleware.Stack) error{func(s *middleware.Stack) error {
	for _, id := range s.Initialize.List() {
		if id == "OperationInputValidation" || id == "OperationIdempotencyTokenAutoFill" {
			if _, err := s.Initialize.Remove(id); err != nil {
				return err
			}
		}
	}
	return nil
}}

// inProcess is an HTTP client whose server is a handler in the same process.
type inProcess struct{ handler http.Handler }

func (c inProcess) Do(r *http.Request) (*http.Response, error) {
	sent := httptest.NewRequest(r.Method, r.URL.String(), bytes.NewReader(nil))
	sent.Header, sent.Body, sent.ContentLength, sent.Host = r.Header, http.NoBody, r.ContentLength, r.URL.Host
	if r.Body != nil {
		sent.Body = r.Body
	}
	w := httptest.NewRecorder()
	c.handler.ServeHTTP(w, sent)
	return w.Result(), nil
}

// service makes a Service of every operation that the module's client has.
func (m sdkModule) service(call func(op *operation, in any) (any, error)) Service {
	s := Service{operations: map[string]*operation{}, inputs: withUnions(m.unions)}
	switch {
	case m.rpc:
		s.rpc = m.schema.ID().Name
	case m.schema != nil:
		s.target = m.schema.ID().Name
	default:
		s.version, s.xmlns = m.version, m.xmlns
	}
	client := reflect.TypeOf(m.client(nil))
	for method := range client.Methods() {
		t := method.Type
		if t.NumIn() != 4 || t.NumOut() != 2 || t.In(2).Kind() != reflect.Pointer {
			continue
		}
		op := &operation{name: method.Name, in: t.In(2).Elem(), out: t.Out(0).Elem()}
		op.call = func(_ context.Context, in any) (any, error) { return call(op, in) }
		s.operations[op.name] = op
	}
	for _, name := range m.streams {
		delete(s.operations, name)
	}
	return s
}

// goldenFiles are the wire files that the SDK's module brings along: requests, answers and errors, recorded by AWS.
func (m sdkModule) goldenFiles(t *testing.T, pattern string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(m.dir(), pattern))
	if err != nil || len(files) == 0 {
		t.Fatalf("the SDK's module %s has no %s in %s: %v", m.name, pattern, m.dir(), err)
	}
	return files
}

// dir is where the source of the very module is that this test was compiled with: the compiler has noted it for every
// function. So another version of the SDK makes another test, and none is served from the cache.
func (m sdkModule) dir() string {
	method := reflect.TypeOf(m.client(nil)).Method(0)
	file, _ := runtime.FuncForPC(method.Func.Pointer()).FileLine(method.Func.Pointer())
	if dir := filepath.Dir(file); filepath.IsAbs(dir) {
		return dir
	}
	return filepath.Join(moduleCache(), filepath.Dir(file)) // built with -trimpath
}

func moduleCache() string {
	if dir := os.Getenv("GOMODCACHE"); dir != "" {
		return dir
	}
	return filepath.Join(build.Default.GOPATH, "pkg", "mod")
}
