package conformance

import (
	"cmp"
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/slipway-cd/slipway/engine"
	"github.com/slipway-cd/slipway/engine/state"
)

// show is a scenario that is played in virtual time.
type show struct {
	*house
	stage
	*record
	scenario *Scenario
	since    int // the line that the latest step stands at
}

// perform plays a scenario from its first step to its end.
func perform(t *testing.T, s *Scenario) *show {
	t.Helper()
	n := newNames()
	w := &show{scenario: s, record: newRecord(n, s.Shows)}
	w.house = newHouse(t, func(o *engine.Options) {
		o.Instances, o.Zones, o.InstanceCPU, o.InstanceMemory = 2, s.Zones, s.CPU, s.Memory
		if s.Instances != nil {
			o.Instances = cmp.Or(*s.Instances, -1)
		}
		o.Hooks = (&function{answers: s.Hooks}).hooks()
	})
	w.stage = stage{clients: w.house.clients, names: n}
	w.must(w.setUp(t.Context(), s.Plan))
	w.settle()
	for _, step := range s.Steps {
		w.await(step)
		w.do(step)
	}
	w.look(w.age() + time.Duration(s.Until))
	return w
}

// names of both the stage and the record.
func (w *show) fill(s string) string { return w.stage.names.fill(s) }

// look watches until then.
func (w *show) look(until time.Duration) {
	for w.age() < until {
		changes := w.next(w.began.Add(until))
		w.note(w.age(), changes)
	}
}

// patience is how much virtual time may pass until something happens that a step waits for.
const patience = 24 * time.Hour

// await lets the time pass until a step's time has come.
func (w *show) await(s Step) {
	w.Helper()
	if s.At != nil {
		if *s.At < w.age() {
			w.Fatalf("%s: the step at line %d of its plan is to be taken at %v, when %v have passed already", w.scenario.Path, s.Line, *s.At, w.age())
		}
		w.look(*s.At)
		return
	}
	for limit := w.age() + patience; !w.happened(s.When); {
		if w.age() >= limit {
			w.Fatalf("%s: the step at line %d waits in vain for %q\n%s", w.scenario.Path, s.Line, s.When, w.text())
		}
		changes := w.next(w.began.Add(limit))
		w.note(w.age(), changes)
	}
	w.look(w.age() + s.After)
}

// happened reports whether a line since the latest step has this in it.
func (w *show) happened(what string) bool {
	return slices.ContainsFunc(w.lines[w.since:], func(l line) bool { return strings.Contains(l.kind+" "+l.text, what) })
}

func (w *show) do(s Step) {
	w.Helper()
	w.add(lineStep, "%s", s.Does)
	err := w.act(s)
	w.note(w.age(), nil)
	w.since = len(w.lines)
	if err != nil {
		w.add(lineStep, "%s", "is refused: "+worded(err))
	}
	w.note(w.age(), w.settle())
}

func (w *show) act(s Step) error {
	if s.Does != lose {
		return w.stage.call(w.Context(), s.Does, &s.With, w.fill)
	}
	var what losing
	if err := build(&s.With, reflect.ValueOf(&what).Elem(), nil); err != nil {
		return err
	}
	return w.DB().Write(func(tx *state.Tx) error {
		for i := range tx.Instances("default") {
			hit := what.Zone == zoneLetter(i.Zone) || what.Instance == w.stage.names.others[string(i.ID)]
			if !hit || !i.Gone.IsZero() {
				continue
			}
			if _, err := w.LoseInstance(tx, i.ID); err != nil {
				return err
			}
		}
		return nil
	})
}

// text is everything that has happened.
func (w *show) text() string { return textOf(w.lines) }

func textOf(lines []line) string {
	var b strings.Builder
	for _, l := range lines {
		fmt.Fprintln(&b, l)
	}
	return b.String()
}

// function stands in for the Lambda function "check".
type function struct {
	answers map[string]string
	mu      sync.Mutex
	calls   map[string]int
}

func (f *function) hooks() engine.Hooks {
	f.calls = map[string]int{}
	return engine.Hooks{"check": f.call}
}

func (f *function) call(_ context.Context, payload []byte) ([]byte, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	stage := stageOf(payload)
	f.calls[stage]++
	answers := strings.Split(cmp.Or(f.answers[stage], `{"hookStatus":"SUCCEEDED"}`), "|")
	return []byte(answers[min(f.calls[stage], len(answers))-1]), nil
}
