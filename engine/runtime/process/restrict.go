//go:build linux

package process

import (
	"syscall"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"golang.org/x/sys/unix"
)

// restrict puts the thread that starts the program under its limits, and returns what puts the supervisor back.
func (p program) restrict() func() {
	if p.kept != nil {
		keepCapabilities(p.kept)
	}
	type saved struct {
		resource int
		limit    syscall.Rlimit
	}
	var before []saved
	for _, u := range p.limits {
		resource, known := resources[u.Name]
		var old syscall.Rlimit
		if !known || syscall.Getrlimit(resource, &old) != nil {
			continue
		}
		if syscall.Setrlimit(resource, &syscall.Rlimit{Cur: uint64(u.SoftLimit), Max: uint64(u.HardLimit)}) == nil {
			before = append(before, saved{resource, old})
		}
	}
	return func() {
		for _, b := range before {
			_ = syscall.Setrlimit(b.resource, &b.limit)
		}
	}
}

var resources = map[types.UlimitName]int{
	types.UlimitNameCore: unix.RLIMIT_CORE, types.UlimitNameCpu: unix.RLIMIT_CPU, types.UlimitNameData: unix.RLIMIT_DATA,
	types.UlimitNameFsize: unix.RLIMIT_FSIZE, types.UlimitNameLocks: unix.RLIMIT_LOCKS, types.UlimitNameMemlock: unix.RLIMIT_MEMLOCK,
	types.UlimitNameMsgqueue: unix.RLIMIT_MSGQUEUE, types.UlimitNameNice: unix.RLIMIT_NICE, types.UlimitNameNofile: unix.RLIMIT_NOFILE,
	types.UlimitNameNproc: unix.RLIMIT_NPROC, types.UlimitNameRss: unix.RLIMIT_RSS, types.UlimitNameRtprio: unix.RLIMIT_RTPRIO,
	types.UlimitNameRttime: unix.RLIMIT_RTTIME, types.UlimitNameSigpending: unix.RLIMIT_SIGPENDING, types.UlimitNameStack: unix.RLIMIT_STACK,
}

// keepCapabilities takes the others from what the thread's children may ever have.
func keepCapabilities(kept map[int]bool) {
	for c := range unix.CAP_LAST_CAP + 1 {
		if !kept[c] {
			_ = unix.Prctl(unix.PR_CAPBSET_DROP, uintptr(c), 0, 0, 0)
		}
	}
}
