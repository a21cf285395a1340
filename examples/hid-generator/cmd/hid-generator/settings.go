package main

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"strconv"
	"time"
)

// settings are what a version does.
type settings struct {
	version    string        // VERSION
	address    string        // HOST and PORT; default: every address, port 8080
	failHealth int           // HID_FAIL_HEALTH: the HTTP status that /healthz answers; 0: it answers 200
	crash      int           // HID_CRASH: the exit code with which the program ends after its start; 0: it doesn't
	crashAfter time.Duration // HID_CRASH_AFTER; default: 300ms
	slowStart  time.Duration // HID_SLOW_START: how long it takes until the program listens
	linger     time.Duration // HID_LINGER: how long it keeps serving after SIGTERM; default: 1s
	drain      time.Duration // HID_DRAIN: how long it then waits for requests in flight; default: 20s
}

func newSettings(getenv func(string) string) (settings, error) {
	var errs []error
	number := func(name, otherwise string) int {
		text := cmp.Or(getenv(name), otherwise, "0")
		n, err := strconv.Atoi(text)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %q is not a number", name, text))
		}
		return n
	}
	duration := func(name, otherwise string) time.Duration {
		text := cmp.Or(getenv(name), otherwise, "0s")
		d, err := time.ParseDuration(text)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %q is not a duration", name, text))
		}
		return d
	}
	s := settings{
		version:    cmp.Or(getenv("VERSION"), version),
		address:    net.JoinHostPort(getenv("HOST"), cmp.Or(getenv("PORT"), "8080")),
		failHealth: number("HID_FAIL_HEALTH", failHealth),
		crash:      number("HID_CRASH", crash),
		crashAfter: duration("HID_CRASH_AFTER", "300ms"),
		slowStart:  duration("HID_SLOW_START", slowStart),
		linger:     duration("HID_LINGER", "1s"),
		drain:      duration("HID_DRAIN", "20s"),
	}
	if s.failHealth != 0 && (s.failHealth < 200 || s.failHealth > 599) {
		errs = append(errs, fmt.Errorf("HID_FAIL_HEALTH: %d is not an HTTP status from 200 to 599", s.failHealth))
	}
	return s, errors.Join(errs...)
}
