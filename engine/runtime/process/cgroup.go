//go:build linux

package process

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/slipway-cd/slipway/fault"
)

const mib = 1 << 20

// limiter makes groups of processes whose memory is limited: in the unified hierarchy, or in the memory controller's own
// where a machine still has that. A nil limiter limits nothing.
type limiter struct {
	base    string // the directory that groups are made in
	unified bool
}

// findLimiter finds out whether groups can be made here.
func findLimiter() *limiter {
	self, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return nil
	}
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return nil
	}
	for line := range strings.Lines(string(self)) {
		_, rest, _ := strings.Cut(strings.TrimSpace(line), ":")
		controllers, own, _ := strings.Cut(rest, ":")
		unified := controllers == ""
		if !unified && controllers != "memory" {
			continue
		}
		mount := hierarchy(string(mounts), unified)
		if mount == "" {
			continue
		}
		// In the unified hierarchy a group with processes of its own has no limited groups below it: ours are beside.
		// [cgroup-v2, "No Internal Process Constraint"]
		dir := filepath.Join(mount, own)
		if unified && own != "/" {
			dir = filepath.Dir(dir)
		}
		if l := (&limiter{base: dir, unified: unified}); l.works() {
			return l
		}
	}
	return nil
}

// hierarchy finds where the hierarchy is mounted. [proc_pid_mountinfo(5)]
func hierarchy(mounts string, unified bool) string {
	for line := range strings.Lines(mounts) {
		before, after, ok := strings.Cut(strings.TrimSpace(line), " - ")
		fields, kind := strings.Fields(before), strings.Fields(after)
		if !ok || len(fields) < 5 || len(kind) < 3 {
			continue
		}
		if unified && kind[0] == "cgroup2" {
			return fields[4]
		}
		if !unified && kind[0] == "cgroup" && strings.Contains(","+kind[2]+",", ",memory,") {
			return fields[4]
		}
	}
	return ""
}

func (l *limiter) dir(id string) string { return filepath.Join(l.base, "slipway-"+id) }

func (l *limiter) works() bool {
	id := fmt.Sprintf("probe-%d-%d", os.Getpid(), time.Now().UnixNano())
	dir, err := l.make(id, 64)
	if err != nil {
		return false
	}
	_ = os.Remove(l.dir(id))
	return dir != ""
}

// make makes a group with that much memory at most, and as much swap. It returns its directory, or "" for no limit.
func (l *limiter) make(id string, memory int) (string, error) {
	if l == nil || memory == 0 {
		return "", nil
	}
	dir := l.dir(id)
	if err := os.Mkdir(dir, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
		return "", fault.New(fault.Internal, "cannot limit its memory: %w", err)
	}
	limit, swap, bytes := "memory.max", "memory.swap.max", int64(memory)*mib
	allowed := bytes
	if !l.unified {
		limit, swap, allowed = "memory.limit_in_bytes", "memory.memsw.limit_in_bytes", 2*bytes
	}
	if err := os.WriteFile(filepath.Join(dir, limit), strconv.AppendInt(nil, bytes, 10), 0); err != nil {
		_ = os.Remove(dir)
		return "", fault.New(fault.Internal, "cannot limit its memory: %w", err)
	}
	_ = os.WriteFile(filepath.Join(dir, swap), strconv.AppendInt(nil, allowed, 10), 0) // not every kernel counts swap
	return dir, nil
}

// remove removes a group. Its last processes may take a moment to leave.
func (l *limiter) remove(ctx context.Context, id string) {
	if l == nil {
		return
	}
	for range 100 {
		if err := os.Remove(l.dir(id)); err == nil || errors.Is(err, fs.ErrNotExist) {
			return
		}
		select {
		case <-ctx.Done():
		case <-time.After(time.Millisecond):
		}
	}
}

// cgroup is a group, its files kept open: it is out of sight once the root directory is the program's. Nil is none.
type cgroup struct {
	mu             sync.Mutex
	inside, before *os.File // what to write to, to be in the group and in the one before
	events         *os.File
	kills          int // there were already when this life of the container began
}

func openCgroup(dir string) (*cgroup, error) {
	if dir == "" {
		return nil, nil
	}
	g := &cgroup{}
	var err error
	if g.inside, err = os.OpenFile(filepath.Join(dir, "cgroup.procs"), os.O_WRONLY, 0); err != nil {
		return nil, err
	}
	if g.before, err = os.OpenFile(ownProcs(dir), os.O_WRONLY, 0); err != nil {
		return nil, err
	}
	if g.events, err = os.Open(filepath.Join(dir, "memory.events")); err != nil {
		g.events, err = os.Open(filepath.Join(dir, "memory.oom_control"))
	}
	g.kills = g.oomKills()
	return g, err
}

// ownProcs finds the file of the supervisor's own group in the hierarchy that dir is in.
func ownProcs(dir string) string {
	self, _ := os.ReadFile("/proc/self/cgroup")
	mounts, _ := os.ReadFile("/proc/self/mountinfo")
	for line := range strings.Lines(string(self)) {
		_, rest, _ := strings.Cut(strings.TrimSpace(line), ":")
		controllers, own, _ := strings.Cut(rest, ":")
		if controllers != "" && controllers != "memory" {
			continue
		}
		if mount := hierarchy(string(mounts), controllers == ""); mount != "" && strings.HasPrefix(dir, mount+"/") {
			return filepath.Join(mount, own, "cgroup.procs")
		}
	}
	return filepath.Join(filepath.Dir(dir), "cgroup.procs")
}

// within runs a function that starts a process, which is born in the group. The supervisor itself is there only as long.
func (g *cgroup) within(start func() error) error {
	if g == nil {
		return start()
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if _, err := g.inside.WriteAt([]byte("0"), 0); err != nil {
		return fault.New(fault.Internal, "cannot limit its memory: %w", err)
	}
	defer func() { _, _ = g.before.WriteAt([]byte("0"), 0) }()
	return start()
}

// outOfMemory tells whether the kernel has killed a process of the group for its memory.
func (g *cgroup) outOfMemory() bool { return g != nil && g.oomKills() > g.kills }

func (g *cgroup) oomKills() int {
	if g.events == nil {
		return 0
	}
	buf := make([]byte, 4096)
	n, _ := g.events.ReadAt(buf, 0)
	for line := range strings.Lines(string(buf[:n])) {
		if count, ok := strings.CutPrefix(strings.TrimSpace(line), "oom_kill "); ok {
			kills, _ := strconv.Atoi(count)
			return kills
		}
	}
	return 0
}
