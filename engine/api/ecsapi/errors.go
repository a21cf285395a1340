package ecsapi

import (
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway/engine/api/awsdoc"
)

// The messages are AWS's own, as ../../../docs/reference/engine.md lists them.

func clientError(format string, args ...any) error {
	return &types.ClientException{Message: awsdoc.Text(format, args...)}
}

func invalid(format string, args ...any) error {
	return &types.InvalidParameterException{Message: awsdoc.Text(format, args...)}
}

func conflict(format string, args ...any) error {
	return &types.ConflictException{Message: awsdoc.Text(format, args...)}
}

func unsupported(format string, args ...any) error {
	return &types.UnsupportedFeatureException{Message: awsdoc.Text(format, args...)}
}

// exhausted words it as a quota when the engine has no address left; other errors stay as they are.
func exhausted(err error) error {
	if message, ok := awsdoc.Exhausted(err); ok {
		return &types.LimitExceededException{Message: message}
	}
	return err
}

// badName refuses a name of a cluster, service or the like.
func badName(what, name string) error {
	return invalid("%s must match ^[a-zA-Z0-9\\-_]{1,255}$, but was %s", what, name)
}

func clusterNotFound() error {
	return &types.ClusterNotFoundException{Message: awsdoc.Text("Cluster not found.")}
}

func serviceNotFound() error {
	return &types.ServiceNotFoundException{Message: awsdoc.Text("Service not found.")}
}
