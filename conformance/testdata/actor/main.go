// Actor is a program that does what a script of the scripted runtime says, in a real container.
package main

import (
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"

	"github.com/slipway-cd/slipway/engine/runtime/scripted"
)

const started = "/started"

func main() {
	script, err := scripted.Parse(os.Getenv("SCRIPT"))
	if err != nil {
		panic(err)
	}
	speed, err := strconv.ParseFloat(os.Getenv("SPEED"), 64)
	if err != nil {
		panic(err)
	}
	a := actor{script, speed}
	if len(os.Args) > 1 {
		os.Exit(a.check())
	}
	if err := os.WriteFile(started, []byte(strconv.FormatInt(time.Now().UnixNano(), 10)), 0o600); err != nil {
		panic(err)
	}
	os.Exit(a.play())
}

type actor struct {
	*scripted.Script
	speed float64
}

func (a actor) real(d time.Duration) time.Duration { return time.Duration(float64(d) / a.speed) }

// play runs until the script ends or somebody stops it, and returns the exit code.
func (a actor) play() int {
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM)
	if a.StopIgnored {
		signal.Ignore(syscall.SIGTERM)
	}
	var end <-chan time.Time
	if a.Ends {
		end = time.After(a.real(a.Run))
	}
	if end == nil && a.StopIgnored {
		select {} // until it is killed
	}
	select {
	case <-end:
		return a.ExitCode
	case <-stop:
		time.Sleep(a.real(a.StopTakes))
		return a.StopCode
	}
}

// check is the health check: 0 when the script says so.
func (a actor) check() int {
	text, err := os.ReadFile(started)
	if err != nil {
		return 1
	}
	since, err := strconv.ParseInt(string(text), 10, 64)
	if err != nil {
		return 1
	}
	age, healthy := time.Duration(float64(time.Since(time.Unix(0, since)))*a.speed), len(a.Health) == 0 || !a.Health[0].Healthy
	for _, turn := range a.Health {
		if turn.After <= age {
			healthy = turn.Healthy
		}
	}
	if healthy {
		return 0
	}
	return 1
}
