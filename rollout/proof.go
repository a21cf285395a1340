package rollout

import (
	"fmt"
	"strings"
)

// Unproven returns what is missing until the deployment with the id is proven, the project's checks and the bake time
// left aside. It returns nothing when nothing is missing.
//
// That as many tasks run as are desired proves nothing: they may be the old ones, or the next crash may be a second away.
func Unproven(seen Observed, id DeploymentID) []Reason {
	if seen.Status != Active {
		return []Reason{"the service is " + Reason(seen.Status)}
	}
	primary := seen.Primary()
	if primary == nil {
		return []Reason{"the service has no deployment"}
	}
	if primary.ID != id {
		return []Reason{reason("deployment %s is not the primary one", id)}
	}
	missing := unsettled(seen, *primary)
	if len(missing) > 0 && seen.Shift != nil {
		return append([]Reason{reason("the deployment is at %s", seen.Shift)}, missing...)
	}
	if len(missing) > 0 {
		return missing
	}
	if !seen.Ref.Depth.Has(Tasks) {
		return []Reason{"its tasks have not been looked at"}
	}
	return append(unhealthyTasks(seen, *primary), unhealthyTargets(seen)...)
}

// unsettled tells what the counts and states of the deployments alone say.
func unsettled(seen Observed, primary Deployment) []Reason {
	var missing []Reason
	if primary.Running < primary.Desired {
		missing = append(missing, reason("%d of %d new tasks are running", primary.Running, primary.Desired))
	}
	if primary.Running > primary.Desired {
		missing = append(missing, reason("%d tasks are running, %d are desired", primary.Running, primary.Desired))
	}
	if primary.Pending > 0 {
		missing = append(missing, reason("%s pending", count(primary.Pending, "new task is", "new tasks are")))
	}
	for _, d := range seen.Deployments {
		if old := d.Running + d.Pending; !d.Primary && old > 0 {
			missing = append(missing, reason("%s left", count(old, "old task is", "old tasks are")))
		}
	}
	if len(missing) == 0 && primary.State != Completed {
		missing = append(missing, "the scheduler has not completed the deployment")
	}
	return missing
}

func unhealthyTasks(seen Observed, primary Deployment) []Reason {
	running, old, sick, unknown := 0, 0, 0, 0
	for _, t := range seen.Tasks {
		switch {
		case t.Status != TaskRunning:
		case t.Revision != primary.Revision:
			old++
		default:
			running++
			switch t.Health {
			case Unhealthy:
				sick++
			case Unknown:
				unknown++
			case Healthy, Unchecked:
			}
		}
	}
	var missing []Reason
	for _, m := range []struct {
		n         int
		one, many string
	}{
		{old, "running task has another task definition", "running tasks have another task definition"},
		{sick, "task is unhealthy", "tasks are unhealthy"},
		{unknown, "task has not been found healthy yet", "tasks have not been found healthy yet"},
	} {
		if m.n > 0 {
			missing = append(missing, Reason(count(m.n, m.one, m.many)))
		}
	}
	if running != primary.Desired {
		missing = append(missing, reason("%d of %d tasks run the new task definition", running, primary.Desired))
	}
	return missing
}

// unhealthyTargets leaves aside the targets that are being taken out: they belong to tasks that are gone.
func unhealthyTargets(seen Observed) []Reason {
	var missing []Reason
	for _, t := range seen.Targets {
		if t.State == TargetHealthy || t.State == TargetDraining {
			continue
		}
		text := fmt.Sprintf("target %s is %s", t.Name(), t.State)
		if t.Reason != "" {
			text += ": " + strings.TrimSuffix(t.Reason, ".")
		}
		missing = append(missing, Reason(text))
	}
	return missing
}

// Name returns the target as id:port, or its id when there is no port.
func (t TargetHealth) Name() string {
	if t.Port == 0 {
		return t.ID
	}
	return fmt.Sprintf("%s:%d", t.ID, t.Port)
}

func reason(format string, args ...any) Reason { return Reason(fmt.Sprintf(format, args...)) }

// count returns "1 task is" or "3 tasks are".
func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// Settled reports that, by the deployments' counts and states alone, the primary one has come to its end: time to look at
// its tasks.
func Settled(seen Observed) bool {
	primary := seen.Primary()
	return seen.Status == Active && primary != nil && len(unsettled(seen, *primary)) == 0
}

// NearEnd reports that all new tasks run: what is missing may come at any moment.
func NearEnd(seen Observed) bool {
	primary := seen.Primary()
	return primary != nil && primary.Running >= primary.Desired
}
