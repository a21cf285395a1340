package delivery

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-cd/slipway/config"
	"github.com/slipway-cd/slipway/fault"
)

// notes answers every look-up with its name, and keeps who asked for what.
type notes struct {
	mu    sync.Mutex
	asked []string
}

func (n *notes) Look(_ context.Context, region string, what config.Lookup) (string, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.asked = append(n.asked, region+" "+what.String())
	if strings.HasPrefix(what.Name.Text, "/empty") {
		return "", nil
	}
	if strings.HasPrefix(what.Name.Text, "/gone") {
		return "", fault.New(fault.NotFound, "%s doesn't exist", what).WithHint("make it")
	}
	return region + what.Name.Text, nil
}

const lookedUp = `project: web
version: "1.0.0"
image: {repository: "${registry}/web"}
descriptors: {taskDefinition: task.yaml}
values:
  registry: {ssm: /registry}
  host: {ssm: "/${environment}/host"}
  unused: {ssm: /gone/unused}
  maybe: {ssm: /empty}
  fallback: {ssm: /fallback}
environments:
  qa: {region: eu-west-1}
  production: {region: us-east-1, values: {extra: {env: EXTRA}}}
`

func workspace(t *testing.T, project, task string, lookup Lookup, set ...string) *Workspace {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{"slipway.yaml": project, "task.yaml": task} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	w, err := Open(t.Context(), Options{Dir: dir, Environ: []string{"BRANCH_NAME=master", "PATH=" + os.Getenv("PATH")}, Set: set, Lookup: lookup})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

const lookedUpTask = `family: web
containerDefinitions:
  - {name: c, image: "${registry}/web", memory: 64, environment: [{name: HOST, value: "${host}"}, {name: M, value: "${maybe:-${fallback}}"}]}
`

func TestOnlyWhatIsUsedIsLookedUpAndThatOnce(t *testing.T) {
	t.Parallel()
	n := &notes{}
	w := workspace(t, lookedUp, lookedUpTask, n)
	for range 2 {
		rendered, err := w.Render(t.Context(), w.Project.AllEnvironments(), "")
		if err != nil {
			t.Fatal(err)
		}
		body := string(rendered[0].Documents[0].Body)
		for _, want := range []string{`"eu-west-1/registry/web"`, `"eu-west-1/qa/host"`, `"eu-west-1/fallback"`} {
			if !strings.Contains(body, want) {
				t.Errorf("no %s in\n%s", want, body)
			}
		}
		origin := rendered[1].Documents[0].Used["host"].Origin.String()
		if want := `SSM parameter "/${environment}/host" (slipway.yaml:7:9)`; origin != want {
			t.Errorf("origin %q, want %q", origin, want)
		}
	}
	if ref, err := w.ImageName(t.Context(), w.Project.Environments[0]); err != nil || ref.String() != "eu-west-1/registry/web:1.0.0.RELEASE" {
		t.Errorf("image %s, %v", ref, err)
	}
	slices.Sort(n.asked)
	var want []string
	for _, env := range [][2]string{{"eu-west-1", "qa"}, {"us-east-1", "production"}} {
		for _, name := range []string{"/" + env[1] + "/host", "/empty", "/fallback", "/registry"} {
			want = append(want, fmt.Sprintf("%s SSM parameter %q", env[0], name))
		}
	}
	slices.Sort(want)
	if diff := cmp.Diff(want, n.asked); diff != "" {
		t.Error(diff)
	}
}

func TestAValueThatIsGivenIsNotLookedUp(t *testing.T) {
	t.Parallel()
	n := &notes{}
	w := workspace(t, lookedUp, lookedUpTask, n, "registry=r", "host=h", "maybe=m")
	if _, err := w.Render(t.Context(), w.Project.AllEnvironments(), ""); err != nil || len(n.asked) > 0 {
		t.Errorf("%v, asked %v", err, n.asked)
	}
}

func TestEverythingThatCannotBeLookedUpIsToldAtItsPlace(t *testing.T) {
	t.Parallel()
	project := strings.NewReplacer("/registry}", "/gone/a}", `"/${environment}/host"`, `"/gone/${environment}"`, "/fallback}", "\"/${host}/${nothing}\"}").Replace(lookedUp)
	w := workspace(t, project, lookedUpTask, &notes{})
	_, err := w.Render(t.Context(), w.Project.AllEnvironments(), "")
	want := `slipway.yaml:6:13: registry: SSM parameter "/gone/a" doesn't exist (make it)
slipway.yaml:7:9: host: SSM parameter "/gone/production" doesn't exist (make it)
slipway.yaml:7:9: host: SSM parameter "/gone/qa" doesn't exist (make it)`
	var got []string
	for line := range strings.SplitSeq(fmt.Sprint(err), "\n") {
		got = append(got, line)
	}
	slices.Sort(got)
	if diff := cmp.Diff(strings.Split(want, "\n"), got); diff != "" {
		t.Error(diff)
	}
	w = workspace(t, project, lookedUpTask, &notes{}, "registry=r", "maybe=")
	_, err = w.Render(t.Context(), w.Project.Environments[:1], "")
	if want := `slipway.yaml:7:9: host: SSM parameter "/gone/qa" doesn't exist (make it)`; !strings.Contains(fmt.Sprint(err), want) ||
		!strings.Contains(fmt.Sprint(err), `a look-up cannot use "host", which is looked up itself`) ||
		!strings.Contains(fmt.Sprint(err), `there is no value for "nothing"`) {
		t.Errorf("%v", err)
	}
}
