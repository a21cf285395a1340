package bench

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"
)

// installQuick measures several installations at twenty times AWS's pace, where everything that Slipway adds shows.
func (h *house) installQuick(b *testing.B) {
	for b.Loop() {
		s := h.newStage(b, "process", fast)
		var all []rollout
		for n := range 6 {
			number := fmt.Sprintf("1.0.%d", 15+n)
			if err := s.publish(b.Context(), number); err != nil {
				b.Fatal(err)
			}
			r, err := s.install(b.Context(), number)
			if err != nil {
				b.Fatal(err)
			}
			all = append(all, r)
		}
		h.table.section("slipway install at speed 20, from its start to its exit, against the time that the engine needed")
		h.tellInstall("first version (creates the service)", all[0])
		r := middle(all[1:])
		h.tellInstall(fmt.Sprintf("next versions, median of %d", len(all)-1), r)
		report(b, r)
	}
}

// middle returns the one of median wall time relative to the engine's.
func middle(all []rollout) rollout {
	ratios := make([]float64, len(all))
	for i, r := range all {
		ratios[i] = ratio(r.wall, r.engine)
	}
	m := median(ratios)
	for i, r := range all {
		if ratios[i] == m {
			return r
		}
	}
	return all[0]
}

func report(b *testing.B, r rollout) {
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(ratio(r.wall, r.engine), "×engine-time")
	b.ReportMetric(r.tail.Seconds()*1000, "ms-after-steady")
	b.ReportMetric(float64(r.calls.Total()), "calls/deployment")
}

func (h *house) tellInstall(what string, r rollout) {
	h.table.add(what, seconds(r.wall), "engine "+seconds(r.engine), ratio(r.wall, r.engine))
	h.table.note("· start until the deployment exists", millis(r.lead))
	h.table.note("· steady state until exit", millis(r.tail))
	h.table.note("· API calls", fmt.Sprint(r.calls.Total()))
	h.table.detail(r.calls.String())
}

// installSlow measures an installation at AWS's own pace, where the promise is to exit within a second of the steady
// state, beside one by hand on an engine of its own at the same time.
func (h *house) installSlow(b *testing.B) {
	for b.Loop() {
		ours, scripts := h.newStage(b, "process", 1), h.newStage(b, "process", 1)
		var created, updated, byHand rollout
		var errs [2]error
		var both sync.WaitGroup
		both.Go(func() { created, updated, errs[0] = pair(b, ours, ours.install) })
		both.Go(func() { _, byHand, errs[1] = pair(b, scripts, scripts.byHand) })
		both.Wait()
		for _, err := range errs {
			if err != nil {
				b.Fatal(err)
			}
		}
		h.tellSlow(created, updated, byHand)
		report(b, updated)
		b.ReportMetric(ratio(updated.calls.Total(), byHand.calls.Total()), "×calls-by-hand")
	}
}

// pair installs the first version with slipway and the second one in a way of its own.
func pair(b *testing.B, s *stage, second func(ctx context.Context, number string) (rollout, error)) (rollout, rollout, error) {
	if err := s.publish(b.Context(), "1.0.15"); err != nil {
		return rollout{}, rollout{}, err
	}
	first, err := s.install(b.Context(), "1.0.15")
	if err != nil {
		return first, rollout{}, err
	}
	if err := s.publish(b.Context(), "1.0.16"); err != nil {
		return first, rollout{}, err
	}
	r, err := second(b.Context(), "1.0.16")
	return first, r, err
}

func (h *house) tellSlow(created, updated, byHand rollout) {
	h.table.section("slipway install at speed 1, AWS's own pace")
	h.tellInstall("first version (creates the service)", created)
	h.tellInstall("next version", updated)
	h.table.section("the same next version by hand (register, update, AWS's services-stable waiter), at the same time")
	h.table.add("by hand", seconds(byHand.wall), "engine "+seconds(byHand.engine), ratio(byHand.wall, byHand.engine))
	h.table.note("· steady state until exit", millis(byHand.tail))
	h.table.add("API calls of slipway", fmt.Sprint(updated.calls.Total()), fmt.Sprintf("by hand %d", byHand.calls.Total()), ratio(updated.calls.Total(), byHand.calls.Total()))
	h.table.note("· a minute of deployment", fmt.Sprintf("%.1f calls", float64(updated.calls.Total())*float64(time.Minute)/float64(updated.wall)))
}
