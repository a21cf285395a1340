package bench

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"
)

// load is what came of asking as fast as answers came, over a number of connections that are kept open.
type load struct {
	answers int
	took    time.Duration
	latency []time.Duration // of every answer, sorted
}

func (l load) rate() float64 { return float64(l.answers) / l.took.Seconds() }

func (l load) half() time.Duration { return l.latency[len(l.latency)/2] }

// press asks for / over so many connections, spread over the addresses, for so long. The client is as simple as can be,
// so that little of the machine is spent on it: each connection sends the same bytes again when an answer has come.
func press(ctx context.Context, addresses []string, connections int, during time.Duration) (load, error) {
	var all sync.WaitGroup
	results, errs := make([]load, connections), make([]error, connections)
	begun := time.Now()
	for i := range connections {
		all.Go(func() { results[i], errs[i] = ask(ctx, addresses[i%len(addresses)], begun.Add(during)) })
	}
	all.Wait()
	sum := load{took: time.Since(begun)}
	for i, r := range results {
		if errs[i] != nil {
			return sum, errs[i]
		}
		sum.answers += r.answers
		sum.latency = append(sum.latency, r.latency...)
	}
	slices.Sort(sum.latency)
	return sum, nil
}

// ask asks over one connection.
func ask(ctx context.Context, address string, until time.Time) (load, error) {
	var l load
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", address)
	if err != nil {
		return l, err
	}
	defer conn.Close()
	request := []byte("GET / HTTP/1.1\r\nHost: " + address + "\r\nUser-Agent: bench\r\n\r\n")
	answers := bufio.NewReader(conn)
	for begun := time.Now(); begun.Before(until); begun = time.Now() {
		if _, err := conn.Write(request); err != nil {
			return l, err
		}
		if err := answer(answers); err != nil {
			return l, fmt.Errorf("answer %d of %s: %w", l.answers+1, address, err)
		}
		l.answers++
		l.latency = append(l.latency, time.Since(begun))
	}
	return l, nil
}

func answer(from *bufio.Reader) error {
	resp, err := http.ReadResponse(from, nil)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("status %s", resp.Status)
	}
	return nil
}
