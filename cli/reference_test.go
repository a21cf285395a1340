package cli

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/slipway-cd/slipway/cli/terminal"
)

var updateReference = flag.Bool("update-reference", false, "write docs/reference/cli.md anew")

const referenceFile = "../docs/reference/cli.md"

// TestTheReferenceSaysWhatHelpSays keeps docs/reference/cli.md what the commands themselves say.
func TestTheReferenceSaysWhatHelpSays(t *testing.T) {
	t.Parallel()
	want := manual((&Program{Terminal: &terminal.Terminal{Out: io.Discard, Err: io.Discard}, Version: "dev"}).root())
	if *updateReference {
		if err := os.WriteFile(referenceFile, want, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	have, err := os.ReadFile(referenceFile)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(have, want) {
		t.Errorf("%s is not what the commands say: run `go test ./cli -run Reference -update-reference`", referenceFile)
	}
}

// manual writes the whole command tree down, parents before their children.
func manual(root *cobra.Command) []byte {
	var b bytes.Buffer
	b.WriteString("# The command line\n\n<!-- Written by cli/reference_test.go from what the commands say of themselves: change it there. -->\n\n")
	b.WriteString("Data goes to standard output, talk to standard error. [Exit codes](exit-codes.md) · [Environment variables](environment.md) · [JSON output](output.md) · [Events](events.md)\n\n")
	b.WriteString("| command | what it does |\n|---|---|\n")
	commands := tree(root)
	for _, c := range commands[1:] {
		fmt.Fprintf(&b, "| [`%s`](#%s) | %s |\n", c.CommandPath(), strings.ReplaceAll(c.CommandPath(), " ", "-"), c.Short)
	}
	b.WriteString("\nEvery command takes:\n\n```text\n" + root.PersistentFlags().FlagUsages() + "```\n")
	for _, c := range commands[1:] {
		section(&b, c)
	}
	return b.Bytes()
}

// tree returns a command and all below it that help shows.
func tree(c *cobra.Command) []*cobra.Command {
	list := []*cobra.Command{c}
	for _, sub := range c.Commands() {
		if sub.IsAvailableCommand() {
			list = append(list, tree(sub)...)
		}
	}
	return list
}

func section(b *bytes.Buffer, c *cobra.Command) {
	about := c.Long
	if about == "" {
		about = c.Short + "."
	}
	fmt.Fprintf(b, "\n## %s\n\n%s\n\n```text\n%s\n```\n", c.CommandPath(), about, c.UseLine())
	if flags := c.NonInheritedFlags(); flags.HasAvailableFlags() {
		fmt.Fprintf(b, "\n```text\n%s```\n", flags.FlagUsages())
	}
	if c.HasExample() {
		fmt.Fprintf(b, "\n```sh\n%s\n```\n", strings.TrimRight(dedent(c.Example), "\n"))
	}
}

// dedent takes the two blanks away that examples begin with in a terminal.
func dedent(text string) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		lines[i] = strings.TrimPrefix(line, "  ")
	}
	return strings.Join(lines, "\n")
}
