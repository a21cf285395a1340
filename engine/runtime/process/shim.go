//go:build linux

package process

import (
	"fmt"
	"os"
)

const (
	shimVariable  = "SLIPWAY_SHIM"
	levelVariable = "SLIPWAY_SHIM_LEVEL"
	probed        = "granted"
)

// Shim must be called first of all in main, and in the TestMain of tests that run processes: the engine starts its own
// program anew as a container's supervisor. Shim returns at once when the program is no supervisor, and never when it is.
func Shim() {
	mode := os.Getenv(shimVariable)
	if mode == "" {
		return
	}
	level := Isolation(os.Getenv(levelVariable))
	_ = os.Unsetenv(shimVariable)
	_ = os.Unsetenv(levelVariable)
	var err error
	switch mode {
	case "probe":
		err = tryOut(level)
	case "supervise":
		err = supervise()
	default:
		err = fmt.Errorf("%s has the unknown value %q", shimVariable, mode)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1) //nolint:forbidigo // a supervisor never gets to its program's own main
	}
	os.Exit(0) //nolint:forbidigo // a supervisor never gets to its program's own main
}

// tryOut does what a supervisor of the level does before it starts its program.
func tryOut(level Isolation) error {
	if level != Bare {
		p := plan{Lower: "lower", ID: "probe"}
		for _, dir := range []string{rootDir, upperDir, workDir} {
			if err := os.Mkdir(dir, 0o755); err != nil {
				return err
			}
		}
		if err := enter(launch{Plan: p, Grant: grant{Level: level}, Net: level == Network}); err != nil {
			return err
		}
	}
	_, err := os.Stdout.WriteString(probed)
	return err
}
