// Command slipway delivers container services and knows that they came up.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/slipway-cd/slipway/cli"
	"github.com/slipway-cd/slipway/engine/runtime/process"
)

var version = "dev" // set when it is released

func main() {
	process.Shim() // returns unless this is a container's supervisor
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := cli.Main(ctx, cli.System(version), os.Args[1:])
	stop()
	os.Exit(code)
}
