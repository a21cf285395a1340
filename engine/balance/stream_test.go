package balance_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
)

func TestWebSocketsPassThrough(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	lb := w.serving("ws", w.addServer(echoWebSocket))
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	c, _, err := websocket.Dial(ctx, lb.url+"/ws", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.CloseNow() }()
	for _, text := range []string{"one", strings.Repeat("x", 30000)} {
		if err := c.Write(ctx, websocket.MessageText, []byte(text)); err != nil {
			t.Fatal(err)
		}
		if _, got, err := c.Read(ctx); err != nil || string(got) != text {
			t.Fatalf("got %d bytes, %v", len(got), err)
		}
	}
	if err := c.Close(websocket.StatusNormalClosure, "bye"); err != nil {
		t.Error(err)
	}
}

func echoWebSocket(rw http.ResponseWriter, r *http.Request) {
	if r.URL.Path != "/ws" {
		return
	}
	c, err := websocket.Accept(rw, r, nil)
	if err != nil {
		return
	}
	defer func() { _ = c.CloseNow() }()
	for {
		kind, message, err := c.Read(context.WithoutCancel(r.Context()))
		if err != nil || c.Write(context.WithoutCancel(r.Context()), kind, message) != nil {
			return
		}
	}
}

// What a target sends arrives when it is sent, not when its answer ends; and what a client sends, too.
func TestStreamsPassThroughAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	lb := w.serving("stream", w.addServer(func(rw http.ResponseWriter, r *http.Request) {
		rc := http.NewResponseController(rw)
		_ = rc.EnableFullDuplex()
		lines := bufio.NewScanner(r.Body)
		for lines.Scan() {
			fmt.Fprintln(rw, "heard", lines.Text())
			_ = rc.Flush()
		}
	}))
	send, body := net.Pipe()
	defer send.Close()
	req, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, lb.url, struct{ io.Reader }{body})
	answers := make(chan *http.Response)
	go func() {
		resp, err := w.client.Do(req)
		if err != nil {
			t.Error(err)
		}
		answers <- resp
	}()
	fmt.Fprintln(send, "first")
	resp := <-answers
	if resp == nil {
		return
	}
	defer resp.Body.Close()
	in := bufio.NewReader(resp.Body)
	for _, word := range []string{"first", "second", "third"} {
		if word != "first" {
			fmt.Fprintln(send, word)
		}
		if line, err := in.ReadString('\n'); line != "heard "+word+"\n" {
			t.Fatalf("got %q, %v", line, err)
		}
	}
}

// The same holds for an answer whose length is known beforehand.
func TestAnswersOfKnownLengthPassThroughAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	more := make(chan struct{})
	lb := w.serving("trickle", w.addServer(func(rw http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/trickle" {
			return
		}
		rw.Header().Set("Content-Length", "8")
		_, _ = io.WriteString(rw, "1234")
		_ = http.NewResponseController(rw).Flush()
		<-more
		_, _ = io.WriteString(rw, "5678")
	}))
	resp, err := w.client.Get(lb.url + "/trickle")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.ContentLength != 8 {
		t.Errorf("length %d", resp.ContentLength)
	}
	half := make([]byte, 4)
	if _, err := io.ReadFull(resp.Body, half); err != nil || string(half) != "1234" {
		t.Fatalf("%q, %v", half, err)
	}
	close(more)
	if rest, err := io.ReadAll(resp.Body); string(rest) != "5678" {
		t.Errorf("%q, %v", rest, err)
	}
}

func TestLargeBodiesArriveWhole(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	lb := w.serving("large", w.addServer(func(rw http.ResponseWriter, r *http.Request) {
		_ = http.NewResponseController(rw).EnableFullDuplex()
		_ = http.NewResponseController(rw).Flush() // or a short answer would have a length, and no trailer
		sum := sha256.New()
		_, _ = io.Copy(io.MultiWriter(rw, sum), r.Body)
		rw.Header().Set(http.TrailerPrefix+"Sum", hex.EncodeToString(sum.Sum(nil)))
	}))
	for _, size := range []int{1, 4096, 16 << 10, 16<<10 + 1, 1 << 20, 20 << 20} {
		content := make([]byte, size)
		_, _ = rand.NewChaCha8([32]byte{byte(size)}).Read(content)
		for _, known := range []bool{true, false} {
			body := io.Reader(bytes.NewReader(content))
			if !known {
				body = struct{ io.Reader }{body} // sent in chunks
			}
			resp, err := w.client.Post(lb.url, "application/octet-stream", body)
			if err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(resp.Body)
			resp.Body.Close()
			sum := sha256.Sum256(content)
			if err != nil || !bytes.Equal(got, content) || resp.Trailer.Get("Sum") != hex.EncodeToString(sum[:]) {
				t.Errorf("%d bytes, length known: %v: got %d bytes, trailer %q, %v", size, known, len(got), resp.Trailer.Get("Sum"), err)
			}
		}
	}
}

// A target may refuse a body without reading it; its answer still arrives.
func TestEarlyAnswersArrive(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	lb := w.serving("early", w.addServer(func(rw http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			rw.Header().Set("Connection", "close")
			rw.WriteHeader(http.StatusRequestEntityTooLarge)
		}
	}))
	resp, err := w.client.Post(lb.url, "text/plain", bytes.NewReader(make([]byte, 1<<20)))
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusRequestEntityTooLarge {
		t.Errorf("status %d", resp.StatusCode)
	}
}

// A client that sends byte by byte holds nobody up, and its request arrives whole.
func TestSlowClients(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	lb := w.serving("slow", w.addServer(func(rw http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		_, _ = rw.Write(body)
	}))
	conn, err := net.Dial("tcp", lb.address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	for _, b := range []byte("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\nhello") {
		if _, err := conn.Write([]byte{b}); err != nil {
			t.Fatal(err)
		}
		if b == '\n' { // meanwhile, others are served
			w.get(lb.url)
		}
	}
	in := bufio.NewReader(conn)
	for _, want := range []int{100, 200} {
		resp, err := http.ReadResponse(in, nil)
		if err != nil || resp.StatusCode != want {
			t.Fatalf("got %v, %v, want %d", resp, err, want)
		}
		if want == 200 {
			if body, _ := io.ReadAll(resp.Body); string(body) != "hello" {
				t.Errorf("got %q", body)
			}
		}
	}
}

// Interim answers, such as early hints, pass through; and a client that goes away is noticed by the target.
func TestEarlyHintsAndClientsThatLeave(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	left := make(chan struct{})
	lb := w.serving("hints", w.addServer(func(rw http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/wait" {
			return
		}
		rw.Header().Set("Link", "</a.css>; rel=preload")
		rw.WriteHeader(http.StatusEarlyHints)
		<-r.Context().Done()
		close(left)
	}))
	conn, err := net.Dial("tcp", lb.address)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(conn, "GET /wait HTTP/1.1\r\nHost: x\r\n\r\n")
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil || resp.StatusCode != http.StatusEarlyHints || resp.Header.Get("Link") == "" {
		t.Fatalf("%v, %v", resp, err)
	}
	conn.Close()
	select {
	case <-left:
	case <-time.After(patience):
		t.Error("the target was not told that the client left")
	}
}
