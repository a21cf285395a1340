// Command hid-generator is the example service: it hands out human-friendly identifiers over HTTP.
//
// One source makes good and broken versions: what a version does is baked in by the linker (-X main.version=1.0.15.RELEASE,
// -X main.failHealth=503) or set by environment variables, see settings.
package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// Set by the linker. An environment variable wins over each.
var (
	version    = "dev" // VERSION
	failHealth = ""    // HID_FAIL_HEALTH
	crash      = ""    // HID_CRASH
	slowStart  = ""    // HID_SLOW_START
)

func main() { os.Exit(start()) }

// start runs the service until it is told to stop, and returns its exit code.
func start() int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	s, err := newSettings(os.Getenv)
	if err == nil {
		err = run(ctx, s)
	}
	if c, ok := errors.AsType[crashed](err); ok {
		return int(c)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "hid-generator:", err)
		return 1
	}
	return 0
}

// crashed is the exit code of a version that was made to crash.
type crashed int

// Error names the code.
func (c crashed) Error() string { return fmt.Sprintf("crashed with exit code %d", int(c)) }

// run serves until the context ends, and then until every request is answered.
func run(ctx context.Context, s settings) error {
	fmt.Fprintf(os.Stderr, "hid-generator %s: starting\n", s.version)
	if err := wait(ctx, s.slowStart); err != nil {
		return nil //nolint:nilerr // it was stopped before it had started: that is no failure
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", s.address)
	if err != nil {
		return fmt.Errorf("cannot listen: %w", err)
	}
	fmt.Fprintf(os.Stderr, "hid-generator %s: listening on %s\n", s.version, listener.Addr())
	if s.crash != 0 {
		return crashSoon(ctx, listener, s)
	}
	return serve(ctx, listener, s)
}

// crashSoon does what a program does that finds out too late that it cannot work.
func crashSoon(ctx context.Context, listener net.Listener, s settings) error {
	defer listener.Close()
	fmt.Fprintln(os.Stderr, "hid-generator: loading the list of words")
	_ = wait(ctx, s.crashAfter)
	fmt.Fprintln(os.Stderr, "hid-generator: panic: the list of words is empty")
	fmt.Fprintf(os.Stderr, "hid-generator: giving up with exit code %d\n", s.crash)
	return crashed(s.crash)
}

// serve answers requests. When the context ends it keeps serving for a while, because load balancers hear later than
// the process that it is to stop, asks clients to close their connections, and then waits for what is in flight.
func serve(ctx context.Context, listener net.Listener, s settings) error {
	leaving := make(chan struct{})
	server := &http.Server{Handler: newHandler(s, leaving), ReadHeaderTimeout: 10 * time.Second}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	select {
	case err := <-failed:
		return fmt.Errorf("cannot serve: %w", err)
	case <-ctx.Done():
	}
	close(leaving)
	fmt.Fprintf(os.Stderr, "hid-generator %s: stopping\n", s.version)
	_ = wait(context.WithoutCancel(ctx), s.linger)
	deadline, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.drain)
	defer cancel()
	if err := server.Shutdown(deadline); err != nil {
		return fmt.Errorf("requests were cut off: %w", err)
	}
	fmt.Fprintf(os.Stderr, "hid-generator %s: stopped, every request was answered\n", s.version)
	return nil
}

// wait waits for a duration, or until the context ends.
func wait(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
