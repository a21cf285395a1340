package eventsapi

import (
	"context"
	"strings"

	eb "github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"

	"github.com/slipway-cd/slipway/engine"
	"github.com/slipway-cd/slipway/engine/api/awsdoc"
	"github.com/slipway-cd/slipway/engine/bus"
	"github.com/slipway-cd/slipway/engine/state"
)

// CreateApiDestination names an HTTP endpoint on this machine, so that rules can send events to it.
func (s *Server) CreateApiDestination(_ context.Context, in *eb.CreateApiDestinationInput) (*eb.CreateApiDestinationOutput, error) {
	if err := checkName(in.Name); err != nil {
		return nil, err
	}
	if err := bus.CheckEndpoint(*in.InvocationEndpoint); err != nil {
		return nil, validation("Parameter InvocationEndpoint is not valid. Reason: %v.", err)
	}
	now := s.engine.Now()
	d := &state.APIDestination{Name: *in.Name, Description: awsdoc.Or(in.Description, "")}
	awsdoc.Assign(&d.Doc, in)
	d.Doc.ApiDestinationArn = awsdoc.Text("%s", s.arn("api-destination/"+d.Name+"/"+engine.NewUUID()))
	d.Doc.ApiDestinationState, d.Doc.CreationTime, d.Doc.LastModifiedTime = types.ApiDestinationStateActive, &now, &now
	err := s.write(func(tx *state.Tx) error {
		if _, ok := tx.APIDestination(d.Name); ok {
			return &types.ResourceAlreadyExistsException{Message: awsdoc.Text("An api-destination '%s' already exists.", d.Name)}
		}
		tx.Put(d)
		return nil
	})
	if err != nil {
		return nil, err
	}
	out := &eb.CreateApiDestinationOutput{}
	awsdoc.Assign(out, &d.Doc)
	return out, nil
}

// DescribeApiDestination describes an API destination.
func (s *Server) DescribeApiDestination(_ context.Context, in *eb.DescribeApiDestinationInput) (*eb.DescribeApiDestinationOutput, error) {
	d, ok := s.read().APIDestination(*in.Name)
	if !ok {
		return nil, noDestination(*in.Name)
	}
	out := &eb.DescribeApiDestinationOutput{}
	awsdoc.Assign(out, &d.Doc)
	if d.Description != "" {
		out.Description = &d.Description
	}
	return out, nil
}

func noDestination(name string) error {
	return notFound("Failed to describe the api-destination(s). An api-destination '%s' does not exist.", name)
}

// DeleteApiDestination deletes an API destination.
func (s *Server) DeleteApiDestination(_ context.Context, in *eb.DeleteApiDestinationInput) (*eb.DeleteApiDestinationOutput, error) {
	return &eb.DeleteApiDestinationOutput{}, s.write(func(tx *state.Tx) error {
		d, ok := tx.APIDestination(*in.Name)
		if !ok {
			return noDestination(*in.Name)
		}
		tx.Delete(d)
		return nil
	})
}

// ListApiDestinations lists API destinations by name.
func (s *Server) ListApiDestinations(_ context.Context, in *eb.ListApiDestinationsInput) (*eb.ListApiDestinationsOutput, error) {
	snap := s.read()
	var names []string
	for d := range snap.APIDestinations() {
		if strings.HasPrefix(d.Name, awsdoc.Or(in.NamePrefix, "")) &&
			(in.ConnectionArn == nil || *in.ConnectionArn == awsdoc.Or(d.Doc.ConnectionArn, "")) {
			names = append(names, d.Name)
		}
	}
	names, next, err := page(names, in.NextToken, in.Limit)
	if err != nil {
		return nil, err
	}
	out := &eb.ListApiDestinationsOutput{ApiDestinations: []types.ApiDestination{}, NextToken: next}
	for _, name := range names {
		d, _ := snap.APIDestination(name)
		out.ApiDestinations = append(out.ApiDestinations, d.Doc)
	}
	return out, nil
}
