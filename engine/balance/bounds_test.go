package balance_test

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	v2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/slipway-cd/slipway/engine/balance"
)

// inMemory is a listener for connections in memory: over the network, an answer that comes early might get lost.
type inMemory struct {
	conns chan net.Conn
	ended chan struct{}
}

// Accept returns the next connection.
func (l inMemory) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.ended:
		return nil, net.ErrClosed
	}
}

// Close has Accept end.
func (l inMemory) Close() error {
	select {
	case <-l.ended:
	default:
		close(l.ended)
	}
	return nil
}

// Addr is none that anybody could connect to.
func (l inMemory) Addr() net.Addr { return &net.TCPAddr{} }

// Nobody can make a load balancer read a head without an end. [Quotas for your Application Load Balancers: 64 KB for all headers]
func TestAHeadIsReadUpToABound(t *testing.T) {
	t.Parallel()
	at := inMemory{make(chan net.Conn), make(chan struct{})}
	w := newWorld(t, func(o *balance.Options) {
		o.Listen = func(netip.AddrPort) (net.Listener, error) { return at, nil }
	})
	w.addApplication(v2.ProtocolEnumHttp, []v2.Action{{
		Type: v2.ActionTypeEnumFixedResponse, FixedResponseConfig: &v2.FixedResponseActionConfig{StatusCode: aws.String("200")},
	}})
	for name, tc := range map[string]struct {
		head   string
		status int
	}{
		"an ordinary one":         {"X: y\r\n", 200},
		"a long one":              {strings.Repeat("X: "+strings.Repeat("y", 1000)+"\r\n", 50), 200},
		"one line without end":    {"X: " + strings.Repeat("y", 1<<20), 431},
		"lines without end":       {strings.Repeat("X: y\r\n", 1<<18), 431},
		"a target without an end": {"", 431},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ours, theirs := net.Pipe()
			defer ours.Close()
			at.conns <- theirs
			first := "GET / HTTP/1.1\r\nHost: x\r\n"
			if tc.head == "" {
				first = "GET /" + strings.Repeat("x", 1<<20)
			}
			go func() { _, _ = io.WriteString(ours, first+tc.head+"Connection: close\r\n\r\n") }() // ends with the connection
			answer, err := http.ReadResponse(bufio.NewReader(ours), nil)
			if err != nil {
				t.Fatal(err)
			}
			answer.Body.Close()
			if answer.StatusCode != tc.status {
				t.Errorf("got %s, want %d", answer.Status, tc.status)
			}
		})
	}
}
