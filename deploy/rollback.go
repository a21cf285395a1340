package deploy

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/slipway-cd/slipway/fault"
	"github.com/slipway-cd/slipway/rollout"
)

// RollBack brings a service back to the last proven revision that differs from what runs, or to the one given. The
// outcome is Proven when that serves.
func RollBack(ctx context.Context, target Target, ref rollout.ServiceRef, to *rollout.Proof, policy rollout.Policy, opts Options) (Result, error) {
	ref.Wanted, ref.Depth = nil, rollout.Past|rollout.Records
	seen, err := observe(ctx, target, ref)
	if err != nil {
		return Result{}, err
	}
	primary := seen.Primary()
	if seen.Status != rollout.Active || primary == nil {
		return Result{}, fault.New(fault.NotFound, "cannot roll service %q back: there is no such service in cluster %q", ref.Service, ref.Cluster).
			WithHint("check --cluster, --service and --region")
	}
	if to == nil {
		if to = earlier(seen, *primary); to == nil {
			return Result{}, fault.New(fault.NotFound, "cannot roll service %q back: nothing before %s was ever proven", ref.Service, primary.Revision).
				WithHint("install a version that is known to work: `slipway install VERSION`")
		}
	}
	now := time.Now()
	policy.Rollback = true
	opts.From = rollout.Progress{
		Started: now, Looked: true, Before: seen.Raw, Base: []rollout.Proof{*to}, Deployment: primary.ID, Created: primary.Created,
		Verdict: rollout.Failed, Cause: rollout.AskedFor, Reasons: []rollout.Reason{"a rollback is asked for"}, Ended: now,
	}
	return Rollout(ctx, target, rollout.Desired{Ref: ref}, policy, opts)
}

// VersionReader is a target that knows which versions revisions are of.
type VersionReader interface {
	Versions(ctx context.Context, proven []rollout.Proof) (map[rollout.RevisionID]string, error)
}

// Way is a deployment that was proven, and that a rollback can go to.
type Way struct {
	rollout.Proof
	Version string `json:"version,omitempty"` // of the image, as far as it can be told
	Runs    bool   `json:"runs"`              // it is what runs now
}

// Ways lists the deployments of a service that were proven, the newest first.
func Ways(ctx context.Context, target Target, ref rollout.ServiceRef) ([]Way, error) {
	ref.Wanted, ref.Depth = nil, rollout.Past|rollout.Records
	seen, err := observe(ctx, target, ref)
	if err != nil {
		return nil, err
	}
	primary := seen.Primary()
	if seen.Status != rollout.Active || primary == nil {
		return nil, absent(ref, "look at the past of")
	}
	versions := map[rollout.RevisionID]string{}
	if reader, ok := target.(VersionReader); ok {
		if versions, err = reader.Versions(ctx, seen.Proven); err != nil {
			return nil, err
		}
	}
	ways := make([]Way, len(seen.Proven))
	for i, p := range seen.Proven {
		ways[i] = Way{Proof: p, Version: versions[p.Revision], Runs: p.Deployment == primary.ID}
	}
	return ways, nil
}

// Choose returns the newest way to a version, a revision or a deployment, by its whole name or the end of it.
func Choose(ways []Way, name string) (*rollout.Proof, error) {
	var known []string
	for _, w := range ways {
		revision := string(w.Revision[strings.LastIndexByte(string(w.Revision), '/')+1:])
		_, number, _ := strings.Cut(revision, ":")
		if slices.Contains([]string{w.Version, string(w.Revision), revision, number, string(w.Deployment)}, name) {
			return &w.Proof, nil
		}
		if known = append(known, w.Version); w.Version == "" {
			known[len(known)-1] = revision
		}
	}
	err := fault.New(fault.NotFound, "cannot roll back to %q: it was never proven here, as far as the scheduler remembers", name)
	if len(known) == 0 {
		return nil, err.WithHint("install a version that is known to work: `slipway install VERSION`")
	}
	return nil, err.WithHint("these were: %s; `slipway install` brings any published version", strings.Join(slices.Compact(known), ", "))
}

// earlier returns the newest proven deployment that ran another revision than the one that runs.
func earlier(seen rollout.Observed, primary rollout.Deployment) *rollout.Proof {
	for _, p := range seen.Proven {
		if p.Deployment != primary.ID && p.Revision != primary.Revision {
			return &p
		}
	}
	return nil
}
