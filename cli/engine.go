package cli

import (
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/slipway-cd/slipway/app"
	"github.com/slipway-cd/slipway/fault"
)

func (p *Program) engineCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "engine",
		Short: "Run a local Amazon ECS",
		Long: `The embedded engine serves the AWS APIs that a delivery needs (ECS, load balancers, ECR with an
image registry, CloudWatch Logs, STS) on one endpoint, and behaves like the ECS service scheduler.

Point any AWS client at it: export AWS_ENDPOINT_URL=http://127.0.0.1:4566`,
		Example: "  slipway engine start --detach\n  slipway engine status\n  slipway engine stop",
		Args:    noArguments,
		RunE:    func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(p.engineStartCommand(), p.engineStopCommand(), p.engineStatusCommand(), p.engineResetCommand(), p.engineFaultCommand())
	return c
}

// stateDirectory is where the engine keeps its state unless told otherwise. [XDG Base Directory Specification]
func (p *Program) stateDirectory() (string, error) {
	if dir := p.variable("XDG_STATE_HOME"); dir != "" {
		return filepath.Join(dir, "slipway", "engine"), nil
	}
	home := p.variable("HOME")
	if home == "" {
		return "", fault.New(fault.Invalid, "there is no home directory for the engine's state").WithHint("give one with --data DIR")
	}
	return filepath.Join(home, ".local", "state", "slipway", "engine"), nil
}

// engineEndpoint is the endpoint that a command about the engine means.
func (p *Program) engineEndpoint(flag string) string {
	for _, e := range []string{flag, p.variable("AWS_ENDPOINT_URL")} {
		if e != "" {
			return strings.TrimRight(e, "/")
		}
	}
	return "http://" + app.DefaultListen
}

func endpointFlag(c *cobra.Command, into *string) {
	c.Flags().StringVar(into, "endpoint-url", "", "`URL` of the engine; AWS_ENDPOINT_URL, else http://"+app.DefaultListen+", unless given")
}
