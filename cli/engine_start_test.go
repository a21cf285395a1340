package cli

import (
	"bufio"
	"context"
	"io"
	"path/filepath"
	"strings"
	"testing"

	"github.com/slipway-cd/slipway/app"
)

func TestAnEngineThatIsInterruptedSaysThatItHasStoppedAndExitsWith0(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	p, _, talk := testProgram()
	out, in := io.Pipe()
	p.Out = in
	ctx, interrupt := context.WithCancel(t.Context())
	code := make(chan int)
	go func() {
		code <- Main(ctx, p, []string{"engine", "start", "--runtime", "scripted", "--listen", "127.0.0.1:0", "--data", dir})
	}()
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil || !strings.HasPrefix(line, "http://127.0.0.1:") {
		t.Fatalf("it is not ready: %q, %v", line, err)
	}
	interrupt()
	if got := <-code; got != exitDone {
		t.Errorf("exit code %d", got)
	}
	if want := "\nthe engine has stopped; its state is in " + dir + "\n"; !strings.HasSuffix(talk.String(), want) {
		t.Errorf("it says:\n%s", talk)
	}
}

func TestAnEngineThatStopsTellsWhatGoesOnRunningAndHowToComeBack(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, tc := range map[string]struct {
		listen, dir string
		tasks       int
		want        string // after the first line
	}{
		"nothing runs": {app.DefaultListen, dir, 0, ""},
		"one task": {
			app.DefaultListen, dir, 1,
			"note: 1 task goes on running. To come back to it: `slipway engine start --data " + dir + "`. " +
				"To remove its containers, do that, and then `slipway engine stop --clear`\n",
		},
		"another address": {
			"127.0.0.1:9", dir, 2,
			"note: 2 tasks go on running. To come back to them: `slipway engine start --data " + dir + " --listen 127.0.0.1:9`. " +
				"To remove their containers, do that, and then `slipway engine stop --clear --endpoint-url URL`\n",
		},
		"a directory with a blank": {
			app.DefaultListen, filepath.Join(dir, "it's here"), 2,
			"note: 2 tasks go on running. To come back to them: `slipway engine start --data '" + dir + `/it'\''s here'` + "`. " +
				"To remove their containers, do that, and then `slipway engine stop --clear`\n",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, _, talk := testProgram()
			p.engineGone(engineStartOptions{listen: tc.listen}, tc.dir, tc.tasks)
			if want := "the engine has stopped; its state is in " + tc.dir + "\n" + tc.want; talk.String() != want {
				t.Errorf("it says:\n%s\nwant:\n%s", talk, want)
			}
		})
	}
}
