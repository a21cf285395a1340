package awswire

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"
)

// The SDK's schemas do not say which members are required; its clients do, before they send. Required asks them.

var errValidated = errors.New("the input is complete")

// OnlyValidate makes a client that validates inputs and sends nothing:
//
//	ecs.New(ecs.Options{APIOptions: awswire.OnlyValidate()})
func OnlyValidate() []func(*middleware.Stack) error {
	return []func(*middleware.Stack) error{func(stack *middleware.Stack) error {
		for _, id := range stack.Initialize.List() {
			if id != "OperationInputValidation" {
				if _, err := stack.Initialize.Remove(id); err != nil {
					return err
				}
			}
		}
		stop := func(context.Context, middleware.InitializeInput, middleware.InitializeHandler) (
			out middleware.InitializeOutput, m middleware.Metadata, err error,
		) {
			return out, m, errValidated
		}
		return stack.Initialize.Add(middleware.InitializeMiddlewareFunc("OnlyValidate", stop), middleware.After)
	}}
}

// Missing returns the members that the operation's model requires and that the input lacks, as paths of wire names
// ("tags[0].key" for ECS) in the model's order; nil when nothing is missing. The client is one made with OnlyValidate,
// the input a pointer to one of its inputs. It is meant for Options.Before or for the operation itself, which words the
// refusal as its service does.
func Missing(client, input any) ([]string, error) {
	operation := strings.TrimSuffix(reflect.TypeOf(input).Elem().Name(), "Input")
	method := reflect.ValueOf(client).MethodByName(operation)
	if !method.IsValid() {
		return nil, fmt.Errorf("cannot validate %T: %T has no operation %s", input, client, operation)
	}
	results := method.Call([]reflect.Value{reflect.ValueOf(context.Background()), reflect.ValueOf(input)})
	err, _ := reflect.TypeAssert[error](results[1])
	invalid, ok := errors.AsType[smithy.InvalidParamsError](err)
	switch {
	case ok:
		return paths(invalid, input), nil
	case errors.Is(err, errValidated):
		return nil, nil
	}
	return nil, fmt.Errorf("cannot validate %T: %w", input, err)
}

// paths turns "CreateServiceInput.Tags[0].Key" into "tags[0].key" where the service's own names begin so.
func paths(invalid smithy.InvalidParamsError, input any) []string {
	schema, _ := schemaOf(reflect.TypeOf(input).Elem())
	lower := schema != nil
	var found []string
	for _, err := range invalid.Errs() {
		e, ok := errors.AsType[smithy.InvalidParamError](err)
		if !ok {
			continue
		}
		_, path, _ := strings.Cut(e.Field(), ".")
		steps := strings.Split(path, ".")
		if lower {
			for i, s := range steps {
				steps[i] = strings.ToLower(s[:1]) + s[1:]
			}
		}
		found = append(found, strings.Join(steps, "."))
	}
	return found
}
