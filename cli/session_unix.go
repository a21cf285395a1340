//go:build unix

package cli

import "syscall"

// ownSession has a child outlive the terminal that started it.
func ownSession() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setsid: true} }
