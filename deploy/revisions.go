package deploy

import (
	"context"

	"github.com/slipway-cd/slipway/rollout"
)

// RevisionKeeper is a target that keeps revisions until they are retired.
type RevisionKeeper interface {
	// Revisions lists those of a service, the newest first; the first so many with all that is known of them.
	Revisions(ctx context.Context, seen rollout.Observed, described int) ([]rollout.RevisionReport, error)
	// Retire takes one away for good.
	Retire(ctx context.Context, id rollout.RevisionID) error
}

// RevisionList is the revisions of a service.
type RevisionList struct {
	Schema    int                      `json:"schema"`
	Cluster   rollout.ClusterName      `json:"cluster"`
	Service   rollout.ServiceName      `json:"service"`
	Revisions []rollout.RevisionReport `json:"revisions"`         // the newest first
	Older     int                      `json:"older"`             // how many more there are
	Retired   []rollout.RevisionID     `json:"retired,omitempty"` // those that were to go
}

// Revisions lists the newest revisions of a service.
func Revisions(ctx context.Context, target Target, ref rollout.ServiceRef, most int) (RevisionList, error) {
	list := RevisionList{Schema: Schema, Cluster: ref.Cluster, Service: ref.Service}
	all, _, err := revisions(ctx, target, ref, most)
	if err != nil {
		return list, err
	}
	list.Revisions = all[:min(most, len(all))]
	list.Older = len(all) - len(list.Revisions)
	return list, nil
}

// Retire takes away the revisions of a service that nothing needs, but for the newest so many. With dry it only tells which.
func Retire(ctx context.Context, target Target, ref rollout.ServiceRef, keep int, dry bool) (RevisionList, error) {
	list := RevisionList{Schema: Schema, Cluster: ref.Cluster, Service: ref.Service}
	all, keeper, err := revisions(ctx, target, ref, 0)
	if err != nil {
		return list, err
	}
	for _, r := range rollout.Retire(all, keep) {
		if !dry {
			if err := keeper.Retire(ctx, r.ID); err != nil {
				return list, err
			}
		}
		list.Retired = append(list.Retired, r.ID)
	}
	list.Older = len(all) - len(list.Retired)
	return list, nil
}

func revisions(ctx context.Context, target Target, ref rollout.ServiceRef, described int) ([]rollout.RevisionReport, RevisionKeeper, error) {
	keeper, err := capability[RevisionKeeper](target, "list revisions")
	if err != nil {
		return nil, nil, err
	}
	ref.Wanted, ref.Depth = nil, rollout.Past|rollout.Records
	seen, err := observe(ctx, target, ref)
	if err != nil {
		return nil, nil, err
	}
	if seen.Status != rollout.Active && ref.Family == "" {
		return nil, nil, absent(ref, "list the revisions of")
	}
	all, err := keeper.Revisions(ctx, seen, described)
	return all, keeper, err
}
