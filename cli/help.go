package cli

import (
	"strings"

	"github.com/spf13/cobra"

	"github.com/slipway-cd/slipway/suggest"
)

// helpCommand is cobra's, but for a command that doesn't exist, which is an error.
func (p *Program) helpCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "help [COMMAND]",
		Short:   "Tell what a command does, and its flags",
		Example: "  slipway help install\n  slipway help engine start",
		RunE: func(c *cobra.Command, args []string) error {
			about, rest, err := c.Root().Find(args)
			if err != nil || len(rest) > 0 {
				name := strings.Join(args, " ")
				return misused(c.Root(), suggest.Hint(args[len(args)-1], commandNames(about)), "there is no command %q", "slipway "+name)
			}
			about.InitDefaultHelpFlag()
			return about.Help()
		},
	}
}
