package ssmapi

import (
	"context"
	"regexp"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/slipway-cd/slipway/engine/api/awsdoc"
	"github.com/slipway-cd/slipway/engine/state"
)

// The longest values, in bytes, and how many versions are kept. [API reference, PutParameter]
const (
	longestStandard = 4096
	longestAdvanced = 8192
	mostVersions    = 100
)

// PutParameter makes a parameter, or gives one a new version.
func (s *Server) PutParameter(_ context.Context, in *ssm.PutParameterInput) (*ssm.PutParameterOutput, error) {
	if err := checkName(awsdoc.Or(in.Name, "")); err != nil {
		return nil, err
	}
	if err := checkPut(in); err != nil {
		return nil, err
	}
	var next types.ParameterHistory
	err := s.engine.DB().Write(func(tx *state.Tx) error {
		p, ok := tx.Parameter(*in.Name)
		switch {
		case !ok && in.Type == "":
			return validation("A parameter type is required when you create a parameter.")
		case !ok:
			p = &state.Parameter{Name: *in.Name, Tags: in.Tags}
			p.ARN = s.engine.Identity().ARN("ssm", "parameter/"+strings.TrimPrefix(p.Name, "/"))
		case !awsdoc.Or(in.Overwrite, false):
			return &types.ParameterAlreadyExists{Message: awsdoc.Text(
				"The parameter already exists. To overwrite this value, set the overwrite option in the request to true.")}
		}
		changed := *p
		var err error
		if next, err = s.version(p, in); err != nil {
			return err
		}
		if changed.History, err = keep(append(slices.Clone(p.History), next), p.Name); err != nil {
			return err
		}
		tx.Put(&changed)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &ssm.PutParameterOutput{Version: next.Version, Tier: next.Tier}, nil
}

func checkPut(in *ssm.PutParameterInput) error {
	size := len(awsdoc.Or(in.Value, ""))
	switch {
	case size == 0:
		return validation("1 validation error detected: Value at 'value' failed to satisfy constraint: Member must have length greater than or equal to 1.")
	case in.Type != "" && !slices.Contains(in.Type.Values(), in.Type):
		return &types.UnsupportedParameterType{Message: awsdoc.Text("The parameter type %s is not supported.", in.Type)}
	case awsdoc.Or(in.Policies, "") != "":
		return validation("Parameter policies are not served by this engine. Leave Policies out.")
	case awsdoc.Or(in.Overwrite, false) && len(in.Tags) > 0:
		return validation("Invalid request: tags and overwrite can't be used together. To create a parameter with tags, please remove overwrite flag. " +
			"To update tags for an existing parameter, please use AddTagsToResource or RemoveTagsFromResource.")
	case size > longestAdvanced:
		return validation("Advanced tier parameters support a maximum parameter value of %d characters.", longestAdvanced)
	case size > longestStandard && (in.Tier == "" || in.Tier == types.ParameterTierStandard):
		return validation("Standard tier parameters support a maximum parameter value of %d characters. To create a larger parameter value, "+
			"upgrade the parameter to use the advanced-parameter tier.", longestStandard)
	}
	if pattern := awsdoc.Or(in.AllowedPattern, ""); pattern != "" {
		form, err := regexp.Compile(pattern)
		if err != nil {
			return &types.InvalidAllowedPatternException{Message: awsdoc.Text("The allowed pattern %s is not a regular expression.", pattern)}
		}
		if !form.MatchString(*in.Value) {
			return &types.ParameterPatternMismatchException{Message: awsdoc.Text("Parameter value, cannot be validated against allowedPattern: %s", pattern)}
		}
	}
	return nil
}

// version returns what a request makes of a parameter.
func (s *Server) version(p *state.Parameter, in *ssm.PutParameterInput) (types.ParameterHistory, error) {
	now := s.engine.Now()
	next := types.ParameterHistory{DataType: awsdoc.Text("text"), Tier: types.ParameterTierStandard, Version: 1}
	if len(p.History) > 0 {
		last := p.Newest()
		if in.Type != "" && in.Type != last.Type {
			return next, &types.HierarchyTypeMismatchException{Message: awsdoc.Text(
				"The parameter %s has the type %s, which cannot be changed to %s. Create another parameter.", p.Name, last.Type, in.Type)}
		}
		next.Type, next.Tier, next.Version = last.Type, last.Tier, last.Version+1
		next.DataType, next.Description, next.KeyId, next.AllowedPattern = last.DataType, last.Description, last.KeyId, last.AllowedPattern
	}
	awsdoc.Assign(&next, in, "Policies")
	if next.Tier == types.ParameterTierIntelligentTiering {
		next.Tier = types.ParameterTierStandard
		if len(*in.Value) > longestStandard {
			next.Tier = types.ParameterTierAdvanced
		}
	}
	if next.Type == types.ParameterTypeSecureString && next.KeyId == nil {
		next.KeyId = awsdoc.Text("alias/aws/ssm")
	}
	next.LastModifiedDate = &now
	next.LastModifiedUser = awsdoc.Text("arn:aws:iam::%s:root", s.engine.Identity().Account)
	return next, nil
}

// keep drops the oldest version when there is one too many, unless a label holds it.
func keep(history []types.ParameterHistory, name string) ([]types.ParameterHistory, error) {
	if len(history) <= mostVersions {
		return history, nil
	}
	if len(history[0].Labels) > 0 {
		return nil, &types.ParameterMaxVersionLimitExceeded{Message: awsdoc.Text(
			"You attempted to create a new version of %s by calling the PutParameter API with the overwrite flag. Version %d, the oldest version, "+
				"can't be deleted because it has a label associated with it. Move the label to another version of the parameter, and try again.",
			name, history[0].Version)}
	}
	return history[1:], nil
}

// DeleteParameter deletes a parameter with its history.
func (s *Server) DeleteParameter(_ context.Context, in *ssm.DeleteParameterInput) (*ssm.DeleteParameterOutput, error) {
	err := s.engine.DB().Write(func(tx *state.Tx) error {
		p, ok := tx.Parameter(awsdoc.Or(in.Name, ""))
		if !ok {
			return notFound()
		}
		tx.Delete(p)
		return nil
	})
	return &ssm.DeleteParameterOutput{}, err
}

// DeleteParameters deletes up to ten parameters, and names those that are not there.
func (s *Server) DeleteParameters(_ context.Context, in *ssm.DeleteParametersInput) (*ssm.DeleteParametersOutput, error) {
	if err := atMostTen(in.Names); err != nil {
		return nil, err
	}
	out := &ssm.DeleteParametersOutput{DeletedParameters: []string{}, InvalidParameters: []string{}}
	return out, s.engine.DB().Write(func(tx *state.Tx) error {
		for _, name := range in.Names {
			p, ok := tx.Parameter(name)
			if !ok {
				out.InvalidParameters = append(out.InvalidParameters, name)
				continue
			}
			tx.Delete(p)
			out.DeletedParameters = append(out.DeletedParameters, name)
		}
		return nil
	})
}
