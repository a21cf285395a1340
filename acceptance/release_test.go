package acceptance

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"

	"github.com/slipway-cd/slipway/build"
	"github.com/slipway-cd/slipway/cli"
	"github.com/slipway-cd/slipway/cli/terminal"
	"github.com/slipway-cd/slipway/deploy"
	"github.com/slipway-cd/slipway/examples"
	"github.com/slipway-cd/slipway/registry"
)

const exampleDir = "../examples/hid-generator"

// program is the image of the example service. It is built once: versions differ in their environment.
var program = sync.OnceValues(func() (v1.Image, error) {
	return build.Go(context.Background(), build.GoOptions{Dir: exampleDir, Package: "./cmd/hid-generator"})
})

// project copies the example project, with the user's own templates, so that each version may have its number.
func (h *house) project(values ...string) {
	h.Helper()
	example, err := fs.Sub(examples.HIDGenerator, "hid-generator") // not the directory: somebody may have published there
	h.must(err)
	h.must(os.CopyFS(h.projectDir(), example))
	h.edit("slipway.yaml", `version: "1.0.15"`, `version: {file: VERSION}`)
	h.values = append([]string{"registry=" + h.addr, "clusterName=" + houseCluster}, values...)
}

func (h *house) projectDir() string { return filepath.Join(h.root, "project") }

// edit replaces a text that must be there in a file of the project.
func (h *house) edit(file, old, by string) {
	h.Helper()
	path := filepath.Join(h.projectDir(), file)
	text, err := os.ReadFile(path)
	h.must(err)
	if !bytes.Contains(text, []byte(old)) {
		h.Fatalf("%s does not contain %s", file, old)
	}
	h.must(os.WriteFile(path, bytes.Replace(text, []byte(old), []byte(by), 1), 0o644))
}

// push puts the image of a version into the engine's registry. env is what the version does, such as HID_CRASH=3.
func (h *house) push(version string, env ...string) {
	h.Helper()
	img, err := program()
	h.must(err)
	config, err := img.ConfigFile()
	h.must(err)
	config = config.DeepCopy()
	config.Config.Env = append(append(config.Config.Env, "VERSION="+version, houseMark+"="+h.root), env...)
	img, err = mutate.ConfigFile(img, config)
	h.must(err)
	_, err = registry.New(registry.Options{}).Push(h.Context(), h.addr+"/hid-generator:"+version, img, nil)
	h.must(err)
}

// houseMark is a variable in the environment of all containers of a house, by which their processes are found.
const houseMark = "SLIPWAY_TEST_HOUSE"

// publish puts a version's descriptors into the store.
func (h *house) publish(version string) {
	h.Helper()
	number, _, _ := strings.Cut(version, ".RELEASE")
	h.must(os.WriteFile(filepath.Join(h.projectDir(), "VERSION"), []byte(number+"\n"), 0o644))
	out, talk := new(bytes.Buffer), new(bytes.Buffer)
	args := append([]string{"publish", "--project", h.projectDir()}, h.sets()...)
	if code := cli.Main(h.Context(), h.slipway(out, talk), args); code != 0 {
		h.Fatalf("publish ended with %d\n%s", code, talk)
	}
}

func (h *house) sets() []string {
	var args []string
	for _, v := range h.values {
		args = append(args, "--set", v)
	}
	return args
}

// slipway is the command line as CI calls it for the branch master.
func (h *house) slipway(out, talk io.Writer) *cli.Program {
	return &cli.Program{
		Terminal: &terminal.Terminal{In: strings.NewReader(""), Out: out, Err: talk, Env: func(string) string { return "" }},
		Version:  "1.2.3", Environ: append(os.Environ(), "BRANCH_NAME=master"),
	}
}

// installation is what became of one call of `slipway install`.
type installation struct {
	version      string
	code         int
	events       []deploy.Event
	result       deploy.Result
	talk         string
	begun, ended time.Time
}

// at returns the time of the first event of a type.
func (i *installation) at(kind deploy.EventType) time.Time {
	for _, e := range i.events {
		if e.Type == kind {
			return e.Time
		}
	}
	return time.Time{}
}

// String tells the whole story, for failures.
func (i *installation) String() string {
	var b strings.Builder
	for _, e := range i.events {
		b.WriteString(e.Time.Format("15:04:05.000 ") + string(e.Type) + ": " + e.Text + "\n")
	}
	return i.version + "\n" + b.String() + i.talk
}

func (h *house) installArgs(version string) []string {
	return append([]string{"install", version, "--project", h.projectDir(), "--endpoint-url", cmp.Or(h.front, h.endpoint()), "--output", "json", "--no-verify"}, h.sets()...)
}

// install installs a published version and tells each event, as it comes, to those who want to know.
func (h *house) install(version string, watchers ...func(deploy.Event)) *installation {
	h.Helper()
	i := &installation{version: version, begun: time.Now()}
	talk := new(bytes.Buffer)
	out := &eventLines{tell: func(e deploy.Event) {
		i.events = append(i.events, e)
		for _, w := range watchers {
			w(e)
		}
	}}
	i.code = cli.Main(h.Context(), h.slipway(out, talk), h.installArgs(version))
	i.finish(talk.String(), out)
	return i
}

func (i *installation) finish(talk string, out *eventLines) {
	i.ended, i.talk = time.Now(), talk+out.odd
	for _, e := range i.events {
		if e.Result != nil {
			i.result = *e.Result
		}
	}
}

// eventLines reads events, one a line, and keeps what is none.
type eventLines struct {
	tell func(deploy.Event)
	rest []byte
	odd  string
}

// Write takes what the command writes, in any pieces.
func (l *eventLines) Write(p []byte) (int, error) {
	l.rest = append(l.rest, p...)
	for {
		line, rest, whole := bytes.Cut(l.rest, []byte("\n"))
		if !whole {
			return len(p), nil
		}
		l.rest = rest
		var e deploy.Event
		if json.Unmarshal(line, &e) != nil || e.Type == "" {
			l.odd += string(line) + "\n"
			continue
		}
		l.tell(e)
	}
}

// deliver pushes, publishes and installs a version, which must come out proven.
func (h *house) deliver(version string, env ...string) *installation {
	h.Helper()
	h.push(version, env...)
	h.publish(version)
	i := h.install(version)
	h.wantExit(i, 0, deploy.Proven)
	return i
}

func (h *house) wantExit(i *installation, code int, outcomes ...deploy.Outcome) {
	h.Helper()
	for _, o := range outcomes {
		if i.code == code && i.result.Outcome == o {
			return
		}
	}
	h.Fatalf("installing ended with %d, %q; want %d, %q\n%s", i.code, i.result.Outcome, code, outcomes, i)
}
