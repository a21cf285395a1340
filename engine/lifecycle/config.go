// Package lifecycle moves one task one status nearer to its desired status, again and again, until it is there.
package lifecycle

import (
	"crypto/sha256"
	"fmt"
	"log/slog"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway/engine/logs"
	"github.com/slipway-cd/slipway/engine/runtime"
	"github.com/slipway-cd/slipway/engine/state"
)

// Config says what the tasks live in.
type Config struct {
	DB      *state.DB
	Runtime runtime.Runtime
	Logs    *logs.Store
	// Metadata returns the URL at which containers of a network mode reach their metadata; empty when they cannot. Nil: they
	// cannot.
	Metadata func(types.NetworkMode) string
	Files    string // the directory that EFS file systems are in, one each
	Engine   string // marks the containers of this engine among others on the same runtime

	ARN    func(service, resource string) string
	Object func(bucket, key string, limit int64) ([]byte, error) // of Amazon S3; nil: there are none

	// Speed divides the intervals that a definition names but that the program doesn't feel: between health checks, and
	// the grace at its start. With the scripted runtime, where there are no programs, it divides all of them.
	Speed  float64
	Logger *slog.Logger
}

// LabelEngine is the label that each container of an engine bears, with the engine's id.
const LabelEngine = "slipway.engine-id"

const (
	labelTask      = "slipway.task-id"
	labelContainer = "com.amazonaws.ecs.container-name" // the agent's
)

// Name returns what the runtime knows a container of a task by. The same task and container always have the same name,
// which is how a container is found that was made by an engine that was killed before it could write it down.
func Name(task state.TaskID, container string) runtime.Name {
	name := string(task) + "-" + container
	if len(name) > 200 { // container names go to 255 characters, a runtime's to 200
		sum := sha256.Sum256([]byte(container))
		name = fmt.Sprintf("%s-%x", name[:170], sum[:8])
	}
	return runtime.Name(name)
}

// taskOf returns the task that a container of that name belongs to.
func taskOf(name runtime.Name) state.TaskID {
	const digits = 32
	if len(name) < digits {
		return ""
	}
	return state.TaskID(name[:digits])
}

// waits are durations that a definition names, at the engine's speed.
type waits struct{ interval, program float64 }

func newWaits(speed float64, kind string) waits {
	w := waits{interval: max(speed, 1e-6), program: 1}
	if kind == "scripted" {
		w.program = w.interval
	}
	return w
}

func seconds(value *int32, otherwise int32, divisor float64) time.Duration {
	if value != nil {
		otherwise = *value
	}
	return time.Duration(float64(otherwise) * float64(time.Second) / divisor)
}

const stopTimeout = 30 // seconds, unless the definition says otherwise [ecs-behaviour 1.6]

// grace is the time from SIGTERM to SIGKILL.
func (w waits) grace(d types.ContainerDefinition) time.Duration {
	return seconds(d.StopTimeout, stopTimeout, w.program)
}
