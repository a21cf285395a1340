//go:build unix

package app

import (
	"bytes"
	"fmt"
	"os"
	"syscall"
)

// alive reports whether a process exists. One that has ended and was not waited for yet does not count.
func alive(pid int) bool {
	if pid <= 0 || syscall.Kill(pid, 0) != nil {
		return false
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err != nil || !bytes.Contains(stat, []byte(") Z "))
}
