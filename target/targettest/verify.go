package targettest

import (
	"context"
	"testing"

	"github.com/slipway-cd/slipway/rollout"
)

// Verifier is a target that finds out before a rollout what would make it fail: deploy.Verifier, said again.
type Verifier interface {
	Verify(ctx context.Context, want rollout.Desired) []rollout.Finding
}

// verified holds a target to finding what keeps tasks from starting, to blaming nothing else, and to touching nothing.
func verified(t *testing.T, e Env) {
	verifier, ok := e.Target.(Verifier)
	if !ok {
		t.Fatalf("%T cannot verify", e.Target)
	}
	problems := func(service rollout.ServiceName, b Behaviour) []rollout.Finding {
		t.Helper()
		want := e.wanted(service, b)
		found := rollout.Problems(verifier.Verify(t.Context(), want))
		if seen := e.observe(t, want.Ref, rollout.Glance); seen.Status != rollout.Missing {
			t.Errorf("the service is %s after it was verified", seen.Status)
		}
		return found
	}
	if found := problems("verified", Works); len(found) > 0 {
		t.Errorf("problems of what works: %+v", found)
	}
	for _, f := range problems("verified", Oversized) {
		if f.Text == "" || f.Subject == "" || f.Hint == "" {
			t.Errorf("a problem does not say what about what is the matter, and what to do: %+v", f)
		}
	}
	if found := problems("verified", Oversized); len(found) != 1 {
		t.Errorf("problems of what is larger than every instance: %+v", found)
	}
	if found := problems("unsupplied", Needy); len(found) != 1 {
		t.Errorf("problems of what lacks something: %+v", found)
	}
	e.Supply(t, "unsupplied", true)
	if found := problems("unsupplied", Needy); len(found) > 0 {
		t.Errorf("problems of what has what it needs: %+v", found)
	}
}
