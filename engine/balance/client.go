package balance

import (
	"errors"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// The states of a client's connection.
const (
	clientIdle   int32 = iota // nothing of a request has arrived
	clientBusy                // a request is under way
	clientClosed              // the front closed it while it was idle
)

// client is one connection that the front serves.
type client struct {
	front  *front
	conn   net.Conn
	remote string // the client's address and port
	host   string // its address
	state  atomic.Int32

	in         []byte // what has arrived and is not answered: in[begin:end]
	begin, end int
	deadline   time.Time // of the next byte
	ask        ask

	patience *time.Timer // after which it is watched whether the client is still there
	watch    watch
}

func newClient(f *front, conn net.Conn) *client {
	c := &client{front: f, conn: conn, remote: conn.RemoteAddr().String(), in: make([]byte, firstBuffer)}
	c.host = c.remote
	if host, _, err := net.SplitHostPort(c.remote); err == nil {
		c.host = host
	}
	c.watch.init(conn)
	c.patience = time.AfterFunc(time.Hour, c.watch.run)
	c.patience.Stop()
	return c
}

const (
	firstBuffer = 4 << 10
	largestHead = 8 << 10 // of an ordinary request
)

// work is what a request needs while it is answered; connections that wait for one don't keep it.
type work struct {
	out   []byte // what is sent next
	back  []byte // what has arrived from the target
	reply reply

	strange bool // the answer is one that net/http has to make sense of
}

var works = sync.Pool{New: func() any { //nolint:gochecknoglobals // memory that is used again
	return &work{out: make([]byte, 0, firstBuffer), back: make([]byte, firstBuffer)}
}}

// serve answers requests one after the other, until the connection ends or is handed to net/http.
func (c *client) serve() {
	defer c.front.remove(c)
	for c.next() {
		switch c.answer() {
		case goOn:
		case handOver:
			c.front.hand(c.conn, slices.Clone(c.in[c.begin:c.end]))
			return
		default:
			c.conn.Close()
			return
		}
	}
	c.conn.Close()
}

// outcome is what becomes of a connection after a request.
type outcome int

const (
	goOn     outcome = iota // the next request may come
	handOver                // net/http has to answer this one
	hangUp
)

// next waits for something of a request.
func (c *client) next() bool {
	if c.begin == c.end {
		c.begin, c.end = 0, 0
		c.state.Store(clientIdle)
		if c.front.closing.Load() {
			return false
		}
		if !c.read() {
			return false
		}
		return c.state.CompareAndSwap(clientIdle, clientBusy)
	}
	return !c.front.closing.Load()
}

// read reads more. The client has the idle timeout for it.
func (c *client) read() bool {
	if c.end == len(c.in) {
		if c.begin > 0 {
			c.end = copy(c.in, c.in[c.begin:c.end])
			c.begin = 0
		} else {
			c.in = append(c.in, make([]byte, len(c.in))...)
		}
	}
	idle := c.front.socket.settings.Idle
	if now := time.Now(); c.deadline.Sub(now) < idle {
		c.deadline = now.Add(idle + idle/32) // not at every byte: setting it costs more than looking at the clock
		if c.conn.SetReadDeadline(c.deadline) != nil {
			return false
		}
	}
	n, err := c.conn.Read(c.in[c.end:])
	c.end += n
	return err == nil
}

// request reads a whole request, its body included.
func (c *client) request() outcome {
	for {
		found := c.ask.scan(c.in[c.begin:c.end])
		switch {
		case found == odd, found == more && c.end-c.begin >= largestHead, found == whole && c.ask.length > maxBuffered:
			return handOver
		case found == whole && int64(c.end-c.begin-c.ask.size) >= c.ask.length:
			return goOn
		}
		if !c.read() {
			return hangUp
		}
	}
}

// body is the request's.
func (c *client) body() []byte {
	from := c.begin + c.ask.size
	return c.in[from : from+int(c.ask.length)]
}

// answer has one request answered.
func (c *client) answer() outcome {
	if o := c.request(); o != goOn {
		return o
	}
	f := c.route()
	if f == nil {
		return handOver
	}
	w := works.Get().(*work) //nolint:forcetypeassert // the pool has nothing else
	defer works.Put(w)
	o := c.forward(f, w)
	if o == goOn {
		c.begin += c.ask.size + int(c.ask.length)
		if c.ask.last || c.front.closing.Load() {
			return hangUp
		}
	}
	return o
}

// route returns where the rules send the request, nil when that is not simply on to a target.
func (c *client) route() *forward {
	t := c.front.socket.table.Load()
	action := t.fallback
	if len(t.rules) > 0 {
		r, ok := c.httpRequest()
		if !ok {
			return nil
		}
		action = t.action(r)
	}
	f, ok := action.(*forward)
	if !ok || f.headers.OnlyValid || f.headers.changesAnswers() || f.sticky() {
		return nil
	}
	return f
}

// httpRequest is what the conditions of rules look at.
func (c *client) httpRequest() (*http.Request, bool) {
	u, err := url.ParseRequestURI(string(c.ask.target))
	if err != nil {
		return nil, false
	}
	r := &http.Request{Method: string(c.ask.method), URL: u, Host: string(c.ask.host), RemoteAddr: c.remote, Header: http.Header{}}
	for _, f := range c.ask.fields {
		r.Header.Add(string(f.name), string(f.value))
	}
	return r, true
}

// errOdd says that only net/http can get an answer: nothing was sent.
var errOdd = errors.New("not for the front")

// forward sends the request to a target and its answer back.
func (c *client) forward(f *forward, w *work) outcome {
	w.out = c.compose(f, w.out[:0])
	var at *wire
	v := &visit{}
	if at, err := netip.ParseAddr(c.host); err == nil {
		v.source = at
	}
	err := f.try(v, func(t *target) (err error) {
		if t.h2 != nil {
			return errOdd
		}
		at, err = c.exchange(t, f.idle, w)
		return err
	})
	switch {
	case err == nil:
		return c.relay(at, w)
	case errors.Is(err, errOdd):
		return handOver
	case c.watch.gone():
		return hangUp
	default:
		return c.refuse(failureStatus(err), w)
	}
}

// compose makes the head of the request for the target, and its body: what concerns only this connection is left out, and
// who asked is told. [RFC 9110, 7.6.1; Application Load Balancers: HTTP headers]
func (c *client) compose(f *forward, out []byte) []byte {
	a := &c.ask
	out = append(append(out, a.first...), "\r\n"...)
	for _, h := range a.fields {
		switch len(h.name) {
		case 4:
			if h.is("host") {
				out = append(append(append(out, "Host: "...), f.hostFor(h.value)...), "\r\n"...)
				continue
			}
		case 10:
			if h.is("connection") {
				continue
			}
		case 15:
			if h.is("x-forwarded-for") || !f.classic && h.is("x-amzn-trace-id") {
				continue
			}
		case 16, 17:
			if h.is("x-forwarded-port") || h.is("x-forwarded-proto") {
				continue
			}
		}
		out = appendField(out, h.name, h.value)
	}
	out = c.appendForwarded(f, out)
	out = append(append(out, "X-Forwarded-Proto: "...), f.protocol...)
	out = append(append(out, "\r\nX-Forwarded-Port: "...), f.port...)
	if !f.classic {
		out = append(append(out, "\r\nX-Amzn-Trace-Id: "...), tracedAs(string(a.traced))...)
	}
	out = append(out, "\r\n\r\n"...)
	return append(out, c.body()...)
}

func appendField(out, name, value []byte) []byte {
	out = append(append(out, name...), ": "...)
	return append(append(out, value...), "\r\n"...)
}

func (c *client) appendForwarded(f *forward, out []byte) []byte {
	list := c.host
	if c.ask.forwarded || f.headers.Forwarded != "append" || f.headers.ClientPort {
		var prior []string
		for _, h := range c.ask.fields {
			if h.is("x-forwarded-for") {
				prior = append(prior, string(h.value))
			}
		}
		list = f.headers.forwardedFor(prior, c.remote)
	}
	if list == "" {
		return out
	}
	return append(append(append(out, "X-Forwarded-For: "...), list...), "\r\n"...)
}

// hostFor returns the Host header for the target.
func (f *forward) hostFor(host []byte) []byte {
	if f.headers.KeepHost || f.port != "80" && f.port != "443" && slices.Contains(host, ':') {
		return host
	}
	return []byte(f.headers.host(string(host), f.port))
}

// exchange sends the request to the target, and reads until the head of its answer has arrived. As with roundTrip, what
// failed before anything was sent is a dialError or errGone, and a request that may be repeated is, once, when the
// connection had been closed by the target.
func (c *client) exchange(t *target, idle time.Duration, w *work) (*wire, error) {
	once := !c.ask.repeatable()
	for fresh := false; ; fresh = true {
		at, err := t.take(c.front.socket.ctx, once, fresh)
		if err != nil {
			return nil, err
		}
		at.begin(idle)
		c.watch.over(at)
		c.patience.Reset(patienceTime)
		err = c.converse(at, w)
		if err == nil {
			return at, nil
		}
		c.rest()
		at.discard()
		if c.watch.gone() || !errors.Is(err, errStale) || once || !at.reused {
			return nil, err
		}
	}
}

// rest has the client watched no more.
func (c *client) rest() {
	c.patience.Stop()
	if c.watch.stop() {
		c.deadline = time.Time{} // there is another one now
	}
}

// converse sends what is composed and reads the head of the answer. Interim answers are passed on.
func (c *client) converse(at *wire, w *work) error {
	w.back = w.back[:cap(w.back)]
	_, sent := at.Write(w.out) // a target may answer and close before it has read everything: its answer counts
	n := 0
	for {
		if found := w.reply.scan(w.back[:n]); found != more {
			w.back = w.back[:n]
			interim := found == whole && w.reply.code < 200
			w.strange = found == odd
			switch {
			case found == odd, !interim:
				return nil
			case w.reply.code == http.StatusSwitchingProtocols:
				return errors.New("target switched to a protocol that nobody asked for")
			case w.reply.code != http.StatusContinue:
				if _, err := c.conn.Write(w.back[:w.reply.size]); err != nil {
					return err
				}
			}
			n = copy(w.back, w.back[w.reply.size:])
			w.back = w.back[:cap(w.back)]
			continue
		}
		if n == len(w.back) {
			if n >= http.DefaultMaxHeaderBytes {
				return errors.New("target sent a head without an end")
			}
			w.back = append(w.back, make([]byte, n)...)
		}
		got, err := at.Read(w.back[n:])
		if n += got; err != nil && got == 0 {
			if !at.got && !isTimeout(err) {
				return errors.Join(errStale, sent, err)
			}
			return err
		}
	}
}

// refuse answers in place of a target.
func (c *client) refuse(status int, w *work) outcome {
	var b strings.Builder
	resp := pageResponse(status, c.ask.last || c.front.closing.Load())
	if string(c.ask.method) == http.MethodHead {
		resp.Request = &http.Request{Method: http.MethodHead}
	}
	defer resp.Body.Close()
	if err := resp.Write(&b); err != nil {
		return hangUp
	}
	w.out = append(w.out[:0], b.String()...)
	if _, err := c.conn.Write(w.out); err != nil {
		return hangUp
	}
	return goOn
}
