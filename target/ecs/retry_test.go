package ecs

import (
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/slipway-cd/slipway/rollout"
)

func TestOnlyAnEndpointThatWasNeverThereIsGivenUpAtOnce(t *testing.T) {
	t.Parallel()
	refused := &net.OpError{Op: "dial", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}
	for name, tc := range map[string]struct {
		err           error
		before, after bool // it has answered
	}{
		"nobody listens":        {refused, false, true},
		"there is no such host": {&net.DNSError{Err: "no such host", Name: "nowhere", IsNotFound: true}, false, false},
		"the name server fails": {&net.DNSError{Err: "server misbehaving", Name: "aws", IsTemporary: true}, true, true},
		"it asks to slow down":  {&smithy.GenericAPIError{Code: "ThrottlingException"}, true, true},
		"the connection breaks": {&net.OpError{Op: "read", Err: os.NewSyscallError("read", syscall.ECONNRESET)}, true, true},
		"it is our mistake":     {&smithy.GenericAPIError{Code: "InvalidParameterException"}, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := new(reach)
			retryer := r.retryer(aws.Config{})()
			err := error(&smithyhttp.RequestSendError{Err: tc.err})
			if _, api := errors.AsType[smithy.APIError](tc.err); api {
				err = tc.err
			}
			before := retryer.IsErrorRetryable(err)
			r.answered.Store(true)
			if after := retryer.IsErrorRetryable(err); before != tc.before || after != tc.after {
				t.Errorf("tried again at first %t, want %t; later %t, want %t", before, tc.before, after, tc.after)
			}
		})
	}
}

// gate is a client whose connections are refused while it is shut.
type gate struct {
	shut  bool
	tries int
}

func (g *gate) Do(req *http.Request) (*http.Response, error) {
	g.tries++
	if g.shut {
		return nil, &net.OpError{Op: "dial", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}
	}
	return http.DefaultClient.Do(req)
}

func TestWhatHasAnsweredOnceIsTriedAgain(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(&recorder{
		sent: map[string][]byte{}, answers: map[string]string{"DescribeServices": `{"services":[],"failures":[]}`}, status: http.StatusOK,
	})
	t.Cleanup(server.Close)
	g := &gate{shut: true}
	target := New(Options{Config: aws.Config{
		Region: "us-east-1", BaseEndpoint: &server.URL, HTTPClient: g, Credentials: credentials.NewStaticCredentialsProvider("key", "secret", ""),
		Retryer: func() aws.Retryer {
			return retry.NewStandard(func(o *retry.StandardOptions) {
				o.MaxAttempts = 3
				o.Backoff = retry.BackoffDelayerFunc(func(int, error) (time.Duration, error) { return 0, nil })
			})
		},
	}})
	for _, look := range []struct {
		shut  bool
		tries int
	}{{true, 1}, {false, 1}, {true, 3}} {
		g.shut, g.tries = look.shut, 0
		_, err := target.Observe(t.Context(), []rollout.ServiceRef{{Cluster: "qa", Service: "web"}})
		if (err != nil) != look.shut || g.tries != look.tries {
			t.Errorf("%+v: tried %d times, %v", look, g.tries, err)
		}
	}
}
