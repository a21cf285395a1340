// Package archtest knows the rooms of the house and which way the arrows between them may run.
package archtest

// module is the path that all rooms begin with.
const module = "github.com/slipway-cd/slipway/"

// level orders the rooms: a room imports only rooms of a lower level. docs/ARCHITECTURE.md draws the same picture.
// Tens are the floors of the house; units order the rooms within a floor.
var level = map[string]int{
	"fault":   0,
	"suggest": 0,
	"traffic": 0,

	"version": 10,
	"image":   10,
	"config":  11,
	"awswire": 10,

	"datachannel": 10,

	"descriptor":         20,
	"checkout":           21,
	"artifact":           21,
	"artifact/dir":       22,
	"artifact/storetest": 22,
	"build":              20,
	"registry":           20,

	"engine/state":               20,
	"engine/schedule":            21,
	"engine/runtime":             20,
	"engine/runtime/docker":      21,
	"engine/runtime/process":     21,
	"engine/runtime/scripted":    21,
	"engine/runtime/runtimetest": 22,
	"engine/images":              20,
	"engine/objects":             20,
	"engine/agenda":              20,
	"engine/metrics":             20,
	"engine/autoscale":           20,
	"engine/calendar":            20,
	"engine/eventpattern":        20,
	"engine/bus":                 22,
	"engine/emit":                25,
	"engine/limits":              20,
	"engine/faults":              20,
	"engine/hook":                20,
	"engine/discovery":           21,
	"engine/logs":                21,
	"engine/lifecycle":           22,
	"engine/balance":             22,
	"engine":                     23,
	"engine/api":                 25,
	"engine/metadata":            24,
	"engine/api/awsdoc":          20,
	"engine/api/ecsapi":          24,
	"engine/api/cloudwatchapi":   24,
	"engine/api/autoscalingapi":  24,
	"engine/api/elbv2api":        24,
	"engine/api/iamapi":          24,
	"engine/api/cloudmapapi":     24,
	"engine/api/eventsapi":       24,
	"engine/api/elbapi":          24,
	"engine/api/ecrapi":          24,
	"engine/api/logsapi":         24,
	"engine/api/execapi":         24,
	"engine/api/secretsapi":      24,
	"engine/api/ssmapi":          24,
	"engine/api/stsapi":          24,

	"rollout": 30,

	"deploy":            40,
	"target/ecs":        40,
	"target/targettest": 41,

	"lookup":   45,
	"delivery": 50,

	"app": 70,

	"examples": 70,

	"cli/terminal":  79,
	"cli/ecsdeploy": 79,
	"cli":           80,

	"cmd/slipway":    90,
	"cmd/ecs-deploy": 90,
}

// never are the arrows that must not exist even indirectly. The engine and the deployer meet only over HTTP, as with AWS.
var never = map[string][]string{
	"engine":  {"deploy", "rollout", "target", "server", "cli", "app"},
	"deploy":  {"target", "engine", "server"},
	"rollout": {"target", "engine", "deploy"},
	"target":  {"engine", "awswire", "server", "deploy"},
	"server":  {"engine", "cli"},
	"console": {"engine"},
}

// pure rooms compute: no input or output, no clock, no randomness, no logging, no context.
var pure = []string{
	"version", "image", "config", "descriptor", "rollout", "engine/state", "engine/schedule", "engine/discovery",
	"engine/autoscale", "engine/calendar", "engine/eventpattern",
	"engine/limits", "engine/faults",
}

// waits are the pure rooms that may take a context all the same: the watchers of engine/state wait for changes.
var waits = map[string]bool{"engine/state": true}

// impure are the packages of the standard library that a pure room has no use for.
var impure = map[string]bool{
	"os": true, "os/exec": true, "os/signal": true, "net": true, "net/http": true, "io/ioutil": true,
	"context": true, "log": true, "log/slog": true, "math/rand": true, "math/rand/v2": true, "crypto/rand": true, "syscall": true,
}
