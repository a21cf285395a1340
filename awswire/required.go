package awswire

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync"

	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"
)

// The SDK's schemas do not say which members are required; its clients do, before they send. Required asks them.

var errValidated = errors.New("the input is complete")

// validators are what the SDK's clients check inputs with: types of client and input → middleware.InitializeMiddleware. A
// client builds all that sends a request each time that it is called; that is worth it only to find its validator once.
var validators sync.Map

// found is where a client that is called leaves its validator.
type found struct {
	middleware.InitializeMiddleware
}

type foundKey struct{}

// nothing is the validator of operations that require nothing.
var nothing = middleware.InitializeMiddlewareFunc("OperationInputValidation", func(
	ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler,
) (middleware.InitializeOutput, middleware.Metadata, error) {
	return next.HandleInitialize(ctx, in)
})

// complete is what a validator calls when nothing is missing.
var complete = middleware.InitializeHandlerFunc(func(context.Context, middleware.InitializeInput) (
	out middleware.InitializeOutput, m middleware.Metadata, err error,
) {
	return out, m, errValidated
})

// OnlyValidate makes a client that validates inputs and sends nothing:
//
//	ecs.New(ecs.Options{APIOptions: awswire.OnlyValidate()})
func OnlyValidate() []func(*middleware.Stack) error {
	return []func(*middleware.Stack) error{func(stack *middleware.Stack) error {
		validator := nothing
		for _, id := range stack.Initialize.List() {
			removed, err := stack.Initialize.Remove(id)
			if err != nil {
				return err
			}
			if id == nothing.ID() {
				validator = removed
			}
		}
		leave := func(ctx context.Context, _ middleware.InitializeInput, _ middleware.InitializeHandler) (
			out middleware.InitializeOutput, m middleware.Metadata, err error,
		) {
			if f, ok := ctx.Value(foundKey{}).(*found); ok {
				f.InitializeMiddleware = validator
			}
			return out, m, errValidated
		}
		return stack.Initialize.Add(middleware.InitializeMiddlewareFunc("OnlyValidate", leave), middleware.After)
	}}
}

// Missing returns the members that the operation's model requires and that the input lacks, as paths of wire names
// ("tags[0].key" for ECS) in the model's order; nil when nothing is missing. The client is one made with OnlyValidate,
// the input a pointer to one of its inputs. It is meant for Options.Before or for the operation itself, which words the
// refusal as its service does.
func Missing(client, input any) ([]string, error) {
	validator, err := validatorOf(client, input)
	if err != nil {
		return nil, err
	}
	_, _, err = validator.HandleInitialize(context.Background(), middleware.InitializeInput{Parameters: input}, complete)
	invalid, ok := errors.AsType[smithy.InvalidParamsError](err)
	switch {
	case ok:
		return paths(invalid, input), nil
	case errors.Is(err, errValidated):
		return nil, nil
	}
	return nil, fmt.Errorf("cannot validate %T: %w", input, err)
}

func validatorOf(client, input any) (middleware.InitializeMiddleware, error) {
	t := reflect.TypeOf(input)
	key := [2]reflect.Type{reflect.TypeOf(client), t}
	if v, ok := validators.Load(key); ok {
		return v.(middleware.InitializeMiddleware), nil
	}
	operation := strings.TrimSuffix(t.Elem().Name(), "Input")
	method := reflect.ValueOf(client).MethodByName(operation)
	if !method.IsValid() {
		return nil, fmt.Errorf("cannot validate %T: %T has no operation %s", input, client, operation)
	}
	var f found
	ctx := context.WithValue(context.Background(), foundKey{}, &f)
	results := method.Call([]reflect.Value{reflect.ValueOf(ctx), reflect.ValueOf(input)})
	if err, _ := reflect.TypeAssert[error](results[1]); !errors.Is(err, errValidated) || f.InitializeMiddleware == nil {
		return nil, fmt.Errorf("cannot validate %T: %w", input, err)
	}
	validators.Store(key, f.InitializeMiddleware)
	return f.InitializeMiddleware, nil
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
