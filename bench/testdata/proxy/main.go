// Command proxy forwards requests to the addresses it is given, in turn, with what Go's standard library has for that:
// what the load balancer is measured against. It writes the address it listens on.
package main

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httputil"
	"os"
	"sync/atomic"
)

func main() {
	targets := os.Args[1:]
	var turn atomic.Uint64
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.Out.URL.Scheme = "http"
			r.Out.URL.Host = targets[turn.Add(1)%uint64(len(targets))]
			r.SetXForwarded()
		},
		Transport: &http.Transport{MaxIdleConnsPerHost: 1024},
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	fmt.Println(listener.Addr())
	panic(http.Serve(listener, proxy))
}
