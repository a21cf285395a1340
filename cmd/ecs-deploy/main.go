// Command ecs-deploy does what the ecs-deploy script does, with its flags and exit codes.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/slipway-cd/slipway/cli/ecsdeploy"
)

var version = "dev" // set when it is released

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := ecsdeploy.Main(ctx, ecsdeploy.System("ecs-deploy", version), os.Args[1:])
	stop()
	os.Exit(code)
}
