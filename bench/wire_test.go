package bench

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// wire is one connection to an engine over which prepared requests are sent. It costs as little as can be, because it
// shares the processors with the engine that it measures.
type wire struct {
	conn net.Conn
	from *bufio.Reader
	body []byte // of the last answer; the next one overwrites it
}

func dial(ctx context.Context, address string) (*wire, error) {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	return &wire{conn: conn, from: bufio.NewReaderSize(conn, 64<<10)}, nil
}

// request is an operation of Amazon ECS as it goes over the wire.
func request(operation string, input any) []byte {
	body, err := json.Marshal(input)
	if err != nil {
		panic(err) // the inputs are constants of this package
	}
	return fmt.Appendf(nil, "POST / HTTP/1.1\r\nHost: ecs\r\nX-Amz-Target: AmazonEC2ContainerServiceV20141113.%s\r\n"+
		"Content-Type: application/x-amz-json-1.1\r\nContent-Length: %d\r\n\r\n%s", operation, len(body), body)
}

// do sends a request and returns the answer, which must be a good one.
func (w *wire) do(request []byte) ([]byte, error) {
	if _, err := w.conn.Write(request); err != nil {
		return nil, err
	}
	status, length, err := w.head()
	if err != nil {
		return nil, err
	}
	w.body = slices.Grow(w.body[:0], length)[:length]
	if _, err := io.ReadFull(w.from, w.body); err != nil {
		return nil, err
	}
	if status != "200" {
		return nil, fmt.Errorf("status %s: %s", status, w.body)
	}
	return w.body, nil
}

// head reads the head of an answer, whose length must be told.
func (w *wire) head() (status string, length int, err error) {
	length = -1
	for {
		line, err := w.from.ReadSlice('\n')
		if err != nil {
			return "", 0, err
		}
		line = bytes.TrimRight(line, "\r\n")
		switch name, value, _ := bytes.Cut(line, []byte(": ")); {
		case len(line) == 0 && length < 0:
			return "", 0, errors.New("the answer does not tell its length")
		case len(line) == 0:
			return status, length, nil
		case status == "":
			status = string(line[min(len("HTTP/1.1 "), len(line)):min(len("HTTP/1.1 200"), len(line))])
		case bytes.EqualFold(name, []byte("Content-Length")):
			if length, err = strconv.Atoi(string(value)); err != nil {
				return "", 0, err
			}
		}
	}
}

// send sends n requests, which number makes, over so many connections, and tells how long that took.
func send(ctx context.Context, address string, connections, n int, number func(int) []byte) (load, error) {
	var next atomic.Int64
	return over(ctx, address, connections, func(w *wire, l *load) error {
		for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
			if err := l.one(w, number(i)); err != nil {
				return fmt.Errorf("request %d: %w", i, err)
			}
		}
		return nil
	})
}

// burst sends requests as fast as answers come, for so long.
func burst(ctx context.Context, address string, connections int, during time.Duration, number func(int) []byte) (load, error) {
	var next atomic.Int64
	until := time.Now().Add(during)
	return over(ctx, address, connections, func(w *wire, l *load) error {
		for time.Now().Before(until) {
			if err := l.one(w, number(int(next.Add(1)))); err != nil {
				return err
			}
		}
		return nil
	})
}

// one sends a request and notes how long the answer took.
func (l *load) one(w *wire, request []byte) error {
	begun := time.Now()
	if _, err := w.do(request); err != nil {
		return err
	}
	l.answers++
	l.latency = append(l.latency, time.Since(begun))
	return nil
}

// over has something done over each of some connections, and adds up what came of it.
func over(ctx context.Context, address string, connections int, do func(*wire, *load) error) (load, error) {
	var all sync.WaitGroup
	results, errs := make([]load, connections), make([]error, connections)
	begun := time.Now()
	for i := range connections {
		all.Go(func() {
			w, err := dial(ctx, address)
			if err != nil {
				errs[i] = err
				return
			}
			defer w.conn.Close()
			errs[i] = do(w, &results[i])
		})
	}
	all.Wait()
	return sum(time.Since(begun), results), errors.Join(errs...)
}

func sum(took time.Duration, results []load) load {
	total := load{took: took}
	for _, r := range results {
		total.answers += r.answers
		total.latency = append(total.latency, r.latency...)
	}
	slices.Sort(total.latency)
	return total
}

// part returns the latency that this part of the answers did not exceed.
func (l load) part(of float64) time.Duration {
	return l.latency[min(int(of*float64(len(l.latency))), len(l.latency)-1)]
}
