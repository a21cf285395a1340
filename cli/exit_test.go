package cli

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/slipway-cd/slipway/deploy"
	"github.com/slipway-cd/slipway/fault"
)

func TestExitCodes(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		err  error
		want int
	}{
		"nothing wrong":       {nil, 0},
		"no kind":             {errors.New("x"), 1},
		"not there":           {fault.New(fault.NotFound, "x"), 1},
		"other content":       {fault.New(fault.Conflict, "x"), 1},
		"credentials":         {fault.New(fault.Denied, "x"), 1},
		"no answer":           {fault.New(fault.Unavailable, "x"), 1},
		"digest":              {fault.New(fault.Corrupt, "x"), 1},
		"wrong usage":         {fault.New(fault.Invalid, "x"), 2},
		"problems in files":   {fmt.Errorf("wrapped: %w", fault.Problems{{Message: "x"}}), 2},
		"timed out":           {fault.New(fault.Timeout, "x"), 6},
		"refused by a policy": {fault.New(fault.Refused, "x"), 7},
		"interrupted":         {fault.New(fault.Interrupted, "x"), 130},
		"the context ended":   {fmt.Errorf("wrapped: %w", context.Canceled), 130},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := ExitCode(tc.err); got != tc.want {
				t.Errorf("exit code %d, want %d", got, tc.want)
			}
		})
	}
}

func TestExitCodesOfRollouts(t *testing.T) {
	t.Parallel()
	for outcome, want := range map[deploy.Outcome]int{
		deploy.Unchanged: 0, deploy.Proven: 0, deploy.RolledBack: 4, deploy.NotRolledBack: 5, deploy.TimedOut: 6,
		deploy.Superseded: 1, deploy.Interrupted: 130,
	} {
		if got := ExitCode(ended(deploy.Result{Outcome: outcome}, nil)); got != want {
			t.Errorf("%s: exit code %d, want %d", outcome, got, want)
		}
	}
	lost := fault.New(fault.Unavailable, "x")
	if got := ExitCode(ended(deploy.Result{Outcome: deploy.Proven}, lost)); got != 1 {
		t.Errorf("an error counts more than the outcome: exit code %d", got)
	}
}
