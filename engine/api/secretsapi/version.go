package secretsapi

import (
	"context"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"

	"github.com/slipway-cd/slipway/engine/api/awsdoc"
	"github.com/slipway-cd/slipway/engine/state"
)

// GetSecretValue returns a version's value: the current one unless another is asked for.
func (s *Server) GetSecretValue(_ context.Context, in *secretsmanager.GetSecretValueInput) (*secretsmanager.GetSecretValueOutput, error) {
	found, err := usable(s.engine.DB().Read(), in.SecretId, s.engine.Now())
	if err != nil {
		return nil, err
	}
	id, stage := awsdoc.Or(in.VersionId, ""), awsdoc.Or(in.VersionStage, "")
	v, ok := found.Version(id, stage)
	switch {
	case !ok && id != "" && stage != "":
		return nil, refused("You provided a VersionStage that is not associated to the provided VersionId.")
	case !ok && id != "":
		return nil, missing("Secrets Manager can't find the specified secret value for VersionId: %s", id)
	case !ok && stage == "":
		stage = state.StageCurrent
		fallthrough
	case !ok:
		return nil, missing("Secrets Manager can't find the specified secret value for staging label: %s", stage)
	}
	return &secretsmanager.GetSecretValueOutput{
		ARN: found.Doc.ARN, Name: &found.Name, CreatedDate: &v.Created, VersionId: &v.ID,
		SecretString: v.Text, SecretBinary: v.Bytes, VersionStages: v.Stages,
	}, nil
}

// PutSecretValue gives a secret a new version.
func (s *Server) PutSecretValue(_ context.Context, in *secretsmanager.PutSecretValueInput) (*secretsmanager.PutSecretValueOutput, error) {
	v, err := valueOf(in.SecretString, in.SecretBinary)
	if err != nil {
		return nil, err
	}
	if !v.given() {
		return nil, invalid("You must provide either SecretString or SecretBinary.")
	}
	id, err := versionID(in.ClientRequestToken)
	if err != nil {
		return nil, err
	}
	with := in.VersionStages
	if len(with) == 0 {
		with = []string{state.StageCurrent}
	}
	changed, err := s.change(in.SecretId, func(c *state.Secret, now time.Time) error {
		c.Doc.LastChangedDate = &now
		return put(c, state.SecretVersion{ID: id, Created: now, Text: v.text, Bytes: v.bytes}, v, with)
	})
	if err != nil {
		return nil, err
	}
	made, _ := changed.Version(id, "")
	return &secretsmanager.PutSecretValueOutput{
		ARN: changed.Doc.ARN, Name: &changed.Name, VersionId: &id, VersionStages: made.Stages,
	}, nil
}

// put adds a version, unless the same request has done so before.
func put(s *state.Secret, version state.SecretVersion, v value, with []string) error {
	if known, ok := s.Version(version.ID, ""); ok {
		if v.is(known) {
			return nil
		}
		return &types.ResourceExistsException{Message: awsdoc.Text(
			"You can't use ClientRequestToken %s because that value is already in use for a version of secret %s.", version.ID, *s.Doc.ARN)}
	}
	add(s, version, with)
	return nil
}

// ListSecretVersionIds lists a secret's versions, those without a stage only when they are asked for.
func (s *Server) ListSecretVersionIds(_ context.Context, in *secretsmanager.ListSecretVersionIdsInput) (*secretsmanager.ListSecretVersionIdsOutput, error) { //nolint:lll // the form of an operation
	found, err := find(s.engine.DB().Read(), in.SecretId, s.engine.Now())
	if err != nil {
		return nil, err
	}
	byID := map[string]state.SecretVersion{}
	var ids []string
	for _, v := range found.Versions {
		if len(v.Stages) > 0 || awsdoc.Or(in.IncludeDeprecated, false) {
			byID[v.ID] = v
			ids = append(ids, v.ID)
		}
	}
	ids, next, err := page(ids, in.NextToken, in.MaxResults)
	if err != nil {
		return nil, err
	}
	out := &secretsmanager.ListSecretVersionIdsOutput{ARN: found.Doc.ARN, Name: &found.Name, NextToken: next}
	for _, id := range ids {
		v := byID[id]
		out.Versions = append(out.Versions, types.SecretVersionsListEntry{VersionId: &v.ID, VersionStages: v.Stages, CreatedDate: &v.Created})
	}
	return out, nil
}

// UpdateSecretVersionStage moves a stage from one version to another, or takes it away.
func (s *Server) UpdateSecretVersionStage(_ context.Context, in *secretsmanager.UpdateSecretVersionStageInput) (*secretsmanager.UpdateSecretVersionStageOutput, error) { //nolint:lll // the form of an operation
	stage, to, from := awsdoc.Or(in.VersionStage, ""), awsdoc.Or(in.MoveToVersionId, ""), awsdoc.Or(in.RemoveFromVersionId, "")
	changed, err := s.change(in.SecretId, func(c *state.Secret, now time.Time) error {
		c.Doc.LastChangedDate = &now
		return restage(c, stage, to, from)
	})
	if err != nil {
		return nil, err
	}
	return &secretsmanager.UpdateSecretVersionStageOutput{ARN: changed.Doc.ARN, Name: &changed.Name}, nil
}

func restage(s *state.Secret, stage, to, from string) error {
	holder, held := s.Version("", stage)
	switch {
	case to == "" && from == "":
		return invalid("You must specify MoveToVersionId, RemoveFromVersionId, or both.")
	case to == "" && stage == state.StageCurrent:
		return invalid("You can only move staging label AWSCURRENT to a different secret version. It can't be completely removed.")
	case held && holder.ID != to && holder.ID != from:
		return invalid("The parameter RemoveFromVersionId must be specified. Staging label %s is currently attached to version %s, so you must explicitly reference that version in RemoveFromVersionId.", stage, holder.ID) //nolint:lll // AWS's own text
	}
	if to == "" {
		for i := range s.Versions {
			if v := &s.Versions[i]; v.ID == from {
				v.Stages = without(v.Stages, stage)
			}
		}
		return nil
	}
	if !slices.ContainsFunc(s.Versions, func(v state.SecretVersion) bool { return v.ID == to }) {
		return missing("Secrets Manager can't find the specified secret value for VersionId: %s", to)
	}
	move(s, stage, to)
	return nil
}
