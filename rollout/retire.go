package rollout

import "time"

// RevisionReport is one registered revision of a service's task definition.
type RevisionReport struct {
	ID         RevisionID `json:"id"`
	Version    string     `json:"version,omitempty"` // of the image, as far as it can be told; empty where it was not looked up
	Registered time.Time  `json:"registered,omitzero"`
	By         string     `json:"by,omitempty"`     // who registered it
	Running    bool       `json:"running"`          // a deployment of the service runs it
	Proven     time.Time  `json:"proven,omitzero"`  // when a deployment of it was last brought to its end
	Newest     bool       `json:"newest,omitempty"` // what the family's name alone stands for
}

// Needed says why a revision must stay: "" when nothing needs it.
func (r RevisionReport) Needed() Reason {
	switch {
	case r.Running:
		return "it runs"
	case !r.Proven.IsZero():
		return "it was proven, and a rollback may go to it"
	case r.Newest:
		return "it is the newest"
	}
	return ""
}

// Retire returns which of a service's revisions, the newest first, can go when so many are to be kept besides those that
// are needed.
func Retire(revisions []RevisionReport, keep int) []RevisionReport {
	var gone []RevisionReport
	for i, r := range revisions {
		if i >= keep && r.Needed() == "" {
			gone = append(gone, r)
		}
	}
	return gone
}
