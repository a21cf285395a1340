package balance

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
)

// roundTrip sends a request to the target. What failed before anything was sent is a dialError or errGone.
//
// A connection kept alive may be closed by the target just when the next request is under way. A request that may be
// repeated then is; any other was sent over a connection that had been in use a moment ago, was looked at right before,
// and is never sent twice. [RFC 9110, 9.2.2]
func (t *target) roundTrip(req *http.Request, idle time.Duration) (*http.Response, error) {
	if t.h2 != nil {
		return t.roundTripHTTP2(req, idle)
	}
	once := !repeatable(req)
	for fresh := false; ; fresh = true {
		w, err := t.take(req.Context(), once, fresh)
		if err != nil {
			return nil, err
		}
		resp, err := w.exchange(req, idle)
		if err == nil || !errors.Is(err, errStale) || once || !w.reused {
			return resp, err
		}
		if err := rewind(req); err != nil {
			return nil, err
		}
	}
}

// repeatable reports whether a request may be sent again when no answer came: it changes nothing, or doing it twice is
// the same as doing it once, and its body is still at hand.
func repeatable(req *http.Request) bool {
	if req.Body != nil && req.Body != http.NoBody && !isBuffered(req) {
		return false
	}
	switch req.Method {
	case http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace, http.MethodPut, http.MethodDelete:
		return true
	default:
		return false
	}
}

// maxBuffered is the length in bytes up to which the body of a request is read before a target is chosen: it can be sent
// in one piece then, and again.
const maxBuffered = 16 << 10

// buffered is a request body in memory.
type buffered struct {
	bytes.Reader
	content []byte
}

// Close does nothing: the body may be wanted again.
func (*buffered) Close() error { return nil }

func isBuffered(req *http.Request) bool {
	_, ok := req.Body.(*buffered)
	return ok
}

// buffer reads a small body of known length into memory.
func buffer(req *http.Request) error {
	if req.Body == nil || req.ContentLength <= 0 || req.ContentLength > maxBuffered {
		return nil
	}
	b := &buffered{content: make([]byte, req.ContentLength)}
	if _, err := io.ReadFull(req.Body, b.content); err != nil {
		return fmt.Errorf("cannot read the request's body: %w", err)
	}
	b.Reset(b.content)
	req.Body = b
	return nil
}

func rewind(req *http.Request) error {
	if b, ok := req.Body.(*buffered); ok {
		b.Reset(b.content)
	}
	return req.Context().Err()
}

var (
	errIdle = errors.New("target sent nothing within the idle timeout")
	errCut  = errors.New("target was drained before it had answered")
)

// roundTripHTTP2 leaves connections and streams to net/http, which sends a request again only when the target has not
// begun it; the idle timeout is ours.
func (t *target) roundTripHTTP2(req *http.Request, idle time.Duration) (*http.Response, error) {
	ctx, cancel := context.WithCancelCause(req.Context())
	watch := &idleWatch{of: t, idle: idle, cancel: cancel}
	if err := t.track(watch); err != nil {
		return nil, err
	}
	watch.timer = time.AfterFunc(idle, func() { cancel(errIdle) })
	req = req.WithContext(ctx)
	req.URL.Scheme, req.URL.Host = "http", t.address.String()
	if t.settings.Protocol.encrypted() {
		req.URL.Scheme = "https"
	}
	if req.Body != nil {
		req.Body = watch.body(req.Body, false)
	}
	resp, err := t.h2.RoundTrip(req)
	if err != nil {
		defer watch.end()
		if cause := context.Cause(ctx); errors.Is(cause, errIdle) || errors.Is(cause, errCut) {
			return nil, cause
		}
		return nil, err
	}
	resp.Body = watch.body(resp.Body, true)
	return resp, nil
}

// idleWatch cancels an exchange in which no byte has moved for too long.
type idleWatch struct {
	of     *target
	idle   time.Duration
	timer  *time.Timer
	cancel context.CancelCauseFunc
}

// Close breaks the exchange off.
func (i *idleWatch) Close() error {
	i.cancel(errCut)
	return nil
}

func (i *idleWatch) end() {
	i.timer.Stop()
	i.cancel(nil)
	i.of.forget(i)
}

func (i *idleWatch) body(rc io.ReadCloser, last bool) io.ReadCloser {
	return &watchedBody{ReadCloser: rc, watch: i, last: last}
}

type watchedBody struct {
	io.ReadCloser
	watch *idleWatch
	last  bool // with its end the exchange ends
}

func (b *watchedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err == nil {
		b.watch.timer.Reset(b.watch.idle)
	}
	return n, err
}

// Close ends the watching along with the exchange.
func (b *watchedBody) Close() error {
	err := b.ReadCloser.Close()
	if b.last {
		b.watch.end()
	}
	return err
}
