package cli

import (
	"context"
	"errors"

	"github.com/slipway-cd/slipway/deploy"
	"github.com/slipway-cd/slipway/fault"
)

// The exit codes of every command. [docs/reference/exit-codes.md]
const (
	exitDone          = 0
	exitError         = 1
	exitUsage         = 2
	exitChanges       = 3
	exitRolledBack    = 4
	exitNotRolledBack = 5
	exitTimedOut      = 6
	exitRefused       = 7
	exitInterrupted   = 130
)

var exitOfKind = map[fault.Kind]int{
	fault.Invalid: exitUsage, fault.Corrupt: exitError, fault.Refused: exitRefused, fault.Timeout: exitTimedOut,
	fault.Interrupted: exitInterrupted,
}

var exitOfOutcome = map[deploy.Outcome]int{
	deploy.Unchanged: exitDone, deploy.Proven: exitDone, deploy.RolledBack: exitRolledBack,
	deploy.NotRolledBack: exitNotRolledBack, deploy.TimedOut: exitTimedOut, deploy.Superseded: exitError,
	deploy.Serving: exitDone, deploy.Paused: exitDone, deploy.Continued: exitDone, deploy.Halted: exitDone, deploy.Deleted: exitDone, deploy.Interrupted: exitInterrupted,
}

// ExitCode returns the exit code for what a command returned.
func ExitCode(err error) int {
	if err == nil {
		return exitDone
	}
	if q, ok := errors.AsType[quiet](err); ok {
		return q.code
	}
	if errors.Is(err, context.Canceled) {
		return exitInterrupted
	}
	if code, ok := exitOfKind[fault.KindOf(err)]; ok {
		return code
	}
	return exitError
}
