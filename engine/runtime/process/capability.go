//go:build linux

package process

import (
	"maps"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"golang.org/x/sys/unix"
)

// usual are the capabilities that a program has unless it says otherwise: Docker's own choice. [docker run, "Runtime privilege and Linux capabilities"]
var usual = map[int]bool{
	unix.CAP_CHOWN: true, unix.CAP_DAC_OVERRIDE: true, unix.CAP_FSETID: true, unix.CAP_FOWNER: true, unix.CAP_MKNOD: true,
	unix.CAP_NET_RAW: true, unix.CAP_SETGID: true, unix.CAP_SETUID: true, unix.CAP_SETFCAP: true, unix.CAP_SETPCAP: true,
	unix.CAP_NET_BIND_SERVICE: true, unix.CAP_SYS_CHROOT: true, unix.CAP_KILL: true, unix.CAP_AUDIT_WRITE: true,
}

// names are the capabilities in the order of their numbers. [capabilities(7), linux/capability.h]
var names = strings.Fields(`CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE
	NET_BIND_SERVICE NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT
	SYS_ADMIN SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE
	MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE`)

// capabilities are what a container's program keeps: the usual ones with those that the definition adds, without those
// that it drops, which wins over adding unless what is dropped is ALL. Nil: a privileged one keeps everything.
func capabilities(def types.ContainerDefinition) map[int]bool {
	if aws.ToBool(def.Privileged) {
		return nil
	}
	kept := maps.Clone(usual)
	if def.LinuxParameters == nil || def.LinuxParameters.Capabilities == nil {
		return kept
	}
	change := def.LinuxParameters.Capabilities
	if named(change.Drop, "ALL") {
		clear(kept)
	}
	for number, name := range names {
		if named(change.Add, name) || named(change.Add, "ALL") {
			kept[number] = true
		}
		if named(change.Drop, name) {
			delete(kept, number)
		}
	}
	return kept
}

func named(list []string, name string) bool {
	for _, one := range list {
		if strings.EqualFold(strings.TrimPrefix(strings.ToUpper(one), "CAP_"), name) {
			return true
		}
	}
	return false
}
