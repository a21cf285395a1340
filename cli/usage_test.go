package cli

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/slipway-cd/slipway/cli/terminal"
)

func TestWrongUsageExitsWithTwoAndSaysWhatWasProbablyMeant(t *testing.T) {
	t.Parallel()
	for args, want := range map[string]string{
		"nope":                         "error: there is no command \"slipway nope\"\n       see `slipway --help`\n",
		"instal":                       "error: there is no command \"slipway instal\"\n       did you mean \"install\"? see `slipway --help`\n",
		"engine statu":                 "error: there is no command \"slipway engine statu\"\n       did you mean \"status\"? see `slipway engine --help`\n",
		"help engine statu":            "error: there is no command \"slipway engine statu\"\n       did you mean \"status\"? see `slipway --help`\n",
		"describe x y":                 "error: slipway describe takes no arguments, found \"x y\"\n       see `slipway describe --help`\n",
		"install":                      "error: slipway install needs a VERSION\n       see `slipway install --help`\n",
		"install 1.0.0.A 1.0.0.B":      "error: slipway install takes one VERSION, found \"1.0.0.A 1.0.0.B\"\n       see `slipway install --help`\n",
		"install 1.0":                  "error: \"1.0\" is not a version\n       expected major.minor.patch.TAG, for example 1.0.15.RELEASE\n",
		"status --nonsense":            "error: unknown flag: --nonsense\n       see `slipway status --help`\n",
		"status --envirnment qa":       "error: unknown flag: --envirnment\n       did you mean --environment? see `slipway status --help`\n",
		"status --service":             "error: flag needs an argument: --service\n       see `slipway status --help`\n",
		"status -x":                    "error: unknown shorthand flag: 'x' in -x\n       see `slipway status --help`\n",
		"version --output xml":         "error: there is no output format \"xml\"\n       choose text or json\n",
		"completion":                   "error: slipway completion needs a shell (bash, fish, zsh)\n       see `slipway completion --help`\n",
		"completion bsh":               "error: there is no completion for the shell \"bsh\", only for bash, fish, zsh\n       see `slipway completion --help`\n",
		"completion tcsh":              "error: there is no completion for the shell \"tcsh\", only for bash, fish, zsh\n       see `slipway completion --help`\n",
		"completion bash zsh":          "error: slipway completion takes one shell (bash, fish, zsh), found \"bash zsh\"\n       see `slipway completion --help`\n",
		"publish --environment qa":     "error: slipway publish takes no --environment: a version is published as one whole, for every environment\n       leave it out, and name the environment to slipway install; see `slipway publish --help`\n",
		"publish --environment=":       "error: slipway publish takes no --environment: a version is published as one whole, for every environment\n       leave it out, and name the environment to slipway install; see `slipway publish --help`\n",
		"engine start --speed -1":      "error: --speed -1: the speed must be a number above 0\n       1 is AWS's own pace\n",
		"engine start --instances -1":  "error: --instances -1: a cluster can have 0 to 253 here\n       each has an address of its own, of the 253 that an engine has; load balancers need some of them\n",
		"engine start --instances 999": "error: --instances 999: a cluster can have 0 to 253 here\n       each has an address of its own, of the 253 that an engine has; load balancers need some of them\n",
		"engine start --speed Inf":     "error: --speed +Inf: the speed must be a number above 0\n       1 is AWS's own pace\n",
		"rollback --timeout forever":   "error: invalid argument \"forever\" for \"--timeout\" flag: time: invalid duration \"forever\"\n       see `slipway rollback --help`\n",
	} {
		t.Run(args, func(t *testing.T) {
			t.Parallel()
			code, out, talk := call(t, strings.Fields(args)...)
			if code != exitUsage || out != "" || talk != want {
				t.Errorf("exit code %d, output %q, talk:\n%s\nwant:\n%s", code, out, talk, want)
			}
		})
	}
}

func TestWrongUsageIsToldInJSONWhereverTheFlagStands(t *testing.T) {
	t.Parallel()
	want := `{"error":{"kind":"invalid","message":"unknown flag: --nonsense","hint":"see ` + "`slipway status --help`" + `"}}` + "\n"
	for _, args := range []string{"--output json status --nonsense", "status --nonsense --output json", "status --nonsense --output=json"} {
		if code, out, talk := call(t, strings.Fields(args)...); code != exitUsage || out != want || talk != "" {
			t.Errorf("%s: exit code %d, output %s, talk %s", args, code, out, talk)
		}
	}
}

// ours leaves out ecs-deploy, whose usage is that of the script whose place it takes: it has tests of its own.
func ours(all []*cobra.Command) []*cobra.Command {
	return slices.DeleteFunc(all, func(c *cobra.Command) bool { return c.DisableFlagParsing })
}

// TestEveryCommandHelps walks the command tree: whatever a user calls with --help says what it does and shows an example
// that is a command of ours.
func TestEveryCommandHelps(t *testing.T) {
	t.Parallel()
	p, _, _ := testProgram()
	root := p.root()
	for _, c := range ours(tree(root)) {
		path := c.CommandPath()
		if c.Short == "" || strings.HasSuffix(c.Short, ".") {
			t.Errorf("%s: its summary is %q", path, c.Short)
		}
		if !strings.Contains(c.Example, path) {
			t.Errorf("%s: its examples don't show it:\n%s", path, c.Example)
		}
		for line := range strings.Lines(c.Example) {
			checkExample(t, root, line)
		}
		code, out, talk := call(t, append(strings.Fields(path)[1:], "--help")...)
		if code != exitDone || talk != "" || !strings.Contains(out, "Examples:") || !strings.Contains(out, "--output FORMAT") {
			t.Errorf("%s --help: exit code %d, talk %s, output:\n%s", path, code, talk, out)
		}
	}
}

// TestHelpIsNoWiderThanTheTerminal looks at everything but examples, which are there to be copied.
func TestHelpIsNoWiderThanTheTerminal(t *testing.T) {
	t.Parallel()
	for _, width := range []int{72, 80, 100, 200} {
		p, _, _ := testProgram()
		for _, c := range ours(tree(p.root())) {
			p, out, _ := testProgram()
			p.Wide = func() int { return width }
			if code := Main(t.Context(), p, append(strings.Fields(c.CommandPath())[1:], "--help")); code != exitDone {
				t.Fatalf("%s --help: exit code %d", c.CommandPath(), code)
			}
			for line := range strings.Lines(strings.Replace(out.String(), c.Example, "", 1)) {
				if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > min(width, widestHelp) {
					t.Errorf("%s --help at %d columns has a line of %d:\n%s", c.CommandPath(), width, n, line)
				}
			}
		}
	}
}

// TestEveryCommandRefusesWhatItDoesNotTake walks the command tree: exit code 2, nothing on standard output, and a remedy.
func TestEveryCommandRefusesWhatItDoesNotTake(t *testing.T) {
	t.Parallel()
	p, _, _ := testProgram()
	const add = "slipway engine fault add "
	takes := map[string]string{
		"slipway install": "VERSION", "slipway completion": "shell", "slipway engine fault clear": "fault's id",
		add + "fail": "PATTERN", add + "delay": "PATTERN", add + "throttle": "PATTERN", add + "kill": "TARGET", add + "freeze": "TARGET",
		"slipway plan": "VERSION", "slipway scale": "COUNT", add + "interrupt": "TARGET",
	}
	for _, c := range ours(tree(p.root())) {
		path := c.CommandPath()
		wrong := map[string]string{"--nonsense": "unknown flag", "x y": "x", "--output": "needs an argument"}
		if what, ok := takes[path]; !ok {
			wrong["--output xml"] = "output format"
		} else {
			wrong[""], wrong["1.0.0.A 1.0.0.B"] = "needs a "+what, "takes one "+what
		}
		if path == "slipway exec" { // any words are a command
			delete(wrong, "x y")
		}
		for args, want := range wrong {
			code, out, talk := call(t, append(strings.Fields(path)[1:], strings.Fields(args)...)...)
			first, remedy, _ := strings.Cut(talk, "\n")
			if code != exitUsage || out != "" || !strings.HasPrefix(first, "error: ") || !strings.Contains(first, want) || strings.TrimSpace(remedy) == "" {
				t.Errorf("%s %s: exit code %d, output %q, talk:\n%s", path, args, code, out, talk)
			}
		}
	}
}

// checkExample finds the command of an example's line, and reads the flags as that command does.
func checkExample(t *testing.T, root *cobra.Command, line string) {
	t.Helper()
	line, _, _ = strings.Cut(line, " #")
	_, call, found := strings.Cut(line, "slipway ")
	if !found {
		t.Errorf("an example without slipway: %s", line)
		return
	}
	call, _, _ = strings.Cut(call, " |")
	call, _, _ = strings.Cut(call, " &&")
	call, _, _ = strings.Cut(call, " >")
	words := strings.Fields(strings.TrimRight(call, ") \n"))
	c, rest, err := root.Find(words)
	if err == nil {
		err = c.ParseFlags(rest)
	}
	if err != nil || c == root {
		t.Errorf("%s: %v", strings.TrimSpace(line), err)
	}
}

func TestColourIsOffWhereItIsNotWantedOrWouldSpoilData(t *testing.T) {
	t.Parallel()
	for args, want := range map[string]bool{"version": true, "version --no-color": false, "version --output json": false} {
		p, _, _ := testProgram()
		p.Terminal = &terminal.Terminal{Out: p.Out, Err: p.Err, Color: true}
		if code := Main(t.Context(), p, strings.Fields(args)); code != exitDone || p.Color != want {
			t.Errorf("%s: exit code %d, colour %v", args, code, p.Color)
		}
	}
}
