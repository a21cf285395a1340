package cli

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

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

// widestHelp is how many columns help takes at the most: longer lines are hard to read.
const widestHelp = 100

// help writes what a command says of itself, no wider than the terminal. Only examples keep their lines, as they are there
// to be copied.
func (p *Program) help(c *cobra.Command) {
	width := min(p.Width(), widestHelp)
	about := c.Long
	if about == "" {
		about = c.Short + "."
	}
	p.Printf("%s\n\nUsage:\n  %s\n", reflow(about, width), c.UseLine())
	if c.HasAvailableSubCommands() {
		p.Printf("  %s COMMAND\n\nAvailable Commands:\n", c.CommandPath())
		for _, sub := range c.Commands() {
			if sub.IsAvailableCommand() {
				indent := strings.Repeat(" ", c.NamePadding()+3)
				text := strings.ReplaceAll(reflow(sub.Short, width-len(indent)), "\n", "\n"+indent)
				p.Printf("  %-*s %s\n", c.NamePadding(), sub.Name(), text)
			}
		}
	}
	if c.HasExample() {
		p.Printf("\nExamples:\n%s\n", c.Example)
	}
	p.helpFlags("Flags", c.LocalFlags(), width)
	p.helpFlags("Global Flags", c.InheritedFlags(), width)
	if c.HasAvailableSubCommands() {
		p.Printf("\n%s\n", reflow(fmt.Sprintf("`%s COMMAND --help` tells more about a command.", c.CommandPath()), width))
	}
}

func (p *Program) helpFlags(title string, flags *pflag.FlagSet, width int) {
	if flags.HasAvailableFlags() {
		p.Printf("\n%s:\n%s", title, flags.FlagUsagesWrapped(width))
	}
}

// reflow breaks paragraphs anew between words, so that no line is wider.
func reflow(text string, width int) string {
	paragraphs := strings.Split(text, "\n\n")
	for i, paragraph := range paragraphs {
		var b strings.Builder
		column := 0
		for word := range strings.FieldsSeq(paragraph) {
			size := utf8.RuneCountInString(word)
			switch {
			case column == 0:
			case column+1+size > width:
				b.WriteString("\n")
				column = 0
			default:
				b.WriteString(" ")
				column++
			}
			b.WriteString(word)
			column += size
		}
		paragraphs[i] = b.String()
	}
	return strings.Join(paragraphs, "\n\n")
}
