package rollout

import (
	"fmt"

	"github.com/slipway-cd/slipway/descriptor"
)

// changes returns why a service that exists has to be updated; nothing when it is as wanted.
func changes(want Desired, seen Observed) []Reason {
	var reasons []Reason
	if want.Force {
		reasons = append(reasons, "a new deployment is asked for")
	}
	switch {
	case want.Document(descriptor.TaskDefinition) == nil: // only the service's own attributes are wanted
	case seen.Running == nil:
		reasons = append(reasons, "nothing is known of the task definition that runs")
	case len(seen.Running.Differs) > 0:
		reasons = append(reasons, told("the task definition", seen.Running.Differs))
	}
	if len(seen.Differs) > 0 {
		reasons = append(reasons, told("the service", seen.Differs))
	}
	primary := seen.Primary()
	if primary == nil {
		return append(reasons, "the service has no deployment")
	}
	if primary.State == Broken {
		reasons = append(reasons, "the last deployment of this has failed")
	}
	return reasons
}

// mustForce reports that the update alone would start no deployment: what runs is what is wanted.
func mustForce(want Desired, seen Observed) bool {
	if want.Force {
		return true
	}
	primary := seen.Primary()
	same := seen.Running != nil && len(seen.Running.Differs) == 0
	return primary != nil && primary.State == Broken && same
}

// told lists what differs, the first few by name.
func told(what string, differs []Difference) Reason {
	text := what + " differs in " + differs[0].Path
	for i, d := range differs[1:] {
		if i == 2 {
			return Reason(fmt.Sprintf("%s and %d more", text, len(differs)-3))
		}
		text += ", " + d.Path
	}
	return Reason(text)
}

// revise returns the revision to run, and the step that registers it where none of the known ones has the content that
// is wanted: what was registered by a run that was cut off is used again.
func revise(want Desired, seen Observed) ([]Step, RevisionID) {
	switch {
	case want.Progress.Revision != "":
		return nil, want.Progress.Revision
	case want.Document(descriptor.TaskDefinition) == nil: // it stays the one that runs
		return nil, ""
	case seen.Running != nil && len(seen.Running.Differs) == 0:
		return nil, seen.Running.ID
	case seen.Newest != nil && len(seen.Newest.Differs) == 0:
		return nil, seen.Newest.ID
	}
	r := step(want, Register, "no revision has this content yet")
	if seen.Newest != nil {
		r.Reasons = []Reason{told("the newest revision", seen.Newest.Differs)}
	}
	r.Document, r.Content = descriptor.TaskDefinition, want.Document(descriptor.TaskDefinition)
	return []Step{r}, ""
}
