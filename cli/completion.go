package cli

import (
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

// shells are those that commands and flags can be completed in.
var shells = []string{"bash", "fish", "zsh"}

func (p *Program) completionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "completion " + strings.Join(shells, "|"),
		Short: "Write the script that completes commands and flags in a shell",
		Long: `Write a script to standard output that a shell reads to complete slipway's commands and flags.

Put it where your shell looks for such scripts, or have your shell's start-up file read it.`,
		Example: "  source <(slipway completion bash)      # for this shell; in ~/.bashrc for every one\n" +
			"  slipway completion zsh > \"${fpath[1]}/_slipway\"\n" +
			"  slipway completion fish > ~/.config/fish/completions/slipway.fish",
		ValidArgs: shells,
		Args: func(c *cobra.Command, args []string) error {
			if err := oneArgument("shell ("+strings.Join(shells, ", ")+")")(c, args); err != nil {
				return err
			}
			if !slices.Contains(shells, args[0]) {
				// No shell is suggested: tcsh is a shell of its own, not a slip for bash.
				return misused(c, "", "there is no completion for the shell %q, only for %s", args[0], strings.Join(shells, ", "))
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error { return complete(c.Root(), args[0], p.Out) },
	}
}

func complete(root *cobra.Command, shell string, to io.Writer) error {
	const described = true
	switch shell {
	case "fish":
		return root.GenFishCompletion(to, described)
	case "zsh":
		return root.GenZshCompletion(to)
	default:
		return root.GenBashCompletionV2(to, described)
	}
}
