// Package api lets AWS clients speak to the engine: every service it serves, and its image registry, on one endpoint.
package api

import (
	"fmt"
	"log/slog"
	"net/http"
	"strings"

	"github.com/slipway-cd/slipway/awswire"
	"github.com/slipway-cd/slipway/engine"
	"github.com/slipway-cd/slipway/engine/api/autoscalingapi"
	"github.com/slipway-cd/slipway/engine/api/cloudmapapi"
	"github.com/slipway-cd/slipway/engine/api/cloudwatchapi"
	"github.com/slipway-cd/slipway/engine/api/ecrapi"
	"github.com/slipway-cd/slipway/engine/api/ecsapi"
	"github.com/slipway-cd/slipway/engine/api/elbapi"
	"github.com/slipway-cd/slipway/engine/api/elbv2api"
	"github.com/slipway-cd/slipway/engine/api/eventsapi"
	"github.com/slipway-cd/slipway/engine/api/execapi"
	"github.com/slipway-cd/slipway/engine/api/iamapi"
	"github.com/slipway-cd/slipway/engine/api/logsapi"
	"github.com/slipway-cd/slipway/engine/api/secretsapi"
	"github.com/slipway-cd/slipway/engine/api/ssmapi"
	"github.com/slipway-cd/slipway/engine/api/stsapi"
	"github.com/slipway-cd/slipway/engine/bus"
	"github.com/slipway-cd/slipway/engine/images"
	"github.com/slipway-cd/slipway/engine/objects"
)

// Options say what is served.
type Options struct {
	Engine      *engine.Engine
	Images      *images.Store
	Bus         *bus.Bus          // where events go
	Objects     *objects.Store    // nil: no Amazon S3
	Host        func() string     // host:port of the endpoint, once it is known
	Credentials map[string]string // access key → secret key; nil: any will do, the signature is not looked at
	Gate        *Gate             // nil: every request passes
	Logger      *slog.Logger

	sessions *execapi.Sessions
}

// Services returns everything that speaks an AWS protocol.
func Services(o Options) ([]awswire.Service, error) {
	var services []awswire.Service
	var first error
	add := func(s awswire.Service, err error) {
		if err != nil && first == nil {
			first = fmt.Errorf("cannot serve an AWS API: %w", err)
		}
		services = append(services, s)
	}
	const elbNamespace = "http://elasticloadbalancing.amazonaws.com/doc/"
	add(awswire.JSON("AmazonEC2ContainerServiceV20141113", executing(o)))
	add(awswire.JSON("AmazonEC2ContainerRegistry_V20150921", ecrapi.New(o.Engine, o.Images, o.Host)))
	add(awswire.JSON("Logs_20140328", logsapi.New(o.Engine)))
	cloudwatch, err := awswire.RPC("GraniteServiceVersion20100801", cloudwatchapi.New(o.Engine), cloudwatchapi.Unions()...)
	add(cloudwatch.WithQuery("2010-08-01", "http://monitoring.amazonaws.com/doc/2010-08-01/"), err)
	add(awswire.JSON("AnyScaleFrontendService", autoscalingapi.New(o.Engine)))
	add(awswire.JSON("Route53AutoNaming_v20170314", cloudmapapi.New(o.Engine)))
	add(awswire.JSON("AWSEvents", eventsapi.New(o.Engine, o.Bus)))
	add(awswire.JSON("secretsmanager", secretsapi.New(o.Engine)))
	add(awswire.JSON("AmazonSSM", ssmapi.New(o.Engine)))
	add(awswire.Query("2012-06-01", elbNamespace+"2012-06-01/", elbapi.New(o.Engine)))
	add(awswire.Query("2015-12-01", elbNamespace+"2015-12-01/", elbv2api.New(o.Engine)))
	add(awswire.Query("2010-05-08", "https://iam.amazonaws.com/doc/2010-05-08/", iamapi.New(o.Engine)))
	add(awswire.Query("2011-06-15", "https://sts.amazonaws.com/doc/2011-06-15/", stsapi.New(o.Engine)))
	return services, first
}

// largestBody is the largest request in bytes that is read: a part of an image's layer, 20 MiB in Base64.
// [Amazon ECR API reference: UploadLayerPart]
const largestBody = 32 << 20

// Handler serves the AWS APIs, Amazon S3 among them, and the image registry below /v2/.
func Handler(o Options) (http.Handler, error) {
	o.sessions = execapi.New(o.Engine.Runtime().Attach, o.Logger)
	services, err := Services(o)
	if err != nil {
		return nil, err
	}
	aws := awswire.Handler(awswire.Options{
		Credentials: o.Credentials, Sessions: sessions(o.Engine), OmitEmpty: leftOut(), Before: o.Gate.before(services), Log: o.Logger,
		MaxBody: largestBody, Page: "docs/reference/engine.md",
	}, services...)
	registry, s3 := images.Handler(o.Images), objectsHandler(o)
	// No ServeMux: it would redirect paths of the registry that it finds unclean.
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, execapi.Path) {
			o.sessions.ServeHTTP(w, r)
			return
		}
		if s3 != nil && isObjects(r) {
			s3.ServeHTTP(w, r)
			return
		}
		if r.URL.Path == "/v2" || strings.HasPrefix(r.URL.Path, "/v2/") {
			registry.ServeHTTP(w, r)
			return
		}
		aws.ServeHTTP(w, r)
	}), nil
}

// executing is the ECS API, whose ExecuteCommand opens sessions that are served beside it.
func executing(o Options) *ecsapi.Server {
	server := ecsapi.New(o.Engine)
	if o.sessions == nil {
		return server
	}
	return server.WithSessions(o.sessions, func(id string) string {
		return "ws://" + o.Host() + execapi.Path + id + "?role=publish_subscribe"
	})
}
