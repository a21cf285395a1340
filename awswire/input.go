package awswire

import "reflect"

// Input returns the type of an operation's input, a struct of the SDK's; nil for an operation that isn't there.
func (s Service) Input(operation string) reflect.Type {
	if op := s.operations[operation]; op != nil {
		return op.in
	}
	return nil
}
