package cli

import (
	"errors"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/slipway-cd/slipway/fault"
	"github.com/slipway-cd/slipway/suggest"
)

// misused is an error about how a command was called, with the way to find out how it should be.
func misused(c *cobra.Command, meant, format string, args ...any) error {
	hint := "see `" + c.CommandPath() + " --help`"
	if meant != "" {
		hint = meant + " " + hint
	}
	return fault.New(fault.Invalid, format, args...).WithHint("%s", hint)
}

// flagError tells what is wrong with a flag, and which one was probably meant.
func flagError(c *cobra.Command, err error) error {
	meant := ""
	if unknown, ok := errors.AsType[*pflag.NotExistError](err); ok && unknown.GetSpecifiedShortnames() == "" {
		var names []string
		c.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
		if name := suggest.Nearest(unknown.GetSpecifiedName(), names); name != "" {
			meant = "did you mean --" + name + "?"
		}
	}
	return misused(c, meant, "%w", err)
}

// noArguments refuses arguments: of a command with commands below it they are taken for an unknown one.
func noArguments(c *cobra.Command, args []string) error {
	switch {
	case len(args) == 0:
		return nil
	case c.HasAvailableSubCommands():
		return misused(c, suggest.Hint(args[0], commandNames(c)), "there is no command %q", c.CommandPath()+" "+args[0])
	default:
		return misused(c, "", "%s takes no arguments, found %q", c.CommandPath(), strings.Join(args, " "))
	}
}

// atMostOneArgument wants one argument, which the usage calls by this name, or none.
func atMostOneArgument(name string) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if len(args) > 1 {
			return misused(c, "", "%s takes one argument at most, %s, found %q", c.CommandPath(), name, strings.Join(args, " "))
		}
		return nil
	}
}

// oneArgument wants exactly one argument, which the usage calls by this name.
func oneArgument(name string) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		switch len(args) {
		case 0:
			return misused(c, "", "%s needs a %s", c.CommandPath(), name)
		case 1:
			return nil
		default:
			return misused(c, "", "%s takes one %s, found %q", c.CommandPath(), name, strings.Join(args, " "))
		}
	}
}

func commandNames(c *cobra.Command) []string {
	var names []string
	for _, sub := range c.Commands() {
		if sub.IsAvailableCommand() {
			names = append(names, sub.Name())
		}
	}
	return names
}

// wantsJSON reports whether --output json is among the arguments, whatever else they are.
func wantsJSON(args []string) bool {
	for i, arg := range args {
		if arg == "--output="+outputJSON || arg == outputJSON && i > 0 && args[i-1] == "--output" {
			return true
		}
	}
	return false
}
