package registry

import (
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// schemes sends requests to loopback hosts over HTTP and all others over HTTPS, whatever their URL says: credentials and
// images must never cross a network in the clear because a registry's redirect, or a private address, suggests it.
type schemes struct{ next http.RoundTripper }

// RoundTrip sends the request with the scheme that its host demands.
func (s schemes) RoundTrip(req *http.Request) (*http.Response, error) {
	scheme := "https"
	if isLoopback(req.URL.Host) {
		scheme = "http"
	}
	if req.URL.Scheme != scheme {
		req = req.Clone(req.Context())
		req.URL.Scheme = scheme
	}
	return s.next.RoundTrip(req)
}

// isLoopback tells whether a host, with or without a port, is localhost, in 127.0.0.0/8, or ::1.
func isLoopback(host string) bool {
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	if host == "localhost" {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.Unmap().IsLoopback()
}
