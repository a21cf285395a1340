//go:build linux

package process

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/slipway-cd/slipway/fault"
)

// grant is what the kernel grants: a level, and whether it takes a user namespace to get it.
type grant struct {
	Level Isolation
	User  bool
}

// candidates are tried in this order.
func candidates(most Isolation) []grant {
	var all []grant
	for _, level := range []Isolation{Network, Host} {
		if most == Host && level == Network {
			continue
		}
		if os.Geteuid() == 0 {
			all = append(all, grant{Level: level})
		}
		all = append(all, grant{Level: level, User: true})
	}
	if most == Bare {
		all = nil
	}
	return append(all, grant{Level: Bare})
}

// probe tries in tmp what a supervisor does, in a supervisor's stead, and returns the best that works.
func probe(tmp string, most Isolation) (grant, error) {
	for _, g := range candidates(most) {
		dir, err := os.MkdirTemp(tmp, "probe-")
		if err != nil {
			return grant{}, err
		}
		if err := os.Mkdir(filepath.Join(dir, "lower"), 0o755); err != nil {
			return grant{}, err
		}
		cmd := reexec("probe", dir)
		cmd.SysProcAttr = g.attributes(g.Level == Network)
		cmd.Env = append(cmd.Env, levelVariable+"="+string(g.Level))
		out, err := cmd.Output()
		if err == nil && string(out) == probed {
			return g, nil
		}
		if g.Level == Bare {
			return grant{}, fault.New(fault.Internal, "the program cannot supervise itself: does it call process.Shim first of all? %w", err)
		}
	}
	return grant{}, nil // not reached: Bare is the last candidate
}

// reexec is this program once more, as a supervisor.
func reexec(mode, dir string) *exec.Cmd {
	cmd := exec.Command("/proc/self/exe") //nolint:noctx // a supervisor outlives whoever starts it
	cmd.Args = []string{"slipway-" + mode}
	cmd.Dir = dir
	cmd.Env = []string{shimVariable + "=" + mode}
	for _, setting := range os.Environ() {
		if strings.HasPrefix(setting, "GO") { // GODEBUG, GOTRACEBACK and so on: settings of Go's own
			cmd.Env = append(cmd.Env, setting)
		}
	}
	return cmd
}

// attributes are the namespaces that the supervisor starts in.
func (g grant) attributes(network bool) *syscall.SysProcAttr {
	attr := &syscall.SysProcAttr{Setsid: true}
	if g.Level == Bare {
		return attr
	}
	attr.Cloneflags = syscall.CLONE_NEWPID | syscall.CLONE_NEWNS | syscall.CLONE_NEWUTS | syscall.CLONE_NEWIPC
	if network {
		attr.Cloneflags |= syscall.CLONE_NEWNET
	}
	if g.User {
		attr.Cloneflags |= syscall.CLONE_NEWUSER
		attr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Geteuid(), Size: 1}}
		attr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getegid(), Size: 1}}
	}
	return attr
}

// keeping are the namespaces of a supervisor that keeps a network for others: none but what they share.
func (g grant) keeping() *syscall.SysProcAttr {
	attr := g.attributes(true)
	attr.Cloneflags &^= joined
	return attr
}

// joined are the namespaces that a container has for itself although it shares another's network.
const joined = syscall.CLONE_NEWPID | syscall.CLONE_NEWNS | syscall.CLONE_NEWUTS | syscall.CLONE_NEWIPC
