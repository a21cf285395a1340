package ecsapi

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway/engine/api/awsdoc"
	"github.com/slipway-cd/slipway/engine/state"
)

// RegisterTaskDefinition stores the next revision of a family, with AWS's defaults filled in.
func (s *Server) RegisterTaskDefinition(_ context.Context, in *ecs.RegisterTaskDefinitionInput) (*ecs.RegisterTaskDefinitionOutput, error) {
	var doc types.TaskDefinition
	awsdoc.Assign(&doc, in)
	if err := checkTaskDefinition(&doc); err != nil {
		return nil, err
	}
	normalise(&doc)
	d := &state.TaskDefinition{Tags: in.Tags}
	err := s.engine.DB().Write(func(tx *state.Tx) error {
		d.TaskDefinitionID = state.TaskDefinitionID{Family: *doc.Family, Revision: lastRevision(tx.Snapshot, *doc.Family) + 1}
		identity, now := s.engine.Identity(), s.engine.Now()
		doc.Revision = int32(d.Revision)
		doc.TaskDefinitionArn = awsdoc.Text("%s", identity.TaskDefinitionARN(d.TaskDefinitionID))
		doc.Status = types.TaskDefinitionStatusActive
		doc.RegisteredAt = &now
		doc.RegisteredBy = awsdoc.Text("arn:aws:iam::%s:root", identity.Account)
		d.Doc = doc
		tx.Put(d)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &ecs.RegisterTaskDefinitionOutput{TaskDefinition: &d.Doc, Tags: d.Tags}, nil
}

func lastRevision(snap state.Snapshot, family string) int {
	last := 0
	for d := range snap.TaskDefinitions(family) {
		last = max(last, d.Revision)
	}
	return last
}

// DescribeTaskDefinition finds a revision by family (its newest ACTIVE one), family:revision or ARN.
func (s *Server) DescribeTaskDefinition(_ context.Context, in *ecs.DescribeTaskDefinitionInput) (*ecs.DescribeTaskDefinitionOutput, error) {
	d, ok := findTaskDefinition(s.engine.DB().Read(), awsdoc.Or(in.TaskDefinition, ""))
	if !ok {
		return nil, clientError("Unable to describe task definition.")
	}
	out := &ecs.DescribeTaskDefinitionOutput{TaskDefinition: &d.Doc}
	if slices.Contains(in.Include, types.TaskDefinitionFieldTags) {
		out.Tags = awsdoc.List(d.Tags)
	}
	return out, nil
}

// findTaskDefinition resolves what clients call a task definition.
func findTaskDefinition(snap state.Snapshot, ref string) (*state.TaskDefinition, bool) {
	if _, resource, isARN := strings.Cut(ref, ":task-definition/"); isARN {
		ref = resource
	}
	family, number, exact := strings.Cut(ref, ":")
	if exact {
		revision, err := strconv.Atoi(number)
		if err != nil {
			return nil, false
		}
		return snap.TaskDefinition(state.TaskDefinitionID{Family: family, Revision: revision})
	}
	var newest *state.TaskDefinition
	if family != "" {
		for d := range snap.TaskDefinitions(family) {
			if d.Doc.Status == types.TaskDefinitionStatusActive {
				newest = d
			}
		}
	}
	return newest, newest != nil
}

// usableTaskDefinition resolves a task definition that new tasks may be started from.
func usableTaskDefinition(snap state.Snapshot, ref string) (*state.TaskDefinition, error) {
	d, ok := findTaskDefinition(snap, ref)
	switch {
	case !ok:
		return nil, clientError("TaskDefinition not found.")
	case d.Doc.Status != types.TaskDefinitionStatusActive:
		return nil, clientError("TaskDefinition is inactive")
	}
	return d, nil
}

// ListTaskDefinitions lists revisions by family and number.
func (s *Server) ListTaskDefinitions(_ context.Context, in *ecs.ListTaskDefinitionsInput) (*ecs.ListTaskDefinitionsOutput, error) {
	status := in.Status
	if status == "" {
		status = types.TaskDefinitionStatusActive
	}
	prefix := awsdoc.Or(in.FamilyPrefix, "")
	arns := map[string]string{}
	var keys []string
	for d := range s.engine.DB().Read().TaskDefinitions(prefix) {
		if d.Doc.Status == status {
			keys = append(keys, d.Key())
			arns[d.Key()] = *d.Doc.TaskDefinitionArn
		}
	}
	order := awsdoc.Ascending
	if in.Sort == types.SortOrderDesc {
		order = awsdoc.Descending
	}
	keys, next, err := pageInOrder(keys, order, in.NextToken, awsdoc.Or(in.MaxResults, 0), 100)
	if err != nil {
		return nil, err
	}
	out := &ecs.ListTaskDefinitionsOutput{NextToken: next}
	for _, key := range keys {
		out.TaskDefinitionArns = append(out.TaskDefinitionArns, arns[key])
	}
	return out, nil
}

// ListTaskDefinitionFamilies lists the families that begin with a prefix.
func (s *Server) ListTaskDefinitionFamilies(_ context.Context, in *ecs.ListTaskDefinitionFamiliesInput) (*ecs.ListTaskDefinitionFamiliesOutput, error) {
	active := map[string]bool{}
	for d := range s.engine.DB().Read().TaskDefinitions("") {
		if strings.HasPrefix(d.Family, awsdoc.Or(in.FamilyPrefix, "")) {
			active[d.Family] = active[d.Family] || d.Doc.Status == types.TaskDefinitionStatusActive
		}
	}
	var families []string
	for family, isActive := range active {
		switch in.Status {
		case types.TaskDefinitionFamilyStatusActive, "":
			if isActive {
				families = append(families, family)
			}
		case types.TaskDefinitionFamilyStatusInactive:
			if !isActive {
				families = append(families, family)
			}
		default: // ALL
			families = append(families, family)
		}
	}
	families, next, err := page(families, in.NextToken, awsdoc.Or(in.MaxResults, 0))
	if err != nil {
		return nil, err
	}
	return &ecs.ListTaskDefinitionFamiliesOutput{Families: families, NextToken: next}, nil
}
