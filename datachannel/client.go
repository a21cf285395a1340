package datachannel

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/coder/websocket"

	"github.com/slipway-cd/slipway/fault"
)

// Talk is a session on the client's side. URL and Token come from ExecuteCommand's answer.
type Talk struct {
	URL, Token string
	Stdin      io.Reader // nil: nothing is typed. It may be read from after the session has ended, until a read returns
	Stdout     io.Writer
	Talk       io.Writer           // gets what the other side says of the session itself at its end; nil: nobody
	Resize     <-chan TerminalSize // nil: the terminal keeps its size
	Agent      string              // the User-Agent; UserAgent unless told otherwise
}

// client is one session under way.
type client struct {
	conn *websocket.Conn
	talk Talk

	mu      sync.Mutex // one message at a time
	next    int64
	pending Pending

	expected int64             // number of the next message to take
	early    map[int64]Message // came before those that they follow
	code     int
	ended    chan struct{}
}

const (
	repeatAfter = time.Second // without an acknowledgement
	aliveEvery  = time.Minute // so that nothing between the two sides takes a silent session for a dead one
	mostEarly   = 1 << 12     // messages are kept that came too early
)

// Run talks until the command has ended, and returns its exit code; -1 where the other side doesn't tell.
// It returns a fault of the kind Unavailable when the connection fails, Refused when the session is encrypted in a way that
// this client doesn't speak, and the context's error when that ends.
func (t Talk) Run(ctx context.Context) (code int, err error) {
	if t.Agent == "" {
		t.Agent = UserAgent
	}
	conn, resp, err := websocket.Dial(ctx, t.URL, &websocket.DialOptions{HTTPHeader: http.Header{"User-Agent": {t.Agent}}})
	if resp != nil && resp.Body != nil {
		defer resp.Body.Close()
	}
	if err != nil {
		if request, ok := errors.AsType[*url.Error](err); ok {
			err = request.Err // which doesn't repeat the URL
		}
		return 0, fault.New(fault.Unavailable, "cannot open the session at %s: %w", bare(t.URL), err)
	}
	defer func() { _ = conn.CloseNow() }()
	conn.SetReadLimit(Largest)
	c := &client{conn: conn, talk: t, code: -1, early: map[int64]Message{}, ended: make(chan struct{})}
	if err := c.open(ctx); err != nil {
		return 0, fault.New(fault.Unavailable, "cannot open the session: %w", err)
	}
	defer close(c.ended)
	go c.repeat(ctx)
	err = c.listen(ctx)
	switch {
	case err == nil:
		return c.code, nil
	case ctx.Err() != nil:
		return 0, ctx.Err()
	case fault.KindOf(err) == fault.Refused:
		return 0, err
	}
	return 0, fault.New(fault.Unavailable, "the session has broken off: %w", err)
}

// bare is a URL without its query, which may be secret.
func bare(address string) string {
	address, _, _ = strings.Cut(address, "?")
	return address
}

func (c *client) open(ctx context.Context) error {
	id := New(Input, 0, 0, nil, time.Time{}).IDText()
	opening, err := json.Marshal(Opening{
		MessageSchemaVersion: "1.0", RequestID: id, TokenValue: c.talk.Token, ClientID: id, ClientVersion: ClientVersion,
	})
	if err != nil {
		return err
	}
	return c.conn.Write(ctx, websocket.MessageText, opening)
}

func (c *client) send(ctx context.Context, kind Payload, payload []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	m := New(Input, c.next, kind, payload, time.Now())
	c.next++
	if err := c.pending.Add(m); err != nil {
		return err
	}
	return c.conn.Write(ctx, websocket.MessageBinary, m.Bytes())
}

// repeat sends again what is not acknowledged, and shows that somebody is still there.
func (c *client) repeat(ctx context.Context) {
	again, alive := time.NewTicker(repeatAfter), time.NewTicker(aliveEvery)
	defer again.Stop()
	defer alive.Stop()
	for {
		select {
		case <-c.ended:
			return
		case <-ctx.Done():
			return
		case <-alive.C:
			_ = c.conn.Ping(ctx) // that nobody answers is found out by reading
		case <-again.C:
			for _, m := range c.pending.Older(time.Now().Add(-repeatAfter)) {
				c.mu.Lock()
				_ = c.conn.Write(ctx, websocket.MessageBinary, m.Bytes())
				c.mu.Unlock()
			}
		}
	}
}

// listen does what the messages say until the channel is closed.
func (c *client) listen(ctx context.Context) error {
	for {
		_, text, err := c.conn.Read(ctx)
		if err != nil {
			return err
		}
		m, err := Parse(text)
		if err != nil {
			return err
		}
		switch m.Type {
		case Closed:
			c.close(m)
			return nil
		case Acknowledge:
			c.pending.Done(m.Payload)
		case Output:
			if err := c.hear(ctx, m); err != nil {
				return err
			}
		}
	}
}

// close passes on what the other side says of the session's end.
func (c *client) close(m Message) {
	var closing Closing
	if json.Unmarshal(m.Payload, &closing) == nil && strings.TrimSpace(closing.Output) != "" && c.talk.Talk != nil {
		_, _ = fmt.Fprintln(c.talk.Talk, strings.TrimSpace(closing.Output))
	}
}

// hear takes messages in their order, each of them once: whoever relays them may say one twice, or too early.
// [session-manager-plugin, datachannel/streaming.go, HandleOutputMessage]
func (c *client) hear(ctx context.Context, m Message) error {
	if m.Sequence > c.expected && len(c.early) >= mostEarly {
		return nil // not acknowledged, it will be said again
	}
	if err := c.acknowledge(ctx, m); err != nil {
		return err
	}
	if m.Sequence < c.expected {
		return nil
	}
	c.early[m.Sequence] = m
	for {
		m, ok := c.early[c.expected]
		if !ok {
			return nil
		}
		delete(c.early, c.expected)
		c.expected++
		if err := c.take(ctx, m); err != nil {
			return err
		}
	}
}

func (c *client) acknowledge(ctx context.Context, m Message) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.conn.Write(ctx, websocket.MessageBinary, m.Acknowledgement(time.Now()).Bytes())
}

// take does what one message says.
func (c *client) take(ctx context.Context, m Message) error {
	switch m.Kind {
	case Text:
		_, err := c.talk.Stdout.Write(m.Payload)
		return err
	case ExitCode:
		code, err := strconv.Atoi(string(m.Payload))
		if err != nil {
			return errors.New("the exit code is no number")
		}
		c.code = code
	case HandshakeRequest:
		return c.shake(ctx, m)
	case HandshakeComplete:
		go c.typeIn(ctx)
		go c.resize(ctx)
	}
	return nil
}

// What becomes of an action that a handshake asks for. [session-manager-plugin, message/contracts.go, ActionStatus]
const (
	actionDone   = 1
	actionFailed = 3 // unsupported
)

// encryption is the action that asks for a session encrypted with a key of AWS KMS.
const encryption = "KMSEncryption"

// shake answers a handshake.
func (c *client) shake(ctx context.Context, m Message) error {
	var asked Handshake
	if err := json.Unmarshal(m.Payload, &asked); err != nil {
		return err
	}
	done, encrypted := []map[string]any{}, false
	for _, a := range asked.RequestedClientActions {
		answer := map[string]any{"ActionType": a.ActionType, "ActionStatus": actionDone, "ActionResult": nil, "Error": ""}
		if a.ActionType == encryption {
			encrypted = true
			answer["ActionStatus"], answer["Error"] = actionFailed, "unsupported action "+encryption
		}
		done = append(done, answer)
	}
	answer, err := json.Marshal(map[string]any{"ClientVersion": ClientVersion, "ProcessedClientActions": done, "Errors": []string{}})
	if err != nil {
		return err
	}
	if err := c.send(ctx, HandshakeResponse, answer); err != nil || !encrypted {
		return err
	}
	return fault.New(fault.Refused, "the cluster encrypts its sessions with a key of AWS KMS, which Slipway doesn't do").
		WithHint("use `aws ecs execute-command`, or take kmsKeyId out of the cluster's executeCommandConfiguration")
}

// typed is how much is typed at once. [session-manager-plugin, config.StreamDataPayloadSize]
const typed = 1024

// typeIn sends what is typed. A command with a terminal sees the end of it as Ctrl-D, which ends a line that has not
// ended first.
func (c *client) typeIn(ctx context.Context) {
	from := c.talk.Stdin
	if from == nil {
		return
	}
	buf, last := make([]byte, typed), byte('\n')
	for {
		n, err := from.Read(buf)
		if n > 0 {
			last = buf[n-1]
			if c.send(ctx, Text, buf[:n]) != nil {
				return
			}
		}
		if err != nil {
			if last != '\n' {
				_ = c.send(ctx, Text, []byte{4})
			}
			_ = c.send(ctx, Text, []byte{4})
			return
		}
	}
}

func (c *client) resize(ctx context.Context) {
	for {
		select {
		case size, ok := <-c.talk.Resize:
			if !ok {
				return
			}
			if text, err := json.Marshal(size); err == nil {
				_ = c.send(ctx, Size, text)
			}
		case <-c.ended:
			return
		}
	}
}
