package app

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
)

type clientFunc func(*http.Request) (*http.Response, error)

func (f clientFunc) Do(r *http.Request) (*http.Response, error) { return f(r) }

func TestRequestBodiesAreSentByReadingThem(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if body, err := io.ReadAll(r.Body); err != nil || string(body) != `{"cluster":"qa","services":["web"]}` {
			t.Errorf("%q arrived: %v", body, err)
		}
		_, _ = io.WriteString(w, `{"services":[]}`)
	}))
	defer server.Close()
	cfg, err := AWSConfig(t.Context(), TargetOptions{Endpoint: server.URL})
	if err != nil {
		t.Fatal(err)
	}
	ours, ok := cfg.HTTPClient.(plainBodies)
	if !ok {
		t.Fatalf("requests are sent by a %T", cfg.HTTPClient)
	}
	next := ours.next
	cfg.HTTPClient = plainBodies{clientFunc(func(r *http.Request) (*http.Response, error) {
		if _, writes := r.Body.(io.WriterTo); writes {
			t.Error("the body can write itself: net/http will break off answers that come early")
		}
		return next.Do(r)
	})}
	if _, err := ecs.NewFromConfig(cfg).DescribeServices(t.Context(), &ecs.DescribeServicesInput{
		Cluster: aws.String("qa"), Services: []string{"web"},
	}); err != nil {
		t.Error(err)
	}
}
