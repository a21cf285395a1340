package acceptance

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/slipway-cd/slipway/cli"
	"github.com/slipway-cd/slipway/cli/ecsdeploy"
	"github.com/slipway-cd/slipway/engine/runtime/process"
)

// TestMain makes this test program three things: the tests, the commands that scripts call, and the supervisor of containers that
// are processes.
func TestMain(m *testing.M) {
	process.Shim() // returns unless this is a container's supervisor
	testscript.Main(m, map[string]func(){"slipway": slipway, "ecs-deploy": ecsDeploy})
}

// slipway is cmd/slipway, with a version that scripts can rely on.
func slipway() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(cli.Main(ctx, cli.System("1.2.3"), os.Args[1:])) //nolint:gocritic,forbidigo // this is a main: it ends the process, and signals with it
}

// ecsDeploy is cmd/ecs-deploy.
func ecsDeploy() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(ecsdeploy.Main(ctx, ecsdeploy.System("ecs-deploy", "1.2.3"), os.Args[1:])) //nolint:gocritic,forbidigo // this is a main: it ends the process, and signals with it
}
