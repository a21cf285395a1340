package limits

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

var noon = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)

// taken returns how many of n requests at one time get a token.
func taken(b *Buckets, action string, n int, at time.Time) int {
	passed := 0
	for range n {
		if b.Take(action, at) {
			passed++
		}
	}
	return passed
}

func TestAGroupTakesItsBurstAndThenItsRate(t *testing.T) {
	t.Parallel()
	for action, want := range map[string]struct{ burst, afterASecond, afterAnHour int }{
		"ecs:RegisterTaskDefinition": {20, 1, 20},
		"ecs:UpdateService":          {50, 5, 50},
		"ecs:DescribeServices":       {100, 20, 100},
		"ecs:RunTask":                {100, 40, 100},
		"ecs:DeleteTaskDefinitions":  {5, 1, 5},
		"elbv2:DescribeTargetHealth": {40, 10, 40},
	} {
		var b Buckets
		if got := taken(&b, action, 1000, noon); got != want.burst {
			t.Errorf("%s: %d at once, want %d", action, got, want.burst)
		}
		if got := taken(&b, action, 1000, noon.Add(time.Second)); got != want.afterASecond {
			t.Errorf("%s: %d after a second, want %d", action, got, want.afterASecond)
		}
		if got := taken(&b, action, 1000, noon.Add(time.Hour)); got != want.afterAnHour {
			t.Errorf("%s: %d after an hour, want %d", action, got, want.afterAnHour)
		}
	}
}

func TestOperationsOfOneGroupShareABucketAndOthersDoNot(t *testing.T) {
	t.Parallel()
	var b Buckets
	if got := taken(&b, "ecs:CreateService", 40, noon) + taken(&b, "ecs:UpdateService", 40, noon); got != 50 {
		t.Errorf("creations and updates: %d, want 50 together", got)
	}
	if !b.Take("ecs:DescribeServices", noon) {
		t.Error("reading is refused because of writing")
	}
	taken(&b, "elbv2:DescribeTargetHealth", 40, noon)
	if !b.Take("elb:DescribeLoadBalancers", noon) || b.Take("elbv2:DescribeRules", noon) {
		t.Error("the two versions of load balancing have a bucket each")
	}
}

func TestWhatAWSStatesNoLimitForIsNeverRefused(t *testing.T) {
	t.Parallel()
	var b Buckets
	for _, action := range []string{"sts:GetCallerIdentity", "elbv2:CreateListener", "ecs:Describe", "ecs", ""} {
		if got := taken(&b, action, 5000, noon); got != 5000 {
			t.Errorf("%q: %d of 5000", action, got)
		}
	}
}

func TestFilledBucketsHoldTheirBurst(t *testing.T) {
	t.Parallel()
	var b Buckets
	b.Fill()
	taken(&b, "ecs:CreateCluster", 100, noon)
	b.Fill()
	if got := taken(&b, "ecs:CreateCluster", 100, noon); got != 20 {
		t.Errorf("%d after filling, want 20", got)
	}
}

// Over any time, however requests come, no more pass than the burst and what has come back; and whoever keeps to the rate
// is never refused.
func TestNoMorePassThanTheBurstAndTheRate(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		limit, _ := Of("ecs:UpdateService")
		var b Buckets
		at, passed := noon, 0.0
		for _, step := range rapid.SliceOfN(rapid.IntRange(-50, 3000), 1, 300).Draw(t, "milliseconds between requests") {
			at = at.Add(time.Duration(step) * time.Millisecond)
			if b.Take("ecs:UpdateService", at) {
				passed++
			}
			if most := limit.Burst + max(0, latest(at).Sub(noon).Seconds())*limit.PerSecond; passed > most+1 {
				t.Fatalf("%v passed until %v, want at most %v", passed, at.Sub(noon), most)
			}
		}
		var patient Buckets
		for n := range 200 {
			if !patient.Take("ecs:UpdateService", noon.Add(time.Duration(n)*200*time.Millisecond)) {
				t.Fatalf("request %d at the rate was refused", n)
			}
		}
	})
}

// latest allows for clocks that were set back: tokens that came with the later time stay.
func latest(at time.Time) time.Time { return at.Add(time.Minute) }
