package iamapi

import (
	"context"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/slipway-cd/slipway/engine"
	"github.com/slipway-cd/slipway/engine/api/awsdoc"
	"github.com/slipway-cd/slipway/engine/state"
)

// CreateRole creates a role.
func (s *Server) CreateRole(_ context.Context, in *iam.CreateRoleInput) (*iam.CreateRoleOutput, error) {
	if err := checkRole(in); err != nil {
		return nil, err
	}
	r := &state.Role{Name: *in.RoleName}
	awsdoc.Assign(&r.Doc, in, "PermissionsBoundary")
	if in.PermissionsBoundary != nil {
		r.Doc.PermissionsBoundary = &types.AttachedPermissionsBoundary{
			PermissionsBoundaryArn: in.PermissionsBoundary, PermissionsBoundaryType: types.PermissionsBoundaryAttachmentTypePolicy,
		}
	}
	if err := s.create(r, awsdoc.Or(in.Path, "/")); err != nil {
		return nil, err
	}
	return &iam.CreateRoleOutput{Role: described(r)}, nil
}

func checkRole(in *iam.CreateRoleInput) error {
	if err := checkName("roleName", in.RoleName); err != nil {
		return err
	}
	if path := awsdoc.Or(in.Path, "/"); len(path) > 512 || !pathForm().MatchString(path) {
		return validation("The specified value for path is invalid. It must begin and end with / and contain only alphanumeric characters and/or / characters.")
	}
	if lasts := awsdoc.Or(in.MaxSessionDuration, 3600); lasts < 3600 || lasts > 43200 {
		return validation("1 validation error detected: Value '%d' at 'maxSessionDuration' failed to satisfy constraint: Member must have value between 3600 and 43200", lasts)
	}
	return checkPolicy(in.AssumeRolePolicyDocument)
}

// create fills in what the caller doesn't say, and keeps the role.
func (s *Server) create(r *state.Role, path string) error {
	now := s.engine.Now()
	r.Doc.RoleName, r.Doc.Path, r.Doc.CreateDate = &r.Name, &path, &now
	r.Doc.RoleId = awsdoc.Text("%s", engine.NewRoleID())
	r.Doc.Arn = awsdoc.Text("%s", s.engine.Identity().RoleARN(path, r.Name))
	if r.Doc.MaxSessionDuration == nil {
		r.Doc.MaxSessionDuration = new(int32(3600))
	}
	return s.write(func(tx *state.Tx) error {
		if _, ok := tx.Role(r.Name); ok {
			return &types.EntityAlreadyExistsException{Message: awsdoc.Text("Role with name %s already exists.", r.Name)}
		}
		tx.Put(r)
		return nil
	})
}

// described is a role as IAM returns it.
func described(r *state.Role) *types.Role {
	doc := r.Doc
	doc.AssumeRolePolicyDocument = encoded(awsdoc.Or(doc.AssumeRolePolicyDocument, ""))
	return &doc
}

// GetRole describes a role.
func (s *Server) GetRole(_ context.Context, in *iam.GetRoleInput) (*iam.GetRoleOutput, error) {
	r, err := role(s.read(), in.RoleName)
	if err != nil {
		return nil, err
	}
	return &iam.GetRoleOutput{Role: described(r)}, nil
}

// ListRoles lists the roles below a path.
func (s *Server) ListRoles(_ context.Context, in *iam.ListRolesInput) (*iam.ListRolesOutput, error) {
	snap := s.read()
	var names []string
	for r := range snap.Roles() {
		if strings.HasPrefix(*r.Doc.Path, awsdoc.Or(in.PathPrefix, "/")) {
			names = append(names, r.Name)
		}
	}
	names, next, err := page(names, in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	out := &iam.ListRolesOutput{Roles: []types.Role{}, Marker: next, IsTruncated: next != nil}
	for _, name := range names {
		r, _ := snap.Role(name)
		doc := described(r)
		doc.Tags, doc.PermissionsBoundary = nil, nil // which only GetRole tells [API reference: ListRoles]
		out.Roles = append(out.Roles, *doc)
	}
	return out, nil
}

// UpdateRole changes what a role says of itself.
func (s *Server) UpdateRole(_ context.Context, in *iam.UpdateRoleInput) (*iam.UpdateRoleOutput, error) {
	return &iam.UpdateRoleOutput{}, s.change(in.RoleName, func(r *state.Role) error {
		awsdoc.Assign(&r.Doc, in)
		return nil
	})
}

// UpdateAssumeRolePolicy gives a role another trust policy.
func (s *Server) UpdateAssumeRolePolicy(_ context.Context, in *iam.UpdateAssumeRolePolicyInput) (*iam.UpdateAssumeRolePolicyOutput, error) {
	if err := checkPolicy(in.PolicyDocument); err != nil {
		return nil, err
	}
	return &iam.UpdateAssumeRolePolicyOutput{}, s.change(in.RoleName, func(r *state.Role) error {
		r.Doc.AssumeRolePolicyDocument = in.PolicyDocument
		return nil
	})
}

// DeleteRole deletes a role that has no policies any more.
func (s *Server) DeleteRole(_ context.Context, in *iam.DeleteRoleInput) (*iam.DeleteRoleOutput, error) {
	return &iam.DeleteRoleOutput{}, s.write(func(tx *state.Tx) error {
		r, err := role(tx.Snapshot, in.RoleName)
		switch {
		case err != nil:
			return err
		case len(r.Attached) > 0:
			return &types.DeleteConflictException{Message: awsdoc.Text("Cannot delete entity, must detach all policies first.")}
		case len(r.Inline) > 0:
			return &types.DeleteConflictException{Message: awsdoc.Text("Cannot delete entity, must delete policies first.")}
		}
		tx.Delete(r)
		return nil
	})
}

// ListInstanceProfilesForRole lists nothing: there are no instance profiles. Programs ask before they delete a role.
func (s *Server) ListInstanceProfilesForRole(_ context.Context, in *iam.ListInstanceProfilesForRoleInput) (*iam.ListInstanceProfilesForRoleOutput, error) {
	if _, err := role(s.read(), in.RoleName); err != nil {
		return nil, err
	}
	if _, _, err := page(nil, in.Marker, in.MaxItems); err != nil {
		return nil, err
	}
	return &iam.ListInstanceProfilesForRoleOutput{InstanceProfiles: []types.InstanceProfile{}}, nil
}

// serviceRoles are the roles of services that work with ECS. [IAM User Guide, "AWS services that work with IAM"]
var serviceRoles = map[string]string{
	"ecs.amazonaws.com":                         "AWSServiceRoleForECS",
	"elasticloadbalancing.amazonaws.com":        "AWSServiceRoleForElasticLoadBalancing",
	"ecs.application-autoscaling.amazonaws.com": "AWSServiceRoleForApplicationAutoScaling_ECSService",
	"replication.ecr.amazonaws.com":             "AWSServiceRoleForECRReplication",
	"autoscaling.amazonaws.com":                 "AWSServiceRoleForAutoScaling",
	"ecs-compute.amazonaws.com":                 "AWSServiceRoleForECSCompute",
}

// CreateServiceLinkedRole creates the role that a service uses itself.
func (s *Server) CreateServiceLinkedRole(_ context.Context, in *iam.CreateServiceLinkedRoleInput) (*iam.CreateServiceLinkedRoleOutput, error) {
	name, ok := serviceRoles[*in.AWSServiceName]
	if !ok {
		return nil, &types.InvalidInputException{Message: awsdoc.Text("Service-linked roles of %s are not served by this engine.", *in.AWSServiceName)}
	}
	if suffix := awsdoc.Or(in.CustomSuffix, ""); suffix != "" {
		name += "_" + suffix
	}
	if err := checkName("customSuffix", &name); err != nil {
		return nil, err
	}
	r := &state.Role{Name: name}
	r.Doc.Description = in.Description
	r.Doc.AssumeRolePolicyDocument = awsdoc.Text(
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":[%q]},"Action":["sts:AssumeRole"]}]}`, *in.AWSServiceName)
	if _, there := s.read().Role(name); there {
		return nil, &types.InvalidInputException{Message: awsdoc.Text("Service role name %s has been taken in this account, please try a different suffix.", name)}
	}
	if err := s.create(r, "/aws-service-role/"+*in.AWSServiceName+"/"); err != nil {
		return nil, err
	}
	return &iam.CreateServiceLinkedRoleOutput{Role: described(r)}, nil
}

// TagRole adds tags to a role, or gives those that are there other values.
func (s *Server) TagRole(_ context.Context, in *iam.TagRoleInput) (*iam.TagRoleOutput, error) {
	return &iam.TagRoleOutput{}, s.change(in.RoleName, func(r *state.Role) error {
		r.Doc.Tags = slices.Clone(r.Doc.Tags)
		for _, t := range in.Tags {
			r.Doc.Tags = append(slices.DeleteFunc(r.Doc.Tags, func(old types.Tag) bool { return *old.Key == *t.Key }), t)
		}
		return nil
	})
}

// UntagRole removes tags from a role by their keys.
func (s *Server) UntagRole(_ context.Context, in *iam.UntagRoleInput) (*iam.UntagRoleOutput, error) {
	return &iam.UntagRoleOutput{}, s.change(in.RoleName, func(r *state.Role) error {
		r.Doc.Tags = slices.DeleteFunc(slices.Clone(r.Doc.Tags), func(t types.Tag) bool { return slices.Contains(in.TagKeys, *t.Key) })
		return nil
	})
}

// ListRoleTags lists the tags of a role.
func (s *Server) ListRoleTags(_ context.Context, in *iam.ListRoleTagsInput) (*iam.ListRoleTagsOutput, error) {
	r, err := role(s.read(), in.RoleName)
	if err != nil {
		return nil, err
	}
	byKey := map[string]types.Tag{}
	var keys []string
	for _, t := range r.Doc.Tags {
		keys, byKey[*t.Key] = append(keys, *t.Key), t
	}
	keys, next, err := page(keys, in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	out := &iam.ListRoleTagsOutput{Tags: []types.Tag{}, Marker: next, IsTruncated: next != nil}
	for _, key := range keys {
		out.Tags = append(out.Tags, byKey[key])
	}
	return out, nil
}
