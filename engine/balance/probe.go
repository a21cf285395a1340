package balance

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strconv"

	v2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/slipway-cd/slipway/engine/state"
)

// Probe checks a target once. The context ends when the check has taken too long.
type Probe func(context.Context, *state.Target, Check) Outcome

var (
	outcomeFailed  = Outcome{v2.TargetHealthReasonEnumFailedHealthChecks, textFailed}
	outcomeTimeout = Outcome{v2.TargetHealthReasonEnumTimeout, textTimeout}
)

// Dial is the Probe that asks the target itself: it connects, over TLS if so, sends a request if so, and judges the status.
// Certificates are not verified, and redirects not followed. [Application Load Balancers: Health checks for target groups]
func Dial(ctx context.Context, t *state.Target, c Check) Outcome {
	ctx, cancel := context.WithTimeout(ctx, c.Timeout)
	defer cancel()
	var err error
	var code int
	if c.Protocol.raw() {
		err = connectOnce(ctx, checkAddress(t, c), c.Protocol)
	} else {
		code, err = askOnce(ctx, checkAddress(t, c), c)
	}
	if err != nil && errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return outcomeTimeout
	}
	return c.Judge(code, err)
}

// Judge tells what an answer means: its status, or the error in place of one. Connecting is all that TCP and TLS ask for.
func (c Check) Judge(code int, err error) Outcome {
	switch {
	case err != nil:
		return outcomeFailed
	case c.Protocol.raw():
		return Outcome{}
	}
	if set, err := parseCodes(c.Codes); err == nil && set.has(code) {
		return Outcome{}
	}
	return Outcome{v2.TargetHealthReasonEnumResponseCodeMismatch, fmt.Sprintf(textCodes, code)}
}

// checkAddress is where the target is checked. The port that it was registered with stands for where it really listens.
func checkAddress(t *state.Target, c Check) netip.AddrPort {
	if c.Port == 0 || c.Port == t.Port {
		return t.Address
	}
	return netip.AddrPortFrom(t.Address.Addr(), uint16(c.Port))
}

func connectOnce(ctx context.Context, at netip.AddrPort, p Protocol) error {
	conn, err := dialOnce(ctx, at, p)
	if err != nil {
		return err
	}
	return conn.Close()
}

func dialOnce(ctx context.Context, at netip.AddrPort, p Protocol) (net.Conn, error) {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", at.String())
	if err != nil || !p.encrypted() {
		return conn, err
	}
	secure := tls.Client(conn, unverified)
	if err := secure.HandshakeContext(ctx); err != nil {
		conn.Close()
		return nil, err
	}
	return secure, nil
}

var unverified = &tls.Config{InsecureSkipVerify: true} // load balancers don't verify the certificates of targets

// askOnce returns the status that a target answers with: of HTTP, or of gRPC.
func askOnce(ctx context.Context, at netip.AddrPort, c Check) (int, error) {
	req, err := checkRequest(ctx, at, c)
	if err != nil {
		return 0, err
	}
	if c.Version == "HTTP1" {
		return askHTTP1(ctx, at, c, req)
	}
	transport := newTransport()
	defer transport.CloseIdleConnections()
	resp, err := transport.RoundTrip(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	if c.Version != "GRPC" {
		return resp.StatusCode, nil
	}
	if _, err := io.Copy(io.Discard, io.LimitReader(resp.Body, 1<<20)); err != nil {
		return 0, err
	}
	status := resp.Trailer.Get("Grpc-Status")
	if status == "" {
		status = resp.Header.Get("Grpc-Status") // an answer of headers only
	}
	return strconv.Atoi(status)
}

// askHTTP1 asks over a connection that is closed afterwards, as load balancers do.
func askHTTP1(ctx context.Context, at netip.AddrPort, c Check, req *http.Request) (int, error) {
	conn, err := dialOnce(ctx, at, c.Protocol)
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	req.Close = true
	if err := req.Write(conn); err != nil {
		return 0, err
	}
	resp, err := http.ReadResponse(bufio.NewReader(io.LimitReader(conn, 1<<20)), req) //nolint:bodyclose // the connection is closed, which is all there is behind it
	if err != nil {
		return 0, err
	}
	return resp.StatusCode, nil // the body may never end
}

func checkRequest(ctx context.Context, at netip.AddrPort, c Check) (*http.Request, error) {
	scheme := "http://"
	if c.Protocol.encrypted() {
		scheme = "https://"
	}
	method, body := http.MethodGet, io.Reader(nil)
	if c.Version == "GRPC" {
		method, body = http.MethodPost, bytes.NewReader(make([]byte, 5)) // one empty message
	}
	req, err := http.NewRequestWithContext(ctx, method, scheme+at.String()+c.Path, body)
	if err != nil {
		return nil, err
	}
	req.Header.Set("User-Agent", c.Agent)
	if c.Version == "GRPC" {
		req.Header.Set("Content-Type", "application/grpc")
		req.Header.Set("Te", "trailers")
	}
	return req, nil
}

// newTransport returns a transport that speaks HTTP/2, over TLS or not, and nothing else.
func newTransport() *http.Transport {
	t := &http.Transport{TLSClientConfig: unverified.Clone(), DisableCompression: true, Protocols: new(http.Protocols)}
	t.Protocols.SetHTTP2(true)
	t.Protocols.SetUnencryptedHTTP2(true)
	return t
}
