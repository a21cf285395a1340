package datachannel

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"strconv"
	"sync"
	"time"

	"github.com/coder/websocket"

	"github.com/slipway-cd/slipway/fault"
)

// Talk is a session on the client's side. Session and its members come from ExecuteCommand's answer.
type Talk struct {
	URL, Token string
	Stdin      io.Reader // nil: nothing is typed. It may be read from after the session has ended, until a read returns
	Stdout     io.Writer
	Resize     <-chan TerminalSize // nil: the terminal keeps its size
	Version    string              // of the client; ClientVersion unless told otherwise
}

// client is one session under way.
type client struct {
	conn *websocket.Conn
	mu   sync.Mutex // one message at a time
	next int64
}

// Run talks until the command has ended, and returns its exit code; -1 where the other side doesn't tell.
// It returns a fault of the kind Unavailable when the connection fails, and the context's error when that ends.
func (t Talk) Run(ctx context.Context) (code int, err error) {
	conn, _, err := websocket.Dial(ctx, t.URL, nil)
	if err != nil {
		return 0, fault.New(fault.Unavailable, "cannot open the session at %s: %w", t.URL, err)
	}
	defer func() { _ = conn.CloseNow() }()
	conn.SetReadLimit(Largest)
	c := &client{conn: conn}
	if t.Version == "" {
		t.Version = ClientVersion
	}
	opening, err := json.Marshal(Opening{MessageSchemaVersion: "1.0", RequestID: New(Input, 0, 0, nil, time.Time{}).IDText(), TokenValue: t.Token, ClientID: t.Version, ClientVersion: t.Version})
	if err != nil {
		return 0, err
	}
	if err := conn.Write(ctx, websocket.MessageText, opening); err != nil {
		return 0, fault.New(fault.Unavailable, "cannot open the session: %w", err)
	}
	ended := make(chan struct{})
	defer close(ended)
	code, err = c.listen(ctx, t, ended)
	switch {
	case err == nil:
		return code, nil
	case ctx.Err() != nil:
		return 0, ctx.Err()
	}
	return 0, fault.New(fault.Unavailable, "the session has broken off: %w", err)
}

func (c *client) send(ctx context.Context, kind Payload, payload []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	m := New(Input, c.next, kind, payload, time.Now())
	c.next++
	return c.conn.Write(ctx, websocket.MessageBinary, m.Bytes())
}

// listen does what the messages say until the channel is closed.
func (c *client) listen(ctx context.Context, t Talk, ended <-chan struct{}) (code int, err error) {
	code = -1
	for {
		_, text, err := c.conn.Read(ctx)
		if err != nil {
			return 0, err
		}
		m, err := Parse(text)
		if err != nil {
			return 0, err
		}
		switch m.Type {
		case Closed:
			return code, nil
		case Output:
			if err := c.acknowledge(ctx, m); err != nil {
				return 0, err
			}
			if m.Kind == ExitCode {
				if code, err = strconv.Atoi(string(m.Payload)); err != nil {
					return 0, errors.New("the exit code is no number")
				}
				continue
			}
			if err := c.take(ctx, m, t, ended); err != nil {
				return 0, err
			}
		}
	}
}

func (c *client) acknowledge(ctx context.Context, m Message) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.conn.Write(ctx, websocket.MessageBinary, m.Acknowledgement(time.Now()).Bytes())
}

// take does what one message says.
func (c *client) take(ctx context.Context, m Message, t Talk, ended <-chan struct{}) error {
	switch m.Kind {
	case Text:
		_, err := t.Stdout.Write(m.Payload)
		return err
	case HandshakeRequest:
		var asked Handshake
		if err := json.Unmarshal(m.Payload, &asked); err != nil {
			return err
		}
		done := []map[string]any{}
		for _, a := range asked.RequestedClientActions {
			done = append(done, map[string]any{"ActionType": a.ActionType, "ActionStatus": 1, "ActionResult": nil, "Error": ""})
		}
		answer, err := json.Marshal(map[string]any{"ClientVersion": t.Version, "ProcessedClientActions": done, "Errors": []string{}})
		if err != nil {
			return err
		}
		return c.send(ctx, HandshakeResponse, answer)
	case HandshakeComplete:
		go c.typeIn(ctx, t.Stdin)
		go c.resize(ctx, t.Resize, ended)
	}
	return nil
}

// typed is how much is typed at once. [session-manager-plugin, config.StreamDataPayloadSize]
const typed = 1024

// typeIn sends what is typed. A command with a terminal sees the end of it as Ctrl-D.
func (c *client) typeIn(ctx context.Context, from io.Reader) {
	if from == nil {
		return
	}
	buf := make([]byte, typed)
	for {
		n, err := from.Read(buf)
		if n > 0 && c.send(ctx, Text, buf[:n]) != nil {
			return
		}
		if err != nil {
			_ = c.send(ctx, Text, []byte{4})
			return
		}
	}
}

func (c *client) resize(ctx context.Context, sizes <-chan TerminalSize, ended <-chan struct{}) {
	for {
		select {
		case size, ok := <-sizes:
			if !ok {
				return
			}
			if text, err := json.Marshal(size); err == nil {
				_ = c.send(ctx, Size, text)
			}
		case <-ended:
			return
		}
	}
}
