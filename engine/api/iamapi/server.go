// Package iamapi is the part of AWS IAM that delivery to ECS needs: roles, and the policies of roles. Policies are kept and
// never judged: everybody may do everything.
package iamapi

import (
	"encoding/json"
	"net/url"
	"regexp"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/smithy-go"

	"github.com/slipway-cd/slipway/engine"
	"github.com/slipway-cd/slipway/engine/api/awsdoc"
	"github.com/slipway-cd/slipway/engine/state"
)

// Server serves IAM operations.
type Server struct{ engine *engine.Engine }

// New returns the IAM API of an engine.
func New(e *engine.Engine) *Server { return &Server{e} }

func (s *Server) write(change func(*state.Tx) error) error { return s.engine.DB().Write(change) }

func (s *Server) read() state.Snapshot { return s.engine.DB().Read() }

var (
	nameForm = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[\w+=,.@-]{1,64}$`) })
	pathForm = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^/([!-~]*/)?$`) })
)

func validation(format string, args ...any) error {
	return &smithy.GenericAPIError{Code: "ValidationError", Message: *awsdoc.Text(format, args...), Fault: smithy.FaultClient}
}

func checkName(member string, name *string) error {
	if !nameForm().MatchString(awsdoc.Or(name, "")) {
		return validation("The specified value for %s is invalid. It must contain only alphanumeric characters and/or the following: +=,.@_-", member)
	}
	return nil
}

// checkPolicy refuses what is no policy: JSON with statements. What they say is not looked at.
func checkPolicy(document *string) error {
	var policy struct{ Statement json.RawMessage }
	if err := json.Unmarshal([]byte(awsdoc.Or(document, "")), &policy); err != nil {
		return &types.MalformedPolicyDocumentException{Message: awsdoc.Text("This policy contains invalid Json")}
	}
	if len(policy.Statement) == 0 {
		return &types.MalformedPolicyDocumentException{Message: awsdoc.Text("Syntax errors in policy.")}
	}
	return nil
}

// encoded is how IAM returns documents: as part of a URL, RFC 3986. [API reference: GetRolePolicy]
func encoded(document string) *string {
	return awsdoc.Text("%s", strings.ReplaceAll(url.QueryEscape(document), "+", "%20"))
}

func role(snap state.Snapshot, name *string) (*state.Role, error) {
	r, ok := snap.Role(awsdoc.Or(name, ""))
	if !ok {
		return nil, &types.NoSuchEntityException{Message: awsdoc.Text("The role with name %s cannot be found.", awsdoc.Or(name, ""))}
	}
	return r, nil
}

// change replaces a role by a changed copy.
func (s *Server) change(name *string, change func(*state.Role) error) error {
	return s.write(func(tx *state.Tx) error {
		r, err := role(tx.Snapshot, name)
		if err != nil {
			return err
		}
		changed := *r
		if err := change(&changed); err != nil {
			return err
		}
		tx.Put(&changed)
		return nil
	})
}

func page(keys []string, marker *string, size *int32) (cut []string, next *string, err error) {
	n := int(awsdoc.Or(size, 100))
	if n < 1 || n > 1000 {
		return nil, nil, validation("1 validation error detected: Value '%d' at 'maxItems' failed to satisfy constraint: Member must have value between 1 and 1000", n)
	}
	cut, next, ok := awsdoc.Page(keys, awsdoc.Ascending, marker, n)
	if !ok {
		return nil, nil, validation("Invalid Marker")
	}
	return cut, next, nil
}
