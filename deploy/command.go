package deploy

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/slipway-cd/slipway/rollout"
)

// Limits of a command: how long it may take where the check doesn't say, how long it may go on after it was told to end, and
// how much of what it writes is kept.
const (
	commandTime  = time.Minute
	commandGrace = 2 * time.Second
	commandSize  = 64 << 10
)

// command runs a check's command. It passes with exit code 0.
func command(ctx context.Context, dir string, environ []string, check rollout.Check) (text string, passed bool) {
	if check.Timeout <= 0 {
		check.Timeout = commandTime
	}
	ctx, cancel := context.WithTimeout(ctx, check.Timeout)
	defer cancel()
	c := exec.CommandContext(ctx, check.Command[0], check.Command[1:]...)
	out := &tail{limit: commandSize}
	c.Dir, c.Env, c.Stdout, c.Stderr, c.WaitDelay = dir, append(os.Environ(), environ...), out, out, commandGrace
	c.Cancel = func() error { return c.Process.Signal(os.Interrupt) }
	err := c.Run()
	exit, failed := errors.AsType[*exec.ExitError](err)
	switch {
	case err == nil:
		return "succeeded", true
	case ctx.Err() != nil && errors.Is(ctx.Err(), context.DeadlineExceeded):
		text = fmt.Sprintf("did not end within %s", check.Timeout)
	case failed:
		text = "failed: " + exit.String()
	default:
		return err.Error(), false
	}
	if last := out.last(); last != "" {
		text += ": " + last
	}
	return text, false
}

// tail keeps the end of what is written to it.
type tail struct {
	limit int
	kept  []byte
}

func (t *tail) Write(p []byte) (int, error) {
	t.kept = append(t.kept, p...)
	if over := len(t.kept) - t.limit; over > 0 {
		t.kept = append(t.kept[:0], t.kept[over:]...)
	}
	return len(p), nil
}

// last returns the last line that says something.
func (t *tail) last() string {
	lines := bytes.Split(bytes.TrimSpace(t.kept), []byte("\n"))
	return strings.ToValidUTF8(strings.TrimSpace(string(lines[len(lines)-1])), "")
}
