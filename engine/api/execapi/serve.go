package execapi

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/coder/websocket"

	"github.com/slipway-cd/slipway/datachannel"
	"github.com/slipway-cd/slipway/engine/runtime"
)

// ServeHTTP serves the session whose id the path ends with.
func (s *Sessions) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	id := strings.TrimPrefix(r.URL.Path, Path)
	conn, err := websocket.Accept(w, r, nil) // refuses web pages of other origins
	if err != nil {
		return // it has answered
	}
	defer func() { _ = conn.CloseNow() }()
	conn.SetReadLimit(datachannel.Largest)
	opening, err := open(r.Context(), conn)
	if err != nil {
		return
	}
	one := s.take(id, opening.TokenValue)
	if one == nil {
		_ = conn.Close(websocket.StatusPolicyViolation, "unknown session or token")
		return
	}
	c := &channel{conn: conn, session: one, tellsCode: strings.HasPrefix(r.UserAgent(), datachannel.UserAgent), begin: make(chan struct{})}
	c.serve(r.Context(), s)
}

func open(ctx context.Context, conn *websocket.Conn) (o datachannel.Opening, err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	_, text, err := conn.Read(ctx)
	if err != nil {
		return o, err
	}
	return o, json.Unmarshal(text, &o)
}

const (
	repeatAfter = 200 * time.Millisecond // without an acknowledgement
	lastWords   = 5 * time.Second        // is waited for the last of them
)

// channel is a session under way.
type channel struct {
	conn      *websocket.Conn
	session   *session
	tellsCode bool

	mu      sync.Mutex // one message at a time
	next    int64      // number of the next message to the client
	pending datachannel.Pending

	begin    chan struct{} // closed when hands have been shaken
	expected int64         // number of the next message from the client
	shaken   bool
}

// serve shakes hands, runs the command and tells how it ended.
func (c *channel) serve(ctx context.Context, s *Sessions) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	in, typed := io.Pipe()
	defer in.Close()
	sizes := make(chan runtime.Size, 1)
	go func() {
		defer cancel() // whoever was there has gone
		c.listen(ctx, typed, sizes)
	}()
	go c.repeat(ctx)
	if err := c.handshake(ctx); err != nil {
		return
	}
	code, err := s.run(ctx, c.session.name, runtime.Session{
		Argv: c.session.argv, TTY: true, Stdin: in, Stdout: output{ctx, c}, Stderr: output{ctx, c}, Resize: sizes, // why a command cannot be run
	})
	if ctx.Err() != nil {
		return
	}
	said := ""
	if err != nil {
		s.logger.Warn("a session has failed", "session", c.session.id, "container", c.session.name, "error", err)
		said, code = err.Error(), -1
	}
	c.close(ctx, code, said)
}

// handshake tells the client that a terminal awaits it, and waits until it is ready.
func (c *channel) handshake(ctx context.Context) error {
	began := time.Now()
	err := c.sendJSON(ctx, datachannel.HandshakeRequest, datachannel.Handshake{
		AgentVersion: "3.3.0.0", // of the agent whose ways these are
		RequestedClientActions: []datachannel.Action{{
			ActionType: "SessionType", ActionParameters: map[string]any{"SessionType": "Standard_Stream", "Properties": nil},
		}},
	})
	if err != nil {
		return err
	}
	select {
	case <-c.begin:
	case <-ctx.Done():
		return ctx.Err()
	}
	return c.sendJSON(ctx, datachannel.HandshakeComplete, map[string]any{"HandshakeTimeToComplete": time.Since(began), "CustomerMessage": ""})
}

func (c *channel) sendJSON(ctx context.Context, kind datachannel.Payload, v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return c.send(ctx, kind, text)
}

func (c *channel) send(ctx context.Context, kind datachannel.Payload, payload []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	m := datachannel.New(datachannel.Output, c.next, kind, payload, time.Now())
	c.next++
	if err := c.pending.Add(m); err != nil {
		return err
	}
	return c.conn.Write(ctx, websocket.MessageBinary, m.Bytes())
}

// repeat sends again what the client doesn't acknowledge: one that isn't ready yet takes no notice of what it is told.
// [session-manager-plugin, datachannel/streaming.go, HandleOutputMessage]
func (c *channel) repeat(ctx context.Context) {
	tick := time.NewTicker(repeatAfter)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		for _, m := range c.pending.Older(time.Now().Add(-repeatAfter)) {
			c.mu.Lock()
			err := c.conn.Write(ctx, websocket.MessageBinary, m.Bytes())
			c.mu.Unlock()
			if err != nil {
				return
			}
		}
	}
}

// printed is how much is sent at once. [session-manager-plugin, config.StreamDataPayloadSize]
const printed = 1024

// output sends what the command prints.
type output struct {
	ctx     context.Context //nolint:containedctx // of the session that the writer belongs to
	channel *channel
}

func (o output) Write(p []byte) (int, error) {
	for done := 0; done < len(p); {
		piece := p[done:min(len(p), done+printed)]
		if err := o.channel.send(o.ctx, datachannel.Text, piece); err != nil {
			return done, err
		}
		done += len(piece)
	}
	return len(p), nil
}

// listen does what the client's messages say, until there are no more.
func (c *channel) listen(ctx context.Context, typed *io.PipeWriter, sizes chan runtime.Size) {
	defer typed.Close()
	queue := make(chan []byte, 64) // so that a command that doesn't read doesn't hide that the client has gone
	defer close(queue)
	go func() {
		for text := range queue {
			_, _ = typed.Write(text) // a command that has ended reads no more
		}
	}()
	for {
		_, text, err := c.conn.Read(ctx)
		if err != nil {
			return
		}
		m, err := datachannel.Parse(text)
		if err != nil {
			return
		}
		if m.Type == datachannel.Acknowledge {
			c.pending.Done(m.Payload)
		}
		if m.Type != datachannel.Input || c.acknowledge(ctx, m) != nil {
			continue
		}
		if m.Sequence != c.expected { // said twice: what isn't acknowledged in time is repeated
			continue
		}
		c.expected++
		switch m.Kind {
		case datachannel.Text:
			queue <- bytes.Clone(m.Payload)
		case datachannel.Size:
			resize(sizes, m.Payload)
		case datachannel.HandshakeResponse:
			if !c.shaken {
				c.shaken = true
				close(c.begin)
			}
		}
	}
}

func (c *channel) acknowledge(ctx context.Context, m datachannel.Message) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.conn.Write(ctx, websocket.MessageBinary, m.Acknowledgement(time.Now()).Bytes())
}

// resize hands over the newest size, in the place of one that nobody has taken.
func resize(sizes chan runtime.Size, text []byte) {
	var size datachannel.TerminalSize
	if json.Unmarshal(text, &size) != nil || size.Columns == 0 || size.Columns > 1<<15 || size.Rows > 1<<15 {
		return
	}
	select {
	case <-sizes:
	default:
	}
	sizes <- runtime.Size{Columns: uint16(size.Columns), Rows: uint16(size.Rows)}
}

// close tells the client that there is no more.
func (c *channel) close(ctx context.Context, code int, said string) {
	if c.tellsCode {
		_ = c.send(ctx, datachannel.ExitCode, []byte(strconv.Itoa(code)))
	}
	c.pending.Wait(ctx, lastWords) // whoever is told that the channel is closed listens no more
	m := datachannel.New(datachannel.Closed, 0, 0, nil, time.Now())
	m.Payload, _ = json.Marshal(datachannel.Closing{ // cannot fail
		MessageID: m.IDText(), CreatedDate: m.At.UTC().Format(time.RFC3339), SessionID: c.session.id, MessageType: datachannel.Closed,
		SchemaVersion: 1, Output: said,
	})
	c.mu.Lock()
	defer c.mu.Unlock()
	_ = c.conn.Write(ctx, websocket.MessageBinary, m.Bytes())
	_ = c.conn.Close(websocket.StatusNormalClosure, "")
}
