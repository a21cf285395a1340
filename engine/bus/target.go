package bus

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"

	"github.com/slipway-cd/slipway/engine/logs"
	"github.com/slipway-cd/slipway/engine/state"
)

// place is where events go: it takes one event's body, and says whether another try makes sense when it fails.
type place interface {
	take(ctx context.Context, body []byte) (again bool, err error)
}

// Reaches reports whether there is anything behind a target's ARN.
func (b *Bus) Reaches(t types.Target) error {
	_, err := b.place(b.options.DB.Read(), t)
	return err
}

// place finds what a target's ARN stands for: an API destination, a log group, or one of the places that the engine was
// given names for.
func (b *Bus) place(snap state.Snapshot, t types.Target) (place, error) {
	arn := aws.ToString(t.Arn)
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) != 6 || parts[0] != "arn" {
		return nil, fmt.Errorf("%s is not a valid ARN", arn)
	}
	service, resource := parts[2], parts[5]
	if kind, rest, _ := strings.Cut(resource, "/"); service == "events" && kind == "api-destination" {
		name, _, _ := strings.Cut(rest, "/")
		d, ok := snap.APIDestination(name)
		if !ok || aws.ToString(d.Doc.ApiDestinationArn) != arn {
			return nil, fmt.Errorf("the API destination %s does not exist", arn)
		}
		return b.endpoint(string(d.Doc.HttpMethod), *d.Doc.InvocationEndpoint, t.HttpParameters)
	}
	if group, ok := strings.CutPrefix(resource, "log-group:"); service == "logs" && ok {
		group = strings.TrimSuffix(group, ":*")
		if _, ok := snap.LogGroup(group); !ok {
			return nil, fmt.Errorf("the log group %s does not exist", group)
		}
		return logGroup{b, group}, nil
	}
	name := resource[strings.LastIndexAny(resource, ":/")+1:]
	at, ok := b.options.Targets[name]
	if !ok {
		return nil, fmt.Errorf("nothing is behind %s: create an API destination or a log group, or start the engine with --event-target %s=URL", arn, name)
	}
	if path, ok := strings.CutPrefix(at, "file:"); ok {
		return file(path), nil
	}
	return b.endpoint(http.MethodPost, at, t.HttpParameters)
}

// CheckEndpoint refuses what is no HTTP endpoint on this machine: clients must not have the engine talk to others.
func CheckEndpoint(endpoint string) error {
	u, err := url.Parse(endpoint)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return fmt.Errorf("%s is no http or https URL", endpoint)
	}
	address, err := netip.ParseAddr(u.Hostname())
	if u.Hostname() != "localhost" && (err != nil || !address.IsLoopback()) {
		return fmt.Errorf("%s is not on this machine: use 127.0.0.1 or localhost, or start the engine with --event-target NAME=URL", endpoint)
	}
	return nil
}

// httpTimeout is how long an endpoint may take. [EventBridge User Guide, "API destinations": 5 seconds]
const httpTimeout = 5 * time.Second

func newClient() *http.Client {
	return &http.Client{
		Timeout:       httpTimeout,
		Transport:     &http.Transport{DialContext: (&net.Dialer{Timeout: httpTimeout}).DialContext, MaxIdleConnsPerHost: 2, IdleConnTimeout: time.Minute},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// endpoint is an HTTP endpoint.
type endpoint struct {
	client *http.Client
	method string
	url    string
	header map[string]string
}

func (b *Bus) endpoint(method, at string, with *types.HttpParameters) (place, error) {
	e := endpoint{client: b.client, method: method, url: at}
	if with == nil {
		return e, nil
	}
	for _, value := range with.PathParameterValues { // each stands for a star
		e.url = strings.Replace(e.url, "*", url.PathEscape(value), 1)
	}
	u, err := url.Parse(e.url)
	if err != nil {
		return nil, err
	}
	query := u.Query()
	for name, value := range with.QueryStringParameters {
		query.Set(name, value)
	}
	u.RawQuery = query.Encode()
	e.url, e.header = u.String(), with.HeaderParameters
	return e, nil
}

// retried are the statuses of refusals that may pass. [EventBridge User Guide, "API destinations"]
var retried = []int{http.StatusUnauthorized, http.StatusProxyAuthRequired, http.StatusConflict, http.StatusTooManyRequests}

func (e endpoint) take(ctx context.Context, body []byte) (bool, error) {
	r, err := http.NewRequestWithContext(ctx, e.method, e.url, bytes.NewReader(body))
	if err != nil {
		return false, err
	}
	r.Header.Set("Content-Type", "application/json; charset=utf-8")
	r.Header.Set("User-Agent", "Amazon/EventBridge/ApiDestinations")
	for name, value := range e.header {
		r.Header.Set(name, value)
	}
	answer, err := e.client.Do(r)
	if err != nil {
		return true, err
	}
	defer answer.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(answer.Body, 64<<10)) // so that the connection can be used again
	if answer.StatusCode >= 200 && answer.StatusCode < 300 {
		return false, nil
	}
	return answer.StatusCode >= 500 || slices.Contains(retried, answer.StatusCode), errors.New("it answered " + answer.Status)
}

// file is a file that a line is added to for each event.
type file string

func (f file) take(_ context.Context, body []byte) (bool, error) {
	to, err := os.OpenFile(string(f), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return false, err
	}
	_, err = to.Write(append(slices.Clone(body), '\n'))
	return false, errors.Join(err, to.Close())
}

// logGroup is a log group, in which events have a stream.
type logGroup struct {
	bus  *Bus
	name string
}

const eventStream = "events"

func (g logGroup) take(_ context.Context, body []byte) (bool, error) {
	now := time.Now().UTC()
	err := g.bus.options.DB.Write(func(tx *state.Tx) error {
		group, ok := tx.LogGroup(g.name)
		if !ok {
			return errors.New("the log group was deleted")
		}
		if _, ok := tx.LogStream(g.name, eventStream); !ok {
			tx.Put(&state.LogStream{Group: g.name, Name: eventStream, ARN: group.ARN + ":log-stream:" + eventStream, Created: now})
		}
		return nil
	})
	if err != nil {
		return false, err
	}
	return false, g.bus.options.Logs.Put(g.name, eventStream, []logs.Event{{Time: now, Ingested: now, Text: string(body)}})
}
