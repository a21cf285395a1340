// Package stsapi is the part of AWS STS that tells a caller who it is, and has it be a role for a while.
package stsapi

import (
	"context"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/aws-sdk-go-v2/service/sts/types"
	"github.com/aws/smithy-go"

	"github.com/slipway-cd/slipway/awswire"
	"github.com/slipway-cd/slipway/engine"
	"github.com/slipway-cd/slipway/engine/api/awsdoc"
	"github.com/slipway-cd/slipway/engine/state"
)

// Server serves STS operations.
type Server struct{ engine *engine.Engine }

// New returns the STS API of an engine.
func New(e *engine.Engine) *Server { return &Server{e} }

// GetCallerIdentity answers that whoever signs with temporary credentials is the role that they are of. Everybody else is
// the account's root user, who may do everything; the user id is the access key that signed the request.
func (s *Server) GetCallerIdentity(ctx context.Context, _ *sts.GetCallerIdentityInput) (*sts.GetCallerIdentityOutput, error) {
	identity := s.engine.Identity()
	user := awswire.CallerOf(ctx).AccessKey
	if session, ok := s.engine.DB().Read().Session(user); ok {
		return &sts.GetCallerIdentityOutput{
			Account: &identity.Account, Arn: awsdoc.Text("%s", identity.AssumedRoleARN(session)),
			UserId: awsdoc.Text("%s:%s", session.RoleID, session.Name),
		}, nil
	}
	if user == "" {
		user = identity.Account
	}
	return &sts.GetCallerIdentityOutput{
		Account: &identity.Account, Arn: awsdoc.Text("arn:aws:iam::%s:root", identity.Account), UserId: &user,
	}, nil
}

var (
	roleForm = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`^arn:aws[\w-]*:iam::\d{12}:role/([!-~]*/)?[\w+=,.@-]{1,64}$`)
	})
	sessionForm = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[\w+=,.@-]{2,64}$`) })
)

func validation(format string, args ...any) error {
	return &smithy.GenericAPIError{Code: "ValidationError", Message: *awsdoc.Text(format, args...), Fault: smithy.FaultClient}
}

// The bounds of a session's duration, in seconds. [API reference: AssumeRole]
const (
	shortest = 900
	usual    = 3600
	longest  = 43200
)

// AssumeRole returns temporary credentials of a role. Anybody may assume any role; it must exist when the engine checks
// roles.
func (s *Server) AssumeRole(ctx context.Context, in *sts.AssumeRoleInput) (*sts.AssumeRoleOutput, error) {
	identity, name := s.engine.Identity(), engine.ResourceName(awsdoc.Or(in.RoleArn, ""))
	lasts := awsdoc.Or(in.DurationSeconds, usual)
	switch {
	case !roleForm().MatchString(awsdoc.Or(in.RoleArn, "")):
		return nil, validation("%s is invalid", awsdoc.Or(in.RoleArn, ""))
	case !sessionForm().MatchString(awsdoc.Or(in.RoleSessionName, "")):
		return nil, validation("1 validation error detected: Value '%s' at 'roleSessionName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\w+=,.@-]*", awsdoc.Or(in.RoleSessionName, ""))
	case lasts < shortest || lasts > longest:
		return nil, validation("1 validation error detected: Value '%d' at 'durationSeconds' failed to satisfy constraint: Member must have value between %d and %d", lasts, shortest, longest)
	}
	var session *state.Session
	err := s.engine.DB().Write(func(tx *state.Tx) error {
		r, ok := tx.Role(name)
		if s.engine.ChecksRoles() && (!ok || *r.Doc.Arn != *in.RoleArn) || !strings.Contains(*in.RoleArn, "::"+identity.Account+":") {
			return s.denied(ctx, tx.Snapshot, *in.RoleArn)
		}
		if ok && lasts > awsdoc.Or(r.Doc.MaxSessionDuration, usual) {
			return validation("The requested DurationSeconds exceeds the MaxSessionDuration set for this role.")
		}
		session = s.engine.NewSession(tx, name, *in.RoleSessionName, time.Duration(lasts)*time.Second)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &sts.AssumeRoleOutput{
		AssumedRoleUser: &types.AssumedRoleUser{
			Arn: awsdoc.Text("%s", identity.AssumedRoleARN(session)), AssumedRoleId: awsdoc.Text("%s:%s", session.RoleID, session.Name),
		},
		Credentials: &types.Credentials{
			AccessKeyId: &session.AccessKey, SecretAccessKey: &session.Secret, SessionToken: &session.Token, Expiration: &session.Expires,
		},
		SourceIdentity: in.SourceIdentity,
	}, nil
}

// denied is what AWS says of a role that is not there, as of one that doesn't trust the caller.
func (s *Server) denied(ctx context.Context, snap state.Snapshot, role string) error {
	identity := s.engine.Identity()
	caller := "arn:aws:iam::" + identity.Account + ":root"
	if session, ok := snap.Session(awswire.CallerOf(ctx).AccessKey); ok {
		caller = identity.AssumedRoleARN(session)
	}
	return &smithy.GenericAPIError{
		Code: "AccessDenied", Fault: smithy.FaultClient,
		Message: *awsdoc.Text("User: %s is not authorized to perform: sts:AssumeRole on resource: %s", caller, role),
	}
}
