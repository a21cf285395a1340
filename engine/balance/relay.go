package balance

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// relay sends the answer, whose head has arrived, to the client as it comes, and frees the target's connection.
func (c *client) relay(at *wire, w *work) outcome {
	if w.strange {
		return c.relayOdd(at, w)
	}
	err := c.pass(at, w)
	c.rest()
	if err != nil {
		at.discard()
		return hangUp // the client sees that the answer is not whole
	}
	at.release(!w.reply.last)
	return goOn
}

// pass sends head and body of an ordinary answer.
func (c *client) pass(at *wire, w *work) error {
	r := &w.reply
	bare := r.bare(c.ask.method)
	inChunks := !bare && r.length < 0 && !r.chunked // until the target closes: told in chunks, so that the client's connection stays
	w.out = c.composeReply(w.out[:0], r, bare, inChunks)
	arrived := w.back[r.size:]
	switch {
	case bare:
		return c.passLength(at, w, arrived, 0)
	case r.chunked:
		return c.passChunks(at, w, arrived)
	case r.length >= 0:
		return c.passLength(at, w, arrived, r.length)
	default:
		return c.passAll(at, w, arrived)
	}
}

// composeReply makes the head of the answer for the client.
func (c *client) composeReply(out []byte, r *reply, bare, inChunks bool) []byte {
	out = append(append(append(out, "HTTP/1.1"...), r.first[8:]...), "\r\n"...)
	for _, h := range r.fields {
		switch len(h.name) {
		case 7:
			if bare && h.is("trailer") {
				continue
			}
		case 10:
			if h.is("connection") || h.is("keep-alive") {
				continue
			}
		case 14:
			if r.code == http.StatusNoContent && h.is("content-length") {
				continue
			}
		case 16:
			if h.is("proxy-connection") {
				continue
			}
		case 17:
			if bare && h.is("transfer-encoding") {
				continue
			}
		case 18:
			if h.is("proxy-authenticate") {
				continue
			}
		}
		out = appendField(out, h.name, h.value)
	}
	if !r.dated {
		out = append(time.Now().UTC().AppendFormat(append(out, "Date: "...), http.TimeFormat), "\r\n"...)
	}
	if inChunks {
		out = append(out, "Transfer-Encoding: chunked\r\n"...)
	}
	if c.ask.last || c.front.closing.Load() {
		out = append(out, "Connection: close\r\n"...)
	}
	return append(out, "\r\n"...)
}

// passLength sends a body of n bytes. More than those spoils the target's connection.
func (c *client) passLength(at *wire, w *work, arrived []byte, n int64) error {
	if int64(len(arrived)) > n {
		arrived, w.reply.last = arrived[:n], true
	}
	w.out = append(w.out, arrived...)
	if _, err := c.conn.Write(w.out); err != nil {
		return err
	}
	n -= int64(len(arrived))
	if n > int64(cap(w.back)) {
		w.widen()
	}
	for n > 0 {
		got, err := at.Read(w.back[:min(n, int64(cap(w.back)))])
		if got > 0 {
			n -= int64(got)
			if _, err := c.conn.Write(w.back[:got]); err != nil {
				return err
			}
		}
		if err != nil && n > 0 {
			return err
		}
	}
	return nil
}

// passChunks sends a body in chunks as it is.
func (c *client) passChunks(at *wire, w *work, arrived []byte) error {
	var body chunks
	n, err := body.follow(arrived)
	if err != nil {
		return err
	}
	w.reply.last = w.reply.last || n < len(arrived)
	if _, err := c.conn.Write(append(w.out, arrived[:n]...)); err != nil {
		return err
	}
	for body.at != atEnd {
		w.widen()
		got, err := at.Read(w.back[:cap(w.back)])
		if got == 0 {
			return err
		}
		if n, err = body.follow(w.back[:got]); err != nil {
			return err
		}
		w.reply.last = w.reply.last || n < got
		if _, err := c.conn.Write(w.back[:n]); err != nil {
			return err
		}
	}
	return nil
}

// passAll sends what comes until the target closes, in chunks.
func (c *client) passAll(at *wire, w *work, arrived []byte) error {
	w.reply.last = true
	w.out = appendChunk(w.out, arrived)
	for {
		if _, err := c.conn.Write(w.out); err != nil {
			return err
		}
		w.widen()
		got, err := at.Read(w.back[:cap(w.back)])
		w.out = appendChunk(w.out[:0], w.back[:got])
		if errors.Is(err, io.EOF) {
			_, err = c.conn.Write(append(w.out, "0\r\n\r\n"...))
			return err
		}
		if err != nil {
			return err
		}
	}
}

func appendChunk(out, data []byte) []byte {
	if len(data) == 0 {
		return out
	}
	out = append(strconv.AppendInt(out, int64(len(data)), 16), "\r\n"...)
	return append(append(out, data...), "\r\n"...)
}

// largeBuffer is what bodies are copied through.
const largeBuffer = 32 << 10

func (w *work) widen() {
	if cap(w.back) < largeBuffer {
		w.back = make([]byte, largeBuffer)
	}
}

// relayOdd has net/http make sense of an answer. The client's connection ends with it.
func (c *client) relayOdd(at *wire, w *work) outcome {
	defer at.discard()
	defer c.rest()
	in := bufio.NewReader(io.MultiReader(bytes.NewReader(bytes.Clone(w.back)), at))
	for {
		resp, err := http.ReadResponse(in, &http.Request{Method: string(c.ask.method)})
		if err != nil || resp.StatusCode == http.StatusSwitchingProtocols {
			c.rest()
			if err == nil {
				resp.Body.Close()
			}
			return c.refuse(http.StatusBadGateway, w)
		}
		if resp.StatusCode < http.StatusOK {
			resp.Body.Close()
			continue
		}
		defer resp.Body.Close()
		dropHops(resp.Header)
		resp.Close, resp.Proto, resp.ProtoMajor, resp.ProtoMinor = true, "HTTP/1.1", 1, 1
		if resp.ContentLength < 0 {
			resp.TransferEncoding = []string{"chunked"}
		}
		if resp.Header.Get("Date") == "" {
			resp.Header.Set("Date", time.Now().UTC().Format(http.TimeFormat))
		}
		_ = resp.Write(c.conn) // when it fails, the client sees that the answer is not whole
		return hangUp
	}
}

// dropHops removes the headers that concern one connection only. [RFC 9110, 7.6.1]
func dropHops(h http.Header) {
	for _, list := range h["Connection"] {
		for name := range strings.SplitSeq(list, ",") {
			h.Del(strings.TrimSpace(name))
		}
	}
	for _, name := range []string{"Connection", "Proxy-Connection", "Keep-Alive", "Proxy-Authenticate", "Te", "Trailer", "Transfer-Encoding", "Upgrade"} {
		h.Del(name)
	}
}
