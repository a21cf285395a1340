package conformance

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"reflect"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/smithy-go"
	"go.yaml.in/yaml/v4"
)

// clients are the SDK's own, of every service that a scenario may call.
type clients struct {
	ecs     *ecs.Client
	elbv2   *elbv2.Client
	secrets *secretsmanager.Client
	others  []any
}

func newClients(endpoint string, transport http.RoundTripper) clients {
	config := aws.Config{
		BaseEndpoint: &endpoint, Region: "us-east-1", HTTPClient: &http.Client{Transport: transport}, RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider("AKIDEXAMPLE", "secret", ""),
	}
	c := clients{ecs: ecs.NewFromConfig(config), elbv2: elbv2.NewFromConfig(config), secrets: secretsmanager.NewFromConfig(config)}
	c.others = []any{c.ecs, c.elbv2, c.secrets, cloudwatch.NewFromConfig(config), ssm.NewFromConfig(config)}
	return c
}

// inside serves requests without a network, which nothing may wait for where time is virtual.
type inside struct{ handler http.Handler }

// RoundTrip serves a request.
func (i inside) RoundTrip(r *http.Request) (*http.Response, error) {
	answer := httptest.NewRecorder()
	r.RequestURI = r.URL.RequestURI()
	i.handler.ServeHTTP(answer, r)
	return answer.Result(), nil
}

// operation finds the method of a client that is called so.
func (c clients) operation(name string) (reflect.Value, bool) {
	for _, client := range c.others {
		if m := reflect.ValueOf(client).MethodByName(name); m.IsValid() {
			return m, true
		}
	}
	return reflect.Value{}, false
}

// call calls an operation with what a node says. Its error is how AWS words it: "ClientException: TaskDefinition not found."
func (c clients) call(ctx context.Context, name string, with *yaml.Node, fill func(string) string) error {
	m, ok := c.operation(name)
	if !ok {
		return fmt.Errorf("there is no operation %s", name)
	}
	in := reflect.New(m.Type().In(1).Elem())
	if err := build(with, in.Elem(), fill); err != nil {
		return err
	}
	err, _ := reflect.TypeAssert[error](m.Call([]reflect.Value{reflect.ValueOf(ctx), in})[1])
	return err
}

// checkOperation looks whether there is such an operation, with such members.
func checkOperation(key, with *yaml.Node) error {
	m, ok := newClients("http://nowhere", inside{}).operation(key.Value)
	if !ok || m.Type().NumIn() < 2 || m.Type().NumOut() != 2 {
		return problem(key, "there is no operation %s", key.Value)
	}
	return build(with, reflect.New(m.Type().In(1).Elem()).Elem(), nil)
}

// lose is the step that is no operation of AWS's: container instances are lost.
const lose = "lose"

// losing says which: all of a zone, or one.
type losing struct{ Zone, Instance string }

func checkStep(key, with *yaml.Node) error {
	if key.Value == lose {
		return build(with, reflect.ValueOf(&losing{}).Elem(), nil)
	}
	return checkOperation(key, with)
}

// worded is an error as AWS words it.
func worded(err error) string {
	if e, ok := errors.AsType[smithy.APIError](err); ok {
		return e.ErrorCode() + ": " + e.ErrorMessage()
	}
	return err.Error()
}
