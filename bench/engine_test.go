package bench

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/slipway-cd/slipway/app"
)

// process is an engine in a process of its own, started as users start it.
type process struct {
	endpoint string
	cmd      *exec.Cmd
	up       time.Duration // from its start until it answered
}

// serve starts an engine and waits until it answers.
func (h *house) serve(ctx context.Context, dir string, flags ...string) (*process, error) {
	cmd := exec.Command(h.slipway, append([]string{"engine", "start", "--listen", "127.0.0.1:0", "--data", dir}, flags...)...)
	cmd.Env = quiet(dir)
	var talk bytes.Buffer
	cmd.Stderr = &talk
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	begun := time.Now()
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	p := &process{endpoint: strings.TrimSpace(line), cmd: cmd}
	if err == nil {
		_, err = p.status(ctx)
	}
	p.up = time.Since(begun)
	if err != nil {
		p.kill()
		return nil, fmt.Errorf("the engine did not start: %w: %s", err, &talk)
	}
	return p, nil
}

func (p *process) address() string { return strings.TrimPrefix(p.endpoint, "http://") }

// status asks the engine what it has.
func (p *process) status(ctx context.Context) (s app.EngineStatus, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, p.endpoint+app.StatusPath, http.NoBody)
	if err != nil {
		return s, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return s, err
	}
	defer resp.Body.Close()
	return s, json.NewDecoder(resp.Body).Decode(&s)
}

// kill ends the engine as kill -9 does.
func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	_ = p.cmd.Wait() // its exit code says that it was killed
}

// leave ends the engine when the benchmark does.
func (p *process) leave(b *testing.B) *process {
	b.Helper()
	b.Cleanup(p.kill)
	return p
}

// stop ends the engine as Ctrl-C does, and waits for that.
func (p *process) stop() error {
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	return p.cmd.Wait()
}

// cpu returns the processor time that the engine has used so far. [proc(5), /proc/pid/stat: utime, stime]
func (p *process) cpu() (time.Duration, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	_, rest, ok := strings.Cut(string(text), ") ") // the name before may have blanks in it
	fields := strings.Fields(rest)
	if !ok || len(fields) < 13 {
		return 0, fmt.Errorf("cannot read %q", text)
	}
	var ticks int64
	for _, field := range fields[11:13] {
		n, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return 0, err
		}
		ticks += n
	}
	const tick = int64(10 * time.Millisecond) // on Linux, whatever the machine
	return time.Duration(ticks * tick), nil
}

// memory returns the bytes of memory that the engine has now, and the most that it had. [proc(5), /proc/pid/status]
func (p *process) memory() (now, most int64, err error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		return 0, 0, err
	}
	for line := range strings.Lines(string(text)) {
		name, value, _ := strings.Cut(line, ":")
		into := map[string]*int64{"VmRSS": &now, "VmHWM": &most}[name]
		if into == nil {
			continue
		}
		if *into, err = strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 10, 64); err != nil {
			return 0, 0, err
		}
		*into <<= 10
	}
	return now, most, nil
}
