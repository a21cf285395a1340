// Package cli is the command line: one file per command, its options and its run function.
package cli

import (
	"context"
	"errors"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/slipway-cd/slipway/cli/terminal"
	"github.com/slipway-cd/slipway/fault"
)

// Program is what all commands share: where they talk, and what they are part of.
type Program struct {
	*terminal.Terminal
	Version string
	Environ []string // NAME=value
	Self    string   // the path of the program, to start itself again in the background

	output  string
	noColor bool
	verbose bool
}

// Main runs the command line and returns its exit code.
func Main(ctx context.Context, p *Program, args []string) int {
	root := p.root()
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	code := ExitCode(err)
	if err != nil && !errors.As(err, new(quiet)) {
		if wantsJSON(args) { // though flags behind the one that is wrong have not been read
			p.output = outputJSON
		}
		p.fail(err)
	}
	return code
}

// quiet is an exit code whose reason has been told already.
type quiet struct{ code int }

func (q quiet) Error() string { return "exit" }

func (p *Program) fail(err error) {
	if p.output == outputJSON {
		_ = p.JSONLine(failed{terminal.FailureOf(err)})
		return
	}
	p.Fail(err)
}

// failed is what a command that failed writes with --output json.
type failed struct {
	Error terminal.Failure `json:"error"`
}

const (
	outputText = "text"
	outputJSON = "json"
)

func (p *Program) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "slipway",
		Short: "Deliver container services, and know that they came up",
		Long: `Slipway takes a container service from a pushed commit to proven running, on Amazon ECS,
and back again when the proof fails.

Its embedded engine behaves like ECS, so all of it can be tried with no AWS account: slipway demo`,
		Example: `  slipway demo                    # three versions, one of them broken
  slipway publish                 # put this checkout's version into the store
  slipway install 1.0.15.RELEASE  # bring it to its cluster, until it is proven
  slipway status                  # what runs, and whether it is proven`,
		Version:       p.Version,
		SilenceErrors: true, SilenceUsage: true,
		CompletionOptions: cobra.CompletionOptions{DisableDefaultCmd: true},
		PersistentPreRunE: func(*cobra.Command, []string) error { return p.prepare() },
		Args:              noArguments,
		RunE:              func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	root.SetOut(p.Out)
	root.SetErr(p.Err)
	flags := root.PersistentFlags()
	flags.StringVar(&p.output, "output", outputText, "`FORMAT` of what is written to standard output: text or json")
	flags.BoolVar(&p.noColor, "no-color", false, "write no colours")
	flags.BoolVarP(&p.verbose, "verbose", "v", false, "tell more of what happens")
	root.SetFlagErrorFunc(flagError)
	root.SetHelpCommand(p.helpCommand())
	root.SetHelpFunc(func(c *cobra.Command, _ []string) { p.help(c) })
	root.AddCommand(
		p.describeCommand(), p.renderCommand(), p.publishCommand(), p.planCommand(), p.verifyCommand(), p.installCommand(), p.deployCommand(),
		p.statusCommand(), p.tasksCommand(), p.logsCommand(), p.execCommand(), p.runCommand(),
		p.rollbackCommand(), p.continueCommand(), p.stopCommand(), p.scaleCommand(), p.restartCommand(), p.deleteCommand(),
		p.revisionsCommand(), p.engineCommand(), p.demoCommand(), p.ecsDeployCommand(), p.versionCommand(),
		p.completionCommand(),
	)
	return root
}

func (p *Program) prepare() error {
	if p.output != outputText && p.output != outputJSON {
		return fault.New(fault.Invalid, "there is no output format %q", p.output).WithHint("choose text or json")
	}
	if p.noColor || p.output == outputJSON {
		p.Color = false
	}
	return nil
}

// System returns the program as the operating system started it.
func System(version string) *Program {
	self, err := os.Executable()
	if err != nil {
		self = os.Args[0]
	}
	return &Program{Terminal: terminal.System(), Version: version, Environ: os.Environ(), Self: self}
}

// variable returns an environment variable.
func (p *Program) variable(name string) string {
	value := ""
	for _, e := range p.Environ {
		if n, v, _ := strings.Cut(e, "="); n == name {
			value = v
		}
	}
	return value
}
