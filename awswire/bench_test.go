package awswire

import (
	"bytes"
	"io"
	"math/rand/v2"
	"net/http"
	"reflect"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecsschemas "github.com/aws/aws-sdk-go-v2/service/ecs/schemas"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/aws/smithy-go/transport/http/protocol/awsjson"
)

// perOp runs f b.N times and returns the time of one run, in nanoseconds.
func perOp(b *testing.B, f func()) float64 {
	start := time.Now()
	for range b.N {
		f()
	}
	return float64(time.Since(start).Nanoseconds()) / float64(b.N)
}

func fill(v any) {
	filler{rand.New(rand.NewPCG(1, 2)), true, time.Second, false}.value(reflect.ValueOf(v).Elem(), 0)
}

func must(body []byte, err error) []byte {
	if err != nil {
		panic(err)
	}
	return body
}

// BenchmarkEncode writes an answer of ten services with everything in them, and reports our time against the SDK's.
func BenchmarkEncode(b *testing.B) {
	out := &ecs.DescribeServicesOutput{}
	for range 10 {
		var s ecstypes.Service
		fill(&s)
		out.Services = append(out.Services, s)
	}
	w := &jsonWriter{}
	body := must(w.write(nil, out))
	b.SetBytes(int64(len(body)))
	b.ResetTimer()
	ours := perOp(b, func() { _, _ = w.write(nil, out) })
	b.StopTimer()
	protocol := awsjson.New11(ecsschemas.AmazonEC2ContainerServiceV20141113)
	op := smithy.NewOperationSchema(ecsschemas.DescribeServices, ecsschemas.DescribeServicesResponse, nil)
	theirs := perOp(b, func() {
		r := smithyhttp.NewStackRequest().(*smithyhttp.Request)
		_ = protocol.SerializeRequest(b.Context(), op, out, r)
	})
	b.ReportMetric(ours/theirs, "×SDK")
}

// BenchmarkDecode reads a CreateService with everything in it, and reports our time against the SDK's for as large a
// structure (a service: the SDK cannot read inputs).
func BenchmarkDecode(b *testing.B) {
	var in ecs.CreateServiceInput
	fill(&in)
	body := must((&jsonWriter{}).write(nil, &in))
	reader := withUnions(nil)
	b.SetBytes(int64(len(body)))
	b.ResetTimer()
	ours := perOp(b, func() {
		if err := reader.read(body, new(ecs.CreateServiceInput), defaultMaxItems, nil); err != nil {
			b.Fatal(err)
		}
	})
	b.StopTimer()
	var service ecstypes.Service
	fill(&service)
	other := must((&jsonWriter{}).write(nil, &ecs.CreateServiceOutput{Service: &service}))
	protocol := awsjson.New11(ecsschemas.AmazonEC2ContainerServiceV20141113)
	op := smithy.NewOperationSchema(ecsschemas.CreateService, nil, ecsschemas.CreateServiceResponse)
	theirs := perOp(b, func() {
		r := &smithyhttp.Response{Response: &http.Response{StatusCode: 200, Body: io.NopCloser(bytes.NewReader(other))}}
		if err := protocol.DeserializeResponse(b.Context(), op, ecs.TypeRegistry, r, &ecs.CreateServiceOutput{}); err != nil {
			b.Fatal(err)
		}
	})
	b.ReportMetric(ours/float64(len(body))/(theirs/float64(len(other))), "×SDK/byte")
}

// BenchmarkStore writes and reads a piece of state of about thirty members.
func BenchmarkStore(b *testing.B) {
	v := struct {
		ID, Generation int64
		At, Changed    time.Time
		Delay          time.Duration
		Owner, Reason  string
		Service        ecstypes.Service
		Tasks          map[string]int
	}{1, 2, time.Unix(1, 2).UTC(), time.Unix(3, 4).UTC(), time.Minute, "a", "b", ecstypes.Service{
		ServiceName: aws.String("web"), ServiceArn: aws.String("arn:aws:ecs:us-east-1:1:service/default/web"),
		ClusterArn: aws.String("arn:aws:ecs:us-east-1:1:cluster/default"), DesiredCount: 2, RunningCount: 2, PendingCount: 1,
		TaskDefinition: aws.String("arn:aws:ecs:us-east-1:1:task-definition/web:1"), Status: aws.String("ACTIVE"),
		LaunchType: ecstypes.LaunchTypeEc2, SchedulingStrategy: ecstypes.SchedulingStrategyReplica,
		LoadBalancers:           []ecstypes.LoadBalancer{{ContainerName: aws.String("web"), ContainerPort: aws.Int32(80), LoadBalancerName: aws.String("web")}},
		DeploymentConfiguration: &ecstypes.DeploymentConfiguration{MaximumPercent: aws.Int32(200), MinimumHealthyPercent: aws.Int32(25)},
		Deployments:             []ecstypes.Deployment{{Id: aws.String("ecs-svc/1"), Status: aws.String("PRIMARY"), DesiredCount: 2, RunningCount: 2}},
		Events:                  []ecstypes.ServiceEvent{{Id: aws.String("1"), Message: aws.String("(service web) has reached a steady state.")}},
		Tags:                    []ecstypes.Tag{{Key: aws.String("a"), Value: aws.String("b")}},
	}, map[string]int{"a": 1, "b": 2}}
	body := must(Marshal(&v))
	b.Run("Marshal", func(b *testing.B) {
		b.SetBytes(int64(len(body)))
		for b.Loop() {
			_, _ = Marshal(&v)
		}
	})
	b.Run("Unmarshal", func(b *testing.B) {
		b.SetBytes(int64(len(body)))
		for b.Loop() {
			back := v
			if err := Unmarshal(body, &back); err != nil {
				b.Fatal(err)
			}
		}
	})
}
