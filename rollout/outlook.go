package rollout

import "strconv"

// Outlook is what a rollout is expected to be like.
type Outlook struct {
	Replaced int     `json:"replaced"`              // tasks that run now and will be replaced
	Started  int     `json:"started"`               // tasks that will be started
	Stopped  int     `json:"stopped"`               // tasks that will be stopped
	Seconds  float64 `json:"lastSeconds,omitempty"` // that the newest deployment took which came to its end; 0: none is known
}

// Foreseen returns what steps are expected to be like for a service as it was seen.
func Foreseen(steps []Step, seen Observed) Outlook {
	var o Outlook
	if len(seen.Proven) > 0 {
		o.Seconds = seen.Proven[0].Took
	}
	primary := seen.Primary()
	if primary == nil {
		return o
	}
	for _, s := range steps {
		if s.Kind != Update {
			continue
		}
		desired := scaled(seen, primary.Desired)
		if anew(s, seen) {
			o.Replaced, o.Started, o.Stopped = min(primary.Running, desired), desired, primary.Running
			continue
		}
		o.Started, o.Stopped = max(desired-primary.Desired, 0), max(primary.Desired-desired, 0)
	}
	return o
}

// scaled returns how many tasks there are to be, which the wanted document may change.
func scaled(seen Observed, desired int) int {
	for _, d := range seen.Differs {
		if n, err := strconv.Atoi(d.Want); err == nil && d.Path == "desiredCount" {
			return n
		}
	}
	return desired
}

// anew reports that an update starts a new deployment: whoever else is changed than how many tasks there are, and how they
// come up, is started again.
func anew(update Step, seen Observed) bool {
	if update.Force || seen.Running != nil && len(seen.Running.Differs) > 0 {
		return true
	}
	for _, d := range seen.Differs {
		if !inPlace[member(d.Path)] {
			return true
		}
	}
	return false
}

// inPlace are the members of a service that change without a new deployment. [Amazon ECS: UpdateService]
var inPlace = map[string]bool{
	"desiredCount": true, "deploymentConfiguration": true, "healthCheckGracePeriodSeconds": true, "placementConstraints": true,
	"placementStrategy": true, "enableECSManagedTags": true, "propagateTags": true, "enableExecuteCommand": true,
	"availabilityZoneRebalancing": true,
}

// member returns the first member of a path: deploymentConfiguration.maximumPercent, loadBalancers[0].
func member(path string) string {
	for i, c := range path {
		if c == '.' || c == '[' {
			return path[:i]
		}
	}
	return path
}

// Changes returns how what runs differs from what is wanted, the task definition first.
func Changes(seen Observed) []Difference {
	all := []Difference{}
	if seen.Running != nil {
		all = append(all, seen.Running.Differs...)
	}
	return append(all, seen.Differs...)
}
