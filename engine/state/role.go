package state

import (
	"iter"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/iam/types"
)

// Role is an IAM role. Doc is what IAM describes, the trust policy as it was given; names of roles differ in more than case.
type Role struct {
	Name     string
	Doc      types.Role
	Attached []types.AttachedPolicy
	Inline   map[string]string // policy name → document
}

func (r *Role) Kind() Kind  { return KindRole }
func (r *Role) Key() string { return r.Name }

// Role returns the role with that name.
func (s Snapshot) Role(name string) (*Role, bool) { return get[*Role](s, KindRole, name) }

// Roles returns all roles, by name.
func (s Snapshot) Roles() iter.Seq[*Role] { return all[*Role](s, KindRole, "") }

// Session is a set of temporary credentials of a role that somebody assumed.
type Session struct {
	AccessKey, Secret, Token string
	Role                     string // name
	RoleID                   string
	Name                     string // of the session
	Expires                  time.Time
}

func (s *Session) Kind() Kind  { return KindSession }
func (s *Session) Key() string { return s.AccessKey }

// Session returns the temporary credentials with that access key.
func (s Snapshot) Session(accessKey string) (*Session, bool) {
	return get[*Session](s, KindSession, accessKey)
}

// Sessions returns all temporary credentials.
func (s Snapshot) Sessions() iter.Seq[*Session] { return all[*Session](s, KindSession, "") }
