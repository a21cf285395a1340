// Package conformance plays scenarios, one file each, on the engine, and holds what happens against what Amazon ECS does:
// the exact sequence of events, statuses and reasons. It also drives random histories of operations, failures and kills,
// and looks for a rule that breaks.
package conformance

import (
	"flag"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
)

var update = flag.Bool("update", false, "write what happens into the scenarios; check every line of it against what AWS does")

// histories is how many random histories are played unless -rapid.checks says so: as many as take a few seconds.
const histories = "40"

func TestMain(m *testing.M) {
	flag.Parse()
	told := false
	flag.Visit(func(f *flag.Flag) { told = told || f.Name == "rapid.checks" })
	if !told {
		if err := flag.Set("rapid.checks", histories); err != nil {
			panic(err)
		}
	}
	goleak.VerifyTestMain(m)
}

func TestScenarios(t *testing.T) {
	t.Parallel()
	for _, s := range everyScenario(t) {
		t.Run(s.name(), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := perform(t, s)
				ends, err := w.ends(t.Context())
				w.must(err)
				s.compare(t, w.text(), ends)
			})
		})
	}
}

func (s *Scenario) name() string { return strings.TrimSuffix(filepath.Base(s.Path), ".txtar") }

func everyScenario(t *testing.T) []*Scenario {
	t.Helper()
	paths, err := scenarios()
	if err != nil {
		t.Fatal(err)
	}
	var list []*Scenario
	for _, path := range paths {
		s, err := readScenario(path)
		if err != nil {
			t.Error(err)
			continue
		}
		list = append(list, s)
	}
	return list
}

func (s *Scenario) compare(t *testing.T, happens, ends string) {
	t.Helper()
	if *update {
		if err := s.write(happens, ends); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(strings.Split(s.Happens, "\n"), strings.Split(happens, "\n")); diff != "" {
		t.Errorf("%s: what happens is not what is expected (-expected +happened):\n%s", s.Path, diff)
	}
	if diff := cmp.Diff(strings.Split(s.Ends, "\n"), strings.Split(ends, "\n")); diff != "" {
		t.Errorf("%s: it does not end as is expected (-expected +happened):\n%s", s.Path, diff)
	}
}
