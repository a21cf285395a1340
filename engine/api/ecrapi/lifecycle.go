package ecrapi

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"

	"github.com/slipway-cd/slipway/engine"
	"github.com/slipway-cd/slipway/engine/api/awsdoc"
	"github.com/slipway-cd/slipway/engine/images"
	"github.com/slipway-cd/slipway/engine/state"
	"github.com/slipway-cd/slipway/fault"
)

func badLifecycle(err error) error {
	return invalid("Invalid parameter at 'LifecyclePolicyText' failed to satisfy constraint: 'Lifecycle policy validation failure: %s'", err)
}

// PutLifecyclePolicy says which images expire. They do so at once.
func (s *Server) PutLifecyclePolicy(_ context.Context, in *ecr.PutLifecyclePolicyInput) (*ecr.PutLifecyclePolicyOutput, error) {
	name, err := s.find(in.RepositoryName)
	if err != nil {
		return nil, err
	}
	text := awsdoc.Or(in.LifecyclePolicyText, "")
	if _, err := parseLifecycle(text); err != nil {
		return nil, badLifecycle(err)
	}
	r, err := s.change(name, func(r *state.Repository) error {
		r.Lifecycle = text
		return nil
	})
	if err != nil {
		return nil, err
	}
	out := &ecr.PutLifecyclePolicyOutput{RegistryId: r.Doc.RegistryId, RepositoryName: in.RepositoryName, LifecyclePolicyText: &text}
	return out, expire(s.engine, s.images, *r)
}

// GetLifecyclePolicy returns the policy, and when it was last acted on.
func (s *Server) GetLifecyclePolicy(_ context.Context, in *ecr.GetLifecyclePolicyInput) (*ecr.GetLifecyclePolicyOutput, error) {
	r, err := s.known(in.RepositoryName)
	if err != nil {
		return nil, err
	}
	if r.Lifecycle == "" {
		return nil, &types.LifecyclePolicyNotFoundException{Message: s.noPolicy("Lifecycle", r.Name)}
	}
	return &ecr.GetLifecyclePolicyOutput{
		RegistryId: r.Doc.RegistryId, RepositoryName: in.RepositoryName, LifecyclePolicyText: &r.Lifecycle, LastEvaluatedAt: &r.Evaluated,
	}, nil
}

// DeleteLifecyclePolicy has images stay.
func (s *Server) DeleteLifecyclePolicy(ctx context.Context, in *ecr.DeleteLifecyclePolicyInput) (*ecr.DeleteLifecyclePolicyOutput, error) {
	was, err := s.GetLifecyclePolicy(ctx, &ecr.GetLifecyclePolicyInput{RepositoryName: in.RepositoryName})
	if err != nil {
		return nil, err
	}
	name, err := s.find(in.RepositoryName)
	if err != nil {
		return nil, err
	}
	_, err = s.change(name, func(r *state.Repository) error {
		r.Lifecycle, r.Evaluated = "", time.Time{}
		return nil
	})
	return &ecr.DeleteLifecyclePolicyOutput{
		RegistryId: was.RegistryId, RepositoryName: was.RepositoryName, LifecyclePolicyText: was.LifecyclePolicyText, LastEvaluatedAt: was.LastEvaluatedAt,
	}, err
}

// StartLifecyclePolicyPreview tries out a policy, the repository's own one when none is given.
func (s *Server) StartLifecyclePolicyPreview(ctx context.Context, in *ecr.StartLifecyclePolicyPreviewInput) (*ecr.StartLifecyclePolicyPreviewOutput, error) {
	name, err := s.find(in.RepositoryName)
	if err != nil {
		return nil, err
	}
	text := awsdoc.Or(in.LifecyclePolicyText, "")
	if in.LifecyclePolicyText == nil {
		own, err := s.GetLifecyclePolicy(ctx, &ecr.GetLifecyclePolicyInput{RepositoryName: in.RepositoryName})
		if err != nil {
			return nil, err
		}
		text = *own.LifecyclePolicyText
	}
	if _, err := parseLifecycle(text); err != nil {
		return nil, badLifecycle(err)
	}
	r, err := s.change(name, func(r *state.Repository) error {
		r.Preview = text
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &ecr.StartLifecyclePolicyPreviewOutput{
		RegistryId: r.Doc.RegistryId, RepositoryName: in.RepositoryName, LifecyclePolicyText: &text, Status: types.LifecyclePolicyPreviewStatusInProgress,
	}, nil
}

// GetLifecyclePolicyPreview tells which images the policy that is tried out would let expire now.
func (s *Server) GetLifecyclePolicyPreview(_ context.Context, in *ecr.GetLifecyclePolicyPreviewInput) (*ecr.GetLifecyclePolicyPreviewOutput, error) {
	r, err := s.known(in.RepositoryName)
	if err != nil {
		return nil, err
	}
	if r.Preview == "" {
		return nil, &types.LifecyclePolicyPreviewNotFoundException{Message: s.noPolicy("Lifecycle preview of a", r.Name)}
	}
	policy, err := parseLifecycle(r.Preview)
	if err != nil {
		return nil, badLifecycle(err)
	}
	all, err := s.images.Images(images.Name(r.Name))
	if err != nil {
		return nil, err
	}
	byDigest, digests := map[string]types.LifecyclePolicyPreviewResult{}, []string{}
	expiring := policy.expiring(all, s.engine.Now())
	for _, e := range expiring {
		if !asked(e.image, in) {
			continue
		}
		priority := int32(e.priority) //nolint:gosec // as it was read from JSON
		digests = append(digests, string(e.image.Digest))
		byDigest[string(e.image.Digest)] = types.LifecyclePolicyPreviewResult{
			ImageDigest: awsdoc.Text("%s", e.image.Digest), ImagePushedAt: &e.image.PushedAt, ImageTags: tags(e.image), AppliedRulePriority: &priority,
			Action: &types.LifecyclePolicyRuleAction{Type: types.ImageActionTypeExpire}, StorageClass: types.LifecyclePolicyStorageClassStandard,
		}
	}
	digests, next, err := page(digests, in.NextToken, in.MaxResults)
	if err != nil {
		return nil, err
	}
	count := int32(len(expiring)) //nolint:gosec // images of a repository
	out := &ecr.GetLifecyclePolicyPreviewOutput{
		RegistryId: r.Doc.RegistryId, RepositoryName: in.RepositoryName, LifecyclePolicyText: &r.Preview, NextToken: next,
		Status: types.LifecyclePolicyPreviewStatusComplete, PreviewResults: []types.LifecyclePolicyPreviewResult{},
		Summary: &types.LifecyclePolicyPreviewSummary{ExpiringImageTotalCount: &count},
	}
	for _, d := range digests {
		out.PreviewResults = append(out.PreviewResults, byDigest[d])
	}
	return out, nil
}

// asked reports whether an image is among those that a preview is asked for.
func asked(image images.Image, in *ecr.GetLifecyclePolicyPreviewInput) bool {
	if in.Filter != nil && !tagStatus(image, in.Filter.TagStatus) {
		return false
	}
	return len(in.ImageIds) == 0 || slices.ContainsFunc(in.ImageIds, func(id types.ImageIdentifier) bool {
		return awsdoc.Or(id.ImageDigest, "") == string(image.Digest) || slices.Contains(image.Tags, images.Tag(awsdoc.Or(id.ImageTag, "")))
	})
}

// Expire lets the images go that the repositories' lifecycle policies let expire.
func Expire(e *engine.Engine, store *images.Store) error {
	var errs []error
	snap := e.DB().Read()
	for _, r := range store.Repositories() {
		if known, ok := snap.Repository(string(r.Name)); ok && known.Lifecycle != "" {
			errs = append(errs, expire(e, store, *known))
		}
	}
	return errors.Join(errs...)
}

// expire lets the images of one repository go. Those that are part of an index stay as long as that does; what refers to an
// image that goes, goes with it.
func expire(e *engine.Engine, store *images.Store, r state.Repository) error {
	policy, err := parseLifecycle(r.Lifecycle)
	if err != nil {
		return err
	}
	name := images.Name(r.Name)
	all, err := store.Images(name)
	if err != nil {
		return err
	}
	var errs []error
	for _, gone := range policy.expiring(all, e.Now()) {
		err := store.DeleteImage(name, images.Reference{Digest: gone.image.Digest})
		if err != nil {
			if fault.KindOf(err) != fault.Conflict && fault.KindOf(err) != fault.NotFound {
				errs = append(errs, err)
			}
			continue
		}
		for _, other := range all {
			if other.Subject == gone.image.Digest {
				errs = append(errs, store.DeleteImage(name, images.Reference{Digest: other.Digest}))
			}
		}
	}
	errs = append(errs, e.DB().Write(func(tx *state.Tx) error {
		if now, ok := tx.Repository(r.Name); ok && now.Lifecycle == r.Lifecycle {
			changed := *now
			changed.Evaluated = e.Now()
			tx.Put(&changed)
		}
		return nil
	}))
	return errors.Join(errs...)
}
