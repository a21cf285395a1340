package datachannel

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/slipway-cd/slipway/fault"
)

// other is the other side of a session: it says what a test has it say.
type other struct {
	t    *testing.T
	conn *websocket.Conn
}

func (o other) say(ctx context.Context, messages ...Message) {
	for _, m := range messages {
		if err := o.conn.Write(ctx, websocket.MessageBinary, m.Bytes()); err != nil {
			o.t.Error(err)
		}
	}
}

// heard returns the next message that is no acknowledgement.
func (o other) heard(ctx context.Context) Message {
	for {
		_, text, err := o.conn.Read(ctx)
		if err != nil {
			o.t.Error(err)
			return Message{}
		}
		m, err := Parse(text)
		if err != nil {
			o.t.Error(err)
		}
		if m.Type == Input {
			o.say(ctx, m.Acknowledgement(time.Now()))
			return m
		}
	}
}

// against serves one session and returns how to begin it.
func against(t *testing.T, play func(ctx context.Context, o other)) Talk {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, err := websocket.Accept(w, r, nil)
		if err != nil {
			return
		}
		defer func() { _ = conn.CloseNow() }()
		if _, _, err := conn.Read(r.Context()); err != nil { // the opening
			t.Error(err)
		}
		play(r.Context(), other{t, conn})
		for { // until the client goes
			if _, _, err := conn.Read(r.Context()); err != nil {
				return
			}
		}
	}))
	t.Cleanup(server.Close)
	return Talk{URL: "ws" + strings.TrimPrefix(server.URL, "http"), Token: "token"}
}

func printed(n int64, text string) Message { return New(Output, n, Text, []byte(text), time.Now()) }

func handshake(t *testing.T, n int64, action string) Message {
	t.Helper()
	text, err := json.Marshal(Handshake{RequestedClientActions: []Action{{ActionType: action}}})
	if err != nil {
		t.Fatal(err)
	}
	return New(Output, n, HandshakeRequest, text, time.Now())
}

func closing(t *testing.T, said string) Message {
	t.Helper()
	text, err := json.Marshal(Closing{Output: said})
	if err != nil {
		t.Fatal(err)
	}
	return New(Closed, 0, 0, text, time.Now())
}

func TestWhatIsSaidTwiceOrTooEarlyIsHeardOnceAndInOrder(t *testing.T) {
	t.Parallel()
	talk := against(t, func(ctx context.Context, o other) {
		o.say(ctx, printed(0, "a"), printed(0, "a"), printed(2, "c"), printed(3, "d"), printed(1, "b"), printed(2, "c"), printed(4, "e"))
		o.say(ctx, closing(t, "\n\nIt has ended.\n"))
	})
	var out, said bytes.Buffer
	talk.Stdout, talk.Talk = &out, &said
	code, err := talk.Run(t.Context())
	if code != -1 || err != nil || out.String() != "abcde" || said.String() != "It has ended.\n" {
		t.Errorf("%d, %v, heard %q, said %q", code, err, out.String(), said.String())
	}
}

func TestTheEndOfWhatIsTypedEndsTheLineFirst(t *testing.T) {
	t.Parallel()
	for typing, want := range map[string]string{"": "\x04", "a\n": "a\n\x04", "a": "a\x04\x04"} {
		t.Run(typing, func(t *testing.T) {
			t.Parallel()
			got := make(chan string, 1)
			talk := against(t, func(ctx context.Context, o other) {
				o.say(ctx, handshake(t, 0, "SessionType"))
				if m := o.heard(ctx); m.Kind != HandshakeResponse {
					t.Errorf("answered %v", m)
				}
				o.say(ctx, New(Output, 1, HandshakeComplete, []byte("{}"), time.Now()))
				var text []byte
				for !bytes.HasSuffix(text, []byte(want)) {
					text = slices.Concat(text, o.heard(ctx).Payload)
				}
				got <- string(text)
				o.say(ctx, New(Output, 2, ExitCode, []byte("9"), time.Now()), closing(t, ""))
			})
			talk.Stdin, talk.Stdout = strings.NewReader(typing), &bytes.Buffer{}
			code, err := talk.Run(t.Context())
			if text := <-got; code != 9 || err != nil || text != want {
				t.Errorf("%d, %v, typed %q", code, err, text)
			}
		})
	}
}

func TestWhatIsNotAcknowledgedIsTypedAgain(t *testing.T) {
	t.Parallel()
	talk := against(t, func(ctx context.Context, o other) {
		o.say(ctx, handshake(t, 0, "SessionType"))
		var first, again Message
		for _, m := range []*Message{&first, &again} {
			_, text, err := o.conn.Read(ctx)
			for err == nil {
				if *m, err = Parse(text); m.Type == Input {
					break
				}
				_, text, err = o.conn.Read(ctx)
			}
			if err != nil {
				t.Error(err)
			}
		}
		if first.ID != again.ID || first.Sequence != again.Sequence {
			t.Errorf("said %v, then %v", first, again)
		}
		o.say(ctx, closing(t, ""))
	})
	talk.Stdout = &bytes.Buffer{}
	if _, err := talk.Run(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestASessionThatIsEncryptedWithAKeyIsRefusedWithWhatToDo(t *testing.T) {
	t.Parallel()
	talk := against(t, func(ctx context.Context, o other) {
		o.say(ctx, handshake(t, 0, encryption))
		if m := o.heard(ctx); !strings.Contains(string(m.Payload), `"ActionStatus":3`) {
			t.Errorf("answered %s", m.Payload)
		}
	})
	talk.Stdout = &bytes.Buffer{}
	_, err := talk.Run(t.Context())
	if fault.KindOf(err) != fault.Refused || !strings.Contains(fault.HintOf(err), "kmsKeyId") {
		t.Errorf("%v; %s", err, fault.HintOf(err))
	}
}

func TestTheTokenIsNotToldWhenASessionCannotBeOpened(t *testing.T) {
	t.Parallel()
	_, err := Talk{URL: "ws://127.0.0.1:1/session?cell-number=secret", Token: "token"}.Run(t.Context())
	if fault.KindOf(err) != fault.Unavailable || strings.Contains(err.Error(), "secret") {
		t.Error(err)
	}
}
