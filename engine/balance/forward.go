package balance

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httputil"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	v2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

// forwardMaker makes forward actions out of what outlives them.
type forwardMaker struct {
	groups  map[groupID]*group
	log     *slog.Logger
	buffers *buffers
}

// forward sends requests on to the targets of its groups.
type forward struct {
	shares   []share
	total    uint64
	next     atomic.Uint64
	idle     time.Duration
	classic  bool
	protocol string // what the client spoke: http or https
	port     string // where it did
	headers  headerRules
	proxy    httputil.ReverseProxy

	groupLasts time.Duration // how long a client stays with its target group; 0: not at all
}

// share is a group with the end of its part of the sum of weights.
type share struct {
	group *group
	upTo  uint64
}

func (m forwardMaker) forward(s listenerSettings, action v2.Action) *forward {
	tuples := tuplesOf(action)
	f := &forward{
		idle: s.Idle, classic: s.Classic, headers: s.Headers, groupLasts: groupStickiness(action),
		protocol: strings.ToLower(string(s.Protocol)), port: strconv.Itoa(int(s.At.Port())),
	}
	for _, t := range tuples {
		weight := uint64(1)
		if len(tuples) > 1 && t.Weight != nil {
			weight = uint64(max(*t.Weight, 0))
		}
		g, ok := m.groups[groupID(value(t.TargetGroupArn))]
		if !ok || weight == 0 {
			continue
		}
		f.total += weight
		f.shares = append(f.shares, share{g, f.total})
	}
	f.proxy = httputil.ReverseProxy{
		Rewrite:      f.rewrite,
		Transport:    f,
		BufferPool:   m.buffers,
		ErrorHandler: answerFailure,
		ErrorLog:     slog.NewLogLogger(m.log.Handler(), slog.LevelDebug),
	}
	return f
}

// groupStickiness is how long a client stays with the target group that was chosen for it.
func groupStickiness(action v2.Action) time.Duration {
	s := value(value(action.ForwardConfig).TargetGroupStickinessConfig)
	if !value(s.Enabled) {
		return 0
	}
	return seconds(value(s.DurationSeconds))
}

// ServeHTTP forwards one request.
func (f *forward) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.proxy.ServeHTTP(asItIs{w}, r)
}

// asItIs keeps net/http from guessing the type of an answer that has none.
type asItIs struct{ http.ResponseWriter }

// WriteHeader writes the head of an answer.
func (w asItIs) WriteHeader(status int) {
	if _, told := w.Header()["Content-Type"]; !told && status >= http.StatusOK {
		w.Header()["Content-Type"] = nil
	}
	w.ResponseWriter.WriteHeader(status)
}

// Unwrap gives net/http what else the writer can do.
func (w asItIs) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// group returns the group whose turn it is by weight, or nil. Turns are spread out: of weights 1 and 9, the first group
// gets every tenth request, and not one hundred in a row.
func (f *forward) group(v *visit) *group {
	switch len(f.shares) {
	case 0:
		return nil
	case 1:
		return f.shares[0].group
	}
	if f.groupLasts > 0 {
		if g := f.groupOf(v); g != nil {
			return g
		}
	}
	turn := f.next.Add(1) * stride(f.total) % f.total
	for _, s := range f.shares {
		if turn < s.upTo {
			return s.group
		}
	}
	return nil
}

// groupOf returns the group that a client is to stay with, or nil.
func (f *forward) groupOf(v *visit) *group {
	wanted := opened(v, cookieGroup, cookieGroupCORS)
	for _, s := range f.shares {
		if fingerprint(string(s.group.id)) == wanted {
			return s.group
		}
	}
	return nil
}

// sticky reports whether clients are told by cookies where they belong.
func (f *forward) sticky() bool {
	return f.groupLasts > 0 && len(f.shares) > 1 || slices.ContainsFunc(f.shares, func(s share) bool { return s.group.sticky() })
}

// stride returns a step near the golden section of n that reaches every number below n.
func stride(n uint64) uint64 {
	for step := n*618/1000 | 1; step < n; step++ {
		if gcd(step, n) == 1 {
			return step
		}
	}
	return 1
}

func gcd(a, b uint64) uint64 {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

var (
	errNoTarget = errors.New("no target to send the request to")
	errClient   = errors.New("client broke off")
)

// try has do use a target of the group whose turn it is. It tries another one when a target was drained meanwhile and,
// for classic load balancers, when no connection could be made: those try again ("because the load balancer retries the
// connection when there are errors", CloudWatch metrics for Classic Load Balancers), while for application load
// balancers a refused connection is a 502 (Troubleshoot your Application Load Balancers). Nothing was sent in either case.
func (f *forward) try(v *visit, do func(*target) error) error {
	g := f.group(v)
	if g == nil {
		return errNoTarget
	}
	failure := errNoTarget
	v.group = g
	for tries := g.size() + 2; tries > 0; {
		t := g.pick(v)
		if t == nil {
			return failure
		}
		v.target = t
		err := do(t)
		_, refused := errors.AsType[*dialError](err)
		switch {
		case errors.Is(err, errGone): // its group knows by now
			failure = errNoTarget
		case refused && f.classic:
			failure = err
			tries--
		default:
			return err
		}
	}
	return failure
}

// RoundTrip chooses a target and sends the request there. It makes a forward the transport of its own proxy.
func (f *forward) RoundTrip(req *http.Request) (resp *http.Response, err error) {
	if err := buffer(req); err != nil {
		return nil, errors.Join(errClient, err)
	}
	v := visitOf(req)
	err = f.try(v, func(t *target) error {
		resp, err = t.roundTrip(req, f.idle) //nolint:bodyclose // the proxy that called closes it
		return err
	})
	if err == nil && f.sticky() {
		f.bind(v, resp.Header)
	}
	if err == nil && f.headers.changesAnswers() {
		f.headers.answer(resp.Header)
	}
	return resp, err
}

func (f *forward) rewrite(r *httputil.ProxyRequest) {
	r.Out.URL.Scheme, r.Out.URL.Host = "http", "target" // overwritten where it matters; the Host header is the client's
	r.Out.URL.RawQuery = r.In.URL.RawQuery              // as it came, even if it is no proper query
	r.Out.Host = f.headers.host(r.In.Host, f.port)
	if f.headers.OnlyValid {
		dropInvalid(r.Out.Header)
	}
	f.setForwarded(r.In, r.Out.Header)
	if !f.classic {
		setTrace(r.Out.Header)
	}
	delete(r.Out.Header, "Expect") // answered here: by reading the body
	if upgrade := r.Out.Header["Upgrade"]; len(upgrade) > 0 && strings.EqualFold(upgrade[0], "h2c") {
		delete(r.Out.Header, "Upgrade")
		delete(r.Out.Header, "Connection")
		delete(r.Out.Header, "Http2-Settings")
	}
}

// setForwarded tells the target who asked, over what. [Application Load Balancers: HTTP headers]
func (f *forward) setForwarded(in *http.Request, out http.Header) {
	delete(out, "X-Forwarded-For")
	if list := f.headers.forwardedFor(in.Header["X-Forwarded-For"], in.RemoteAddr); list != "" {
		out["X-Forwarded-For"] = []string{list}
	}
	out["X-Forwarded-Proto"] = []string{f.protocol}
	out["X-Forwarded-Port"] = []string{f.port}
	if f.headers.TellTLS && in.TLS != nil {
		tellTLS(out, *in.TLS)
	}
}

// answerFailure answers for a target that didn't.
func answerFailure(w http.ResponseWriter, _ *http.Request, err error) {
	answerPage(w, failureStatus(err))
}

// failureStatus is what a failure is answered with: 503 there is no target, 504 it took too long, 502 anything else.
// [Application Load Balancers: Troubleshooting, HTTP errors]
func failureStatus(err error) int {
	switch {
	case errors.Is(err, errNoTarget):
		return http.StatusServiceUnavailable
	case errors.Is(err, context.Canceled), errors.Is(err, errClient):
		return http.StatusBadRequest // nobody listens any more
	case errors.Is(err, errIdle), isTimeout(err):
		return http.StatusGatewayTimeout
	default:
		return http.StatusBadGateway
	}
}

// buffers are used again for copying answers.
type buffers struct{ pool sync.Pool }

// Get returns a buffer of 32 KiB.
func (b *buffers) Get() []byte {
	if p, ok := b.pool.Get().(*[]byte); ok {
		return *p
	}
	return make([]byte, 32<<10)
}

// Put takes it back.
func (b *buffers) Put(p []byte) { b.pool.Put(&p) }
