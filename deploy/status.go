package deploy

import (
	"context"
	"time"

	"github.com/slipway-cd/slipway/rollout"
)

// Status is what runs of a service, and whether that is to be trusted.
type Status struct {
	Schema      int                  `json:"schema"`
	Cluster     rollout.ClusterName  `json:"cluster"`
	Service     rollout.ServiceName  `json:"service"`
	Version     string               `json:"version,omitempty"`  // of the image, as far as it can be told
	Revision    rollout.RevisionID   `json:"revision,omitempty"` // that the primary deployment runs
	Proven      bool                 `json:"proven"`
	Missing     []rollout.Reason     `json:"missing,omitempty"`     // what it takes until it is proven
	LastFailure *rollout.LastFailure `json:"lastFailure,omitempty"` // the newest deployment failed, or was rolled back
	Diagnosis   *rollout.Diagnosis   `json:"diagnosis,omitempty"`   // why, as far as it can still be told
	Hindrance   *rollout.Diagnosis   `json:"hindrance,omitempty"`   // why the primary deployment is not proven, as far as its tasks tell
	Seen        rollout.Observed     `json:"seen"`
}

// Look returns the status of a service. A service that doesn't exist has the status Missing; it is not an error.
func Look(ctx context.Context, target Target, ref rollout.ServiceRef) (Status, error) {
	ref.Wanted, ref.Depth = nil, rollout.Tasks|rollout.Past|rollout.Records|rollout.Addresses
	seen, err := observe(ctx, target, ref)
	if err != nil {
		return Status{}, err
	}
	s := Status{Schema: Schema, Cluster: ref.Cluster, Service: ref.Service, LastFailure: seen.LastFailure, Seen: seen}
	primary := seen.Primary()
	if primary == nil {
		s.Missing = rollout.Unproven(seen, "")
		return s, nil
	}
	s.Version, s.Revision = primary.Version, primary.Revision
	s.Missing = rollout.Unproven(seen, primary.ID)
	s.Proven = len(s.Missing) == 0
	return s, s.explain(ctx, target, ref, *primary)
}

// explain says why the last deployment failed, and why the one under way is not getting anywhere.
func (s *Status) explain(ctx context.Context, target Target, ref rollout.ServiceRef, primary rollout.Deployment) (err error) {
	if f := s.LastFailure; f != nil {
		if s.Diagnosis, err = diagnose(ctx, target, ref, f.Deployment, f.Started); err != nil {
			return err
		}
	}
	if s.Proven || s.LastFailure != nil && s.LastFailure.Deployment == primary.ID {
		return nil
	}
	s.Hindrance, err = diagnose(ctx, target, ref, primary.ID, primary.Created)
	return err
}

// diagnose returns what speaks against a deployment; nil when nothing is known.
func diagnose(ctx context.Context, target Target, ref rollout.ServiceRef, id rollout.DeploymentID, since time.Time) (*rollout.Diagnosis, error) {
	ref.Deployment = id
	evidence, err := target.Evidence(ctx, ref, since)
	if err != nil {
		return nil, err
	}
	if d := rollout.Diagnose(evidence); d.Cause != rollout.UnknownCause {
		return &d, nil
	}
	return nil, nil
}
