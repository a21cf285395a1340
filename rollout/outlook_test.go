package rollout

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestWhatARolloutIsExpectedToBeLike(t *testing.T) {
	t.Parallel()
	differing := func(paths ...Difference) func(*Observed) {
		return func(o *Observed) { o.Running, o.Differs = &Revision{ID: "web:1"}, paths }
	}
	took := func(o *Observed) { o.Proven[0].Took = 52 }
	for name, tc := range map[string]struct {
		seen Observed
		want Outlook
	}{
		"another task definition":           {having(before(), took), Outlook{Replaced: 2, Started: 2, Stopped: 2, Seconds: 52}},
		"it does not exist":                 {Observed{Status: Missing}, Outlook{}},
		"nothing changes":                   {having(before(), differing()), Outlook{}},
		"two tasks more":                    {having(before(), differing(Difference{Path: "desiredCount", Have: "2", Want: "4"})), Outlook{Started: 2}},
		"one task less":                     {having(before(), differing(Difference{Path: "desiredCount", Have: "2", Want: "1"})), Outlook{Stopped: 1}},
		"other limits":                      {having(before(), differing(Difference{Path: "deploymentConfiguration.maximumPercent", Have: "200", Want: "150"})), Outlook{}},
		"another load balancer":             {having(before(), differing(Difference{Path: "loadBalancers[0].targetGroupArn"})), Outlook{Replaced: 2, Started: 2, Stopped: 2}},
		"another image, and four tasks now": {having(before(), func(o *Observed) { o.Differs = []Difference{{Path: "desiredCount", Have: "2", Want: "4"}} }), Outlook{Replaced: 2, Started: 4, Stopped: 2}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			steps, _, _ := Next(wanted(), tc.seen, Policy{}, noon)
			if diff := cmp.Diff(tc.want, Foreseen(steps, tc.seen)); diff != "" {
				t.Error(diff)
			}
		})
	}
}
