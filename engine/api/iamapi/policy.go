package iamapi

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/slipway-cd/slipway/engine"
	"github.com/slipway-cd/slipway/engine/api/awsdoc"
	"github.com/slipway-cd/slipway/engine/state"
)

// AttachRolePolicy attaches a managed policy to a role, whether or not the policy exists: there are none here.
func (s *Server) AttachRolePolicy(_ context.Context, in *iam.AttachRolePolicyInput) (*iam.AttachRolePolicyOutput, error) {
	arn := *in.PolicyArn
	if !strings.HasPrefix(arn, "arn:") || !strings.Contains(arn, ":policy/") {
		return nil, validation("ARN %s is not valid.", arn)
	}
	return &iam.AttachRolePolicyOutput{}, s.change(in.RoleName, func(r *state.Role) error {
		if slices.ContainsFunc(r.Attached, func(p types.AttachedPolicy) bool { return *p.PolicyArn == arn }) {
			return nil
		}
		r.Attached = append(slices.Clone(r.Attached), types.AttachedPolicy{PolicyArn: &arn, PolicyName: awsdoc.Text("%s", engine.ResourceName(arn))})
		return nil
	})
}

// DetachRolePolicy detaches a managed policy from a role.
func (s *Server) DetachRolePolicy(_ context.Context, in *iam.DetachRolePolicyInput) (*iam.DetachRolePolicyOutput, error) {
	return &iam.DetachRolePolicyOutput{}, s.change(in.RoleName, func(r *state.Role) error {
		rest := slices.DeleteFunc(slices.Clone(r.Attached), func(p types.AttachedPolicy) bool { return *p.PolicyArn == *in.PolicyArn })
		if len(rest) == len(r.Attached) {
			return &types.NoSuchEntityException{Message: awsdoc.Text("Policy %s was not found.", *in.PolicyArn)}
		}
		r.Attached = rest
		return nil
	})
}

// ListAttachedRolePolicies lists the managed policies of a role.
func (s *Server) ListAttachedRolePolicies(_ context.Context, in *iam.ListAttachedRolePoliciesInput) (*iam.ListAttachedRolePoliciesOutput, error) {
	r, err := role(s.read(), in.RoleName)
	if err != nil {
		return nil, err
	}
	byARN := map[string]types.AttachedPolicy{}
	for _, p := range r.Attached {
		byARN[*p.PolicyArn] = p
	}
	arns, next, err := page(slices.Collect(maps.Keys(byARN)), in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	out := &iam.ListAttachedRolePoliciesOutput{AttachedPolicies: []types.AttachedPolicy{}, Marker: next, IsTruncated: next != nil}
	for _, arn := range arns {
		out.AttachedPolicies = append(out.AttachedPolicies, byARN[arn])
	}
	return out, nil
}

// PutRolePolicy gives a role a policy of its own, or changes one.
func (s *Server) PutRolePolicy(_ context.Context, in *iam.PutRolePolicyInput) (*iam.PutRolePolicyOutput, error) {
	if err := checkName("policyName", in.PolicyName); err != nil {
		return nil, err
	}
	if err := checkPolicy(in.PolicyDocument); err != nil {
		return nil, err
	}
	return &iam.PutRolePolicyOutput{}, s.change(in.RoleName, func(r *state.Role) error {
		inline := map[string]string{*in.PolicyName: *in.PolicyDocument}
		for name, document := range r.Inline {
			if name != *in.PolicyName {
				inline[name] = document
			}
		}
		r.Inline = inline
		return nil
	})
}

func noPolicy(name string) error {
	return &types.NoSuchEntityException{Message: awsdoc.Text("The role policy with name %s cannot be found.", name)}
}

// GetRolePolicy returns a policy of a role's own.
func (s *Server) GetRolePolicy(_ context.Context, in *iam.GetRolePolicyInput) (*iam.GetRolePolicyOutput, error) {
	r, err := role(s.read(), in.RoleName)
	if err != nil {
		return nil, err
	}
	document, ok := r.Inline[*in.PolicyName]
	if !ok {
		return nil, noPolicy(*in.PolicyName)
	}
	return &iam.GetRolePolicyOutput{RoleName: &r.Name, PolicyName: in.PolicyName, PolicyDocument: encoded(document)}, nil
}

// DeleteRolePolicy deletes a policy of a role's own.
func (s *Server) DeleteRolePolicy(_ context.Context, in *iam.DeleteRolePolicyInput) (*iam.DeleteRolePolicyOutput, error) {
	return &iam.DeleteRolePolicyOutput{}, s.change(in.RoleName, func(r *state.Role) error {
		if _, ok := r.Inline[*in.PolicyName]; !ok {
			return noPolicy(*in.PolicyName)
		}
		r.Inline = maps.Clone(r.Inline)
		delete(r.Inline, *in.PolicyName)
		return nil
	})
}

// ListRolePolicies lists the names of a role's own policies.
func (s *Server) ListRolePolicies(_ context.Context, in *iam.ListRolePoliciesInput) (*iam.ListRolePoliciesOutput, error) {
	r, err := role(s.read(), in.RoleName)
	if err != nil {
		return nil, err
	}
	names, next, err := page(slices.Collect(maps.Keys(r.Inline)), in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	return &iam.ListRolePoliciesOutput{PolicyNames: awsdoc.List(names), Marker: next, IsTruncated: next != nil}, nil
}
