package deploy

import "github.com/slipway-cd/slipway/fault"

// capability returns what only some targets can do.
func capability[T any](target Target, doing string) (T, error) {
	able, ok := target.(T)
	if !ok {
		return able, fault.New(fault.Refused, "cannot %s: this scheduler has no way to do it", doing)
	}
	return able, nil
}
