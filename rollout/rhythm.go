package rollout

import (
	"slices"
	"time"
)

// What is nearer together than together was decided at once; what is further apart than apart has nothing to do with each
// other.
const (
	together = 50 * time.Millisecond
	apart    = time.Minute
)

// Rhythm is how long a scheduler lets pass between two decisions about a service, as far as its messages tell: the lower
// quartile of the gaps between them. It is zero while they tell nothing. Amazon ECS comes back to a service about every
// ten seconds, so that for most of that time there is nothing new to be seen.
func Rhythm(seen Observed) time.Duration {
	var gaps []time.Duration
	for i := 1; i < len(seen.Events); i++ {
		gap := seen.Events[i-1].At.Sub(seen.Events[i].At) // the newest comes first
		if gap > together && gap < apart {
			gaps = append(gaps, gap)
		}
	}
	if len(gaps) == 0 {
		return 0
	}
	slices.Sort(gaps)
	return gaps[(len(gaps)-1)/4]
}
