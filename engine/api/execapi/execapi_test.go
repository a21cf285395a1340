package execapi

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/slipway-cd/slipway/datachannel"
	"github.com/slipway-cd/slipway/engine/runtime"
	"github.com/slipway-cd/slipway/fault"
)

const task = "0123456789abcdef0123456789abcdef"

// serve opens a session for a command and returns what a client needs to begin it.
func serve(t *testing.T, command string, run Attach) datachannel.Talk {
	t.Helper()
	s := New(run, nil)
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	id, token, err := s.Open(task, "app", command)
	if err != nil {
		t.Fatal(err)
	}
	return datachannel.Talk{URL: "ws" + strings.TrimPrefix(server.URL, "http") + Path + id + "?role=publish_subscribe", Token: token}
}

// echo is a command that prints its words, its terminal's size, and what is typed, until Ctrl-D.
func echo(_ context.Context, name runtime.Name, s runtime.Session) (int, error) {
	size := <-s.Resize
	fmt.Fprintf(s.Stdout, "%s %q %d x %d\n", name, s.Argv, size.Columns, size.Rows)
	var typed bytes.Buffer
	buf := make([]byte, 100)
	for {
		n, err := s.Stdin.Read(buf)
		text, end, found := bytes.Cut(buf[:n], []byte{4})
		typed.Write(text)
		if found {
			fmt.Fprintf(s.Stdout, "typed %s, then %q", typed.String(), end)
			return 7, nil
		}
		if err != nil {
			return 0, err
		}
	}
}

func TestASessionGoesThroughTheChannel(t *testing.T) {
	t.Parallel()
	talk := serve(t, `/bin/sh -c "ls -la"`, echo)
	sizes := make(chan datachannel.TerminalSize, 1)
	sizes <- datachannel.TerminalSize{Columns: 120, Rows: 40}
	var out bytes.Buffer
	long := strings.Repeat("0123456789", 1000)
	talk.Stdin, talk.Stdout, talk.Resize = strings.NewReader(long), &out, sizes
	code, err := talk.Run(t.Context())
	want := task + `-app ["/bin/sh" "-c" "ls -la"] 120 x 40` + "\ntyped " + long + `, then ""`
	if code != 7 || err != nil || out.String() != want {
		t.Errorf("%d, %v, %q", code, err, out.String())
	}
}

func TestOtherClientsAreNotToldAnExitCodeThatTheyWouldPrint(t *testing.T) {
	t.Parallel()
	talk := serve(t, "x", func(_ context.Context, _ runtime.Name, s runtime.Session) (int, error) {
		fmt.Fprint(s.Stdout, "all")
		return 3, nil
	})
	var out bytes.Buffer
	talk.Stdout, talk.Agent = &out, "session-manager-plugin"
	if code, err := talk.Run(t.Context()); code != -1 || err != nil || out.String() != "all" {
		t.Errorf("%d, %v, %q", code, err, out.String())
	}
}

func TestASessionIsBegunOnceAndOnlyWithItsToken(t *testing.T) {
	t.Parallel()
	talk := serve(t, "x", func(context.Context, runtime.Name, runtime.Session) (int, error) { return 0, nil })
	talk.Stdout = io.Discard
	stranger := talk
	stranger.Token = "guessed"
	if _, err := stranger.Run(t.Context()); fault.KindOf(err) != fault.Unavailable {
		t.Error(err)
	}
	if code, err := talk.Run(t.Context()); code != 0 || err != nil {
		t.Error(code, err)
	}
	if _, err := talk.Run(t.Context()); fault.KindOf(err) != fault.Unavailable {
		t.Error(err)
	}
}

func TestACommandEndsWhenItsClientGoes(t *testing.T) {
	t.Parallel()
	begun, ended := make(chan struct{}), make(chan error, 1)
	talk := serve(t, "x", func(ctx context.Context, _ runtime.Name, _ runtime.Session) (int, error) {
		close(begun)
		<-ctx.Done()
		ended <- ctx.Err()
		return 0, ctx.Err()
	})
	ctx, cancel := context.WithCancel(t.Context())
	talk.Stdout = io.Discard
	go func() {
		<-begun
		cancel()
	}()
	if _, err := talk.Run(ctx); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if err := <-ended; err == nil {
		t.Error("it went on")
	}
}

// A client may take no notice of what it is told before it is ready: it doesn't acknowledge it, and expects it again.
func TestWhatIsNotAcknowledgedIsSaidAgain(t *testing.T) {
	t.Parallel()
	talk := serve(t, "x", func(_ context.Context, _ runtime.Name, s runtime.Session) (int, error) {
		fmt.Fprint(s.Stdout, "hello")
		return 0, nil
	})
	conn, _, err := websocket.Dial(t.Context(), talk.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.CloseNow() }()
	send := func(kind websocket.MessageType, b []byte) {
		if err := conn.Write(t.Context(), kind, b); err != nil {
			t.Fatal(err)
		}
	}
	send(websocket.MessageText, []byte(`{"TokenValue":"`+talk.Token+`"}`))
	heard := map[string]int{}
	for {
		_, b, err := conn.Read(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		m, err := datachannel.Parse(b)
		if err != nil {
			t.Fatal(err)
		}
		if m.Type == datachannel.Closed {
			break
		}
		if m.Type != datachannel.Output {
			continue
		}
		heard[string(m.Payload)]++
		if m.Kind == datachannel.HandshakeRequest {
			response := datachannel.New(datachannel.Input, 0, datachannel.HandshakeResponse, []byte("{}"), time.Now())
			send(websocket.MessageBinary, response.Bytes())
			send(websocket.MessageBinary, response.Bytes()) // and so is what a client isn't acknowledged
		}
		if heard["hello"] != 1 {
			send(websocket.MessageBinary, m.Acknowledgement(time.Now()).Bytes())
		}
	}
	if heard["hello"] < 2 {
		t.Errorf("%v", heard)
	}
}

func TestCommandsAreSplitIntoWords(t *testing.T) {
	t.Parallel()
	for command, want := range map[string]string{
		`/bin/sh`: `["/bin/sh"]`, ` a  b	c `: `["a" "b" "c"]`, `sh -c 'a "b" \c'`: `["sh" "-c" "a \"b\" \\c"]`,
		`"a \"b\" \x" c\ d ''`: `["a \"b\" \\x" "c d" ""]`, `'a`: "", `"a`: "", `a\`: "", ``: "", `  `: "",
	} {
		got, err := words(command)
		if want == "" && fault.KindOf(err) != fault.Invalid || want != "" && fmt.Sprintf("%q", got) != want {
			t.Errorf("%s: %q, %v", command, got, err)
		}
	}
}

func TestSessionsThatNobodyBeginsAreForgotten(t *testing.T) {
	t.Parallel()
	s := New(nil, nil)
	id, token, err := s.Open(task, "app", "x")
	if err != nil {
		t.Fatal(err)
	}
	s.waiting[id].expires = time.Now().Add(-time.Second)
	var group sync.WaitGroup
	for range 2 {
		group.Go(func() {
			if s.take(id, token) != nil {
				t.Error("it is still there")
			}
		})
	}
	group.Wait()
	if _, _, err := s.Open(task, "app", "y"); err != nil || len(s.waiting) != 1 {
		t.Error(len(s.waiting), err)
	}
}
