package cli

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"

	"github.com/slipway-cd/slipway/app"
	"github.com/slipway-cd/slipway/config"
)

func TestInstallFlags(t *testing.T) {
	t.Parallel()
	var none, all installOptions
	parse(t, none.flags)
	parse(t, all.flags, "--project", "dir", "--environment", "qa", "--store", "dir:x", "--set", "a=1,2", "--set", "b=2",
		"--region", "eu-west-1", "--profile", "ci", "--endpoint-url", "http://127.0.0.1:1", "--timeout", "10m", "--bake", "0s",
		"--no-rollback", "--force", "--until", "paused")
	unexported := cmp.AllowUnexported(installOptions{}, projectOptions{}, targetOptions{})
	if diff := cmp.Diff(installOptions{projectOptions: projectOptions{dir: "."}, bake: -1, until: "proven"}, none, unexported); diff != "" {
		t.Errorf("without flags (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(installOptions{
		projectOptions: projectOptions{dir: "dir", environment: "qa", store: "dir:x", set: []string{"a=1,2", "b=2"}},
		targetOptions:  targetOptions{region: "eu-west-1", profile: "ci", endpoint: "http://127.0.0.1:1"},
		timeout:        10 * time.Minute, noRollback: true, force: true, until: "paused",
	}, all, unexported); diff != "" {
		t.Errorf("with all flags (-want +got):\n%s", diff)
	}
}

func parse(t *testing.T, flags func(*cobra.Command), args ...string) {
	t.Helper()
	c := &cobra.Command{}
	flags(c)
	if err := c.ParseFlags(args); err != nil {
		t.Fatal(err)
	}
}

func TestTheRegionIsTheFlagsElseTheEnvironments(t *testing.T) {
	t.Parallel()
	env := config.Environment{Region: "us-east-1"}
	if got := (targetOptions{}).options(env).Region; got != "us-east-1" {
		t.Errorf("without the flag: %s", got)
	}
	if got := (targetOptions{region: "eu-west-1"}).options(env).Region; got != "eu-west-1" {
		t.Errorf("with the flag: %s", got)
	}
}

func TestEngineOptions(t *testing.T) {
	t.Parallel()
	p, _, _ := testProgram("HOME=/home/ada", "AWS_ENDPOINT_URL=http://127.0.0.1:1/")
	given := engineStartOptions{listen: "127.0.0.1:0", runtime: "scripted", credentials: "key:se:cret", region: "r", speed: 2, zones: []string{"a"}}
	got, err := given.options(p)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(app.EngineOptions{
		Listen: "127.0.0.1:0", Dir: "/home/ada/.local/state/slipway/engine", Runtime: app.Scripted, Speed: 2, Instances: -1,
		Zones: []string{"a"}, Region: "r", Credentials: map[string]string{"key": "se:cret"},
	}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for _, wrong := range []engineStartOptions{{speed: 0}, {speed: 1, credentials: "key"}, {speed: 1, credentials: ":x"}} {
		if _, err := wrong.options(p); ExitCode(err) != exitUsage {
			t.Errorf("%+v: %v", wrong, err)
		}
	}
	p.Environ = nil
	if _, err := (engineStartOptions{speed: 1}).options(p); ExitCode(err) != exitUsage {
		t.Errorf("without a home directory: %v", err)
	}
}

func TestAnEngineIsMeantByFlagThenVariableThenDefault(t *testing.T) {
	t.Parallel()
	p, _, _ := testProgram("AWS_ENDPOINT_URL=http://127.0.0.1:1/", "XDG_STATE_HOME=/state")
	if got := p.engineEndpoint("http://127.0.0.1:2/"); got != "http://127.0.0.1:2" {
		t.Errorf("flag: %s", got)
	}
	if got := p.engineEndpoint(""); got != "http://127.0.0.1:1" {
		t.Errorf("variable: %s", got)
	}
	if dir, err := p.stateDirectory(); dir != "/state/slipway/engine" || err != nil {
		t.Errorf("state in %s, %v", dir, err)
	}
	p.Environ = nil
	if got := p.engineEndpoint(""); got != "http://127.0.0.1:4566" {
		t.Errorf("default: %s", got)
	}
}

func TestADetachedEngineIsStartedAsItWasCalled(t *testing.T) {
	t.Parallel()
	p, _, _ := testProgram()
	p.verbose = true
	o := engineStartOptions{
		listen: "127.0.0.1:0", runtime: "process", credentials: "k:s", region: "r", limits: "aws", speed: 2.5, instances: 3, zones: []string{"a", "c"}, detach: true,
	}
	want := []string{
		"engine", "start", "--output", "json", "--listen", "127.0.0.1:0", "--data", "/data", "--speed", "2.5", "--runtime", "process",
		"--instances", "3", "--zones", "a,c", "--region", "r", "--limits", "aws", "--credentials", "k:s", "--verbose",
	}
	if diff := cmp.Diff(want, o.arguments("/data", p)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
