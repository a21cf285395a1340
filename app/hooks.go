package app

import (
	"errors"

	"github.com/slipway-cd/slipway/engine"
	"github.com/slipway-cd/slipway/engine/hook"
	"github.com/slipway-cd/slipway/fault"
)

// Hooks reads what lifecycle hooks call, each NAME=URL or NAME=exec:COMMAND. It tells of everything that is wrong.
func Hooks(texts []string) (engine.Hooks, error) {
	if len(texts) == 0 {
		return nil, nil
	}
	var wrong []error
	hooks := engine.Hooks{}
	for _, text := range texts {
		name, f, err := hook.Parse(text)
		switch {
		case err != nil:
			wrong = append(wrong, err)
		case hooks[name] != nil:
			wrong = append(wrong, fault.New(fault.Invalid, "--hook %s is given twice", name).WithHint("give each function once"))
		default:
			hooks[name] = f
		}
	}
	return hooks, errors.Join(wrong...)
}
