// Package stsapi is the part of AWS STS that tells a caller who it is.
package stsapi

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/slipway-cd/slipway/awswire"
	"github.com/slipway-cd/slipway/engine"
	"github.com/slipway-cd/slipway/engine/api/awsdoc"
)

// Server serves STS operations.
type Server struct{ identity engine.Identity }

// New returns the STS API for an engine's identity.
func New(identity engine.Identity) *Server { return &Server{identity} }

// GetCallerIdentity answers that everybody is the account's root user, who may do everything; the user id is the access
// key that signed the request.
func (s *Server) GetCallerIdentity(ctx context.Context, _ *sts.GetCallerIdentityInput) (*sts.GetCallerIdentityOutput, error) {
	user := awswire.CallerOf(ctx).AccessKey
	if user == "" {
		user = s.identity.Account
	}
	return &sts.GetCallerIdentityOutput{
		Account: &s.identity.Account, Arn: awsdoc.Text("arn:aws:iam::%s:root", s.identity.Account), UserId: &user,
	}, nil
}
