package app

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/slipway-cd/slipway/fault"
)

func TestADirectoryIsUsedWithOneRuntime(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		used, asked, opens RuntimeName // opens nothing: refused
	}{
		"a new one with any":            {"", Process, Process},
		"a new one with the best":       {"", Auto, Auto},
		"a new one, nothing asked":      {"", "", Auto},
		"the same again":                {Docker, Docker, Docker},
		"the best is the same again":    {Docker, Auto, Docker},
		"processes though Docker is up": {Process, "", Process},
		"another":                       {Docker, Process, ""},
		"none at all":                   {Process, Scripted, ""},
		"one that isn't":                {"", "podman", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := usage{Runtime: tc.used}.choose("/data", tc.asked)
			if got != tc.opens || (err != nil) != (tc.opens == "") {
				t.Errorf("opens %q, %v", got, err)
			}
			if err != nil && (fault.KindOf(err) != fault.Invalid || fault.HintOf(err) == "") {
				t.Errorf("%s: %v (%s)", fault.KindOf(err), err, fault.HintOf(err))
			}
		})
	}
}

// refusedEngine returns why no engine can be had.
func refusedEngine(t *testing.T, o EngineOptions) error {
	t.Helper()
	o.Listen = "127.0.0.1:0"
	e, err := NewEngine(t.Context(), o)
	if err == nil {
		if err := e.Stop(context.Background()); err != nil {
			t.Error(err)
		}
		t.Fatal("it is not refused")
	}
	return err
}

func TestTheAddressesOfADirectoryAreRemembered(t *testing.T) {
	t.Parallel()
	u := usage{Addresses: []string{"a:1", "b:2"}}
	if before, from := u.before("c:3"), u.movedTo("c:3"); !slices.Equal(before, []string{"a:1", "b:2"}) || from != "b:2" {
		t.Errorf("somewhere new: %q, from %q", before, from)
	}
	if before, from := u.before("b:2"), u.movedTo("b:2"); !slices.Equal(before, []string{"a:1"}) || from != "" {
		t.Errorf("where it was: %q, from %q", before, from)
	}
	if before, from := u.before("a:1"), u.movedTo("a:1"); !slices.Equal(before, []string{"b:2"}) || from != "b:2" {
		t.Errorf("back: %q, from %q", before, from)
	}
	if before, from := (usage{}).before("a:1"), (usage{}).movedTo("a:1"); len(before) > 0 || from != "" {
		t.Errorf("for the first time: %q, from %q", before, from)
	}
}

func TestAnotherRuntimeIsRefusedUntilTheContainersAreRemoved(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	e := startEngine(t, EngineOptions{Dir: dir, Runtime: Scripted})
	if err := e.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	err := refusedEngine(t, EngineOptions{Dir: dir, Runtime: Docker})
	if fault.KindOf(err) != fault.Invalid || !strings.Contains(err.Error(), "used with the runtime scripted") {
		t.Errorf("%s: %v", fault.KindOf(err), err)
	}
	e = startEngine(t, EngineOptions{Dir: dir, Runtime: Auto})
	if kind := e.engine.Runtime().Kind(); kind != string(Scripted) {
		t.Errorf("auto is %s", kind)
	}
	if err := e.Clear(t.Context()); err != nil {
		t.Fatal(err)
	}
	if used, err := readUsage(dir); err != nil || used.Runtime != "" {
		t.Errorf("after clearing, the directory is used with %q, %v", used.Runtime, err)
	}
}

// An engine that took processes because Docker is down for once would start everything a second time.
func TestADirectoryWhoseDockerIsDownIsNotUsedWithProcesses(t *testing.T) {
	nobody, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("DOCKER_HOST", "tcp://"+nobody.Addr().String())
	nobody.Close()
	dir := t.TempDir()
	if err := (usage{Runtime: Docker}).write(dir); err != nil {
		t.Fatal(err)
	}
	err = refusedEngine(t, EngineOptions{Dir: dir, Runtime: Auto})
	if fault.KindOf(err) != fault.Unavailable || !strings.Contains(err.Error(), "used with the runtime docker: no Docker Engine answers") {
		t.Errorf("%s: %v", fault.KindOf(err), err)
	}
	if hint := fault.HintOf(err); strings.Contains(hint, "another runtime") || !strings.Contains(hint, "start Docker") {
		t.Errorf("hint: %s", hint)
	}
	if _, err := os.Stat(filepath.Join(dir, "processes")); err == nil {
		t.Error("processes were opened")
	}
}

func TestADirectoryThatCannotBeUnderstoodIsNotUsed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.WriteFile(usageFile(dir), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := refusedEngine(t, EngineOptions{Dir: dir, Runtime: Scripted}); fault.KindOf(err) != fault.Corrupt {
		t.Errorf("%s: %v", fault.KindOf(err), err)
	}
}
