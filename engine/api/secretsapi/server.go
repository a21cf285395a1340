// Package secretsapi is the AWS Secrets Manager API of the engine.
//
// Values are kept in the engine's state as they were given, and leave it only through GetSecretValue and into the
// containers that name them: no answer to another operation, no error and no log line has one.
package secretsapi

import (
	"regexp"
	"slices"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"

	"github.com/slipway-cd/slipway/engine"
	"github.com/slipway-cd/slipway/engine/api/awsdoc"
	"github.com/slipway-cd/slipway/engine/state"
)

// Server serves the Secrets Manager operations on an engine.
type Server struct{ engine *engine.Engine }

// New returns the Secrets Manager API of an engine.
func New(e *engine.Engine) *Server { return &Server{e} }

var nameForm = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[A-Za-z0-9/_+=.@-]{1,512}$`) })

func invalid(format string, args ...any) error {
	return &types.InvalidParameterException{Message: awsdoc.Text(format, args...)}
}

func refused(format string, args ...any) error {
	return &types.InvalidRequestException{Message: awsdoc.Text(format, args...)}
}

func missing(format string, args ...any) error {
	return &types.ResourceNotFoundException{Message: awsdoc.Text(format, args...)}
}

func markedForDeletion() error {
	return refused("You can't perform this operation on the secret because it was marked for deletion.")
}

// find resolves what clients call a secret: a name or an ARN. One whose recovery window is over is gone.
func find(snap state.Snapshot, id *string, now time.Time) (*state.Secret, error) {
	s, ok := snap.FindSecret(awsdoc.Or(id, ""))
	if !ok || expired(s, now) {
		return nil, missing("Secrets Manager can't find the specified secret.")
	}
	return s, nil
}

// usable finds a secret that is not marked for deletion.
func usable(snap state.Snapshot, id *string, now time.Time) (*state.Secret, error) {
	s, err := find(snap, id, now)
	if err == nil && s.Doc.DeletedDate != nil {
		return nil, markedForDeletion()
	}
	return s, err
}

func expired(s *state.Secret, now time.Time) bool {
	return s.Doc.DeletedDate != nil && !now.Before(*s.Doc.DeletedDate)
}

// change puts a changed copy of a secret.
func (s *Server) change(id *string, change func(*state.Secret, time.Time) error) (*state.Secret, error) {
	var changed *state.Secret
	err := s.engine.DB().Write(func(tx *state.Tx) error {
		now := s.engine.Now()
		found, err := usable(tx.Snapshot, id, now)
		if err != nil {
			return err
		}
		changed = clone(found)
		if err := change(changed, now); err != nil {
			return err
		}
		tx.Put(changed)
		return nil
	})
	return changed, err
}

func clone(s *state.Secret) *state.Secret {
	c := *s
	c.Versions = slices.Clone(s.Versions)
	c.Doc.Tags = slices.Clone(s.Doc.Tags)
	return &c
}

// stages tells which version has which stages; versions without any are left out.
func stages(s *state.Secret) map[string][]string {
	all := map[string][]string{}
	for _, v := range s.Versions {
		if len(v.Stages) > 0 {
			all[v.ID] = v.Stages
		}
	}
	return all
}

// value is what a request gives as a secret's value.
type value struct {
	text  *string
	bytes []byte
}

func valueOf(text *string, bytes []byte) (value, error) {
	if text != nil && bytes != nil {
		return value{}, invalid("You can't specify both a binary secret value and a string secret value in the same secret.")
	}
	const most = 65536 // bytes [API reference, CreateSecret]
	if len(awsdoc.Or(text, "")) > most || len(bytes) > most {
		return value{}, invalid("The secret value is longer than %d bytes.", most)
	}
	return value{text, bytes}, nil
}

func (v value) given() bool { return v.text != nil || v.bytes != nil }

func (v value) is(of state.SecretVersion) bool {
	return (v.text == nil) == (of.Text == nil) && awsdoc.Or(v.text, "") == awsdoc.Or(of.Text, "") && string(v.bytes) == string(of.Bytes)
}

// versionID is the token of the request, which makes repeating it harmless, or a new id.
func versionID(token *string) (string, error) {
	id := awsdoc.Or(token, "")
	if id == "" {
		return engine.NewUUID(), nil
	}
	if len(id) < 32 || len(id) > 64 {
		return "", invalid("ClientRequestToken must be 32-64 characters long.")
	}
	return id, nil
}

// kept is how many versions without a stage a secret has at most. [API reference, PutSecretValue: about 100]
const kept = 100

// add gives a secret a new version, with stages that are taken from the versions that had them. A version that loses
// AWSCURRENT becomes AWSPREVIOUS. [API reference, PutSecretValue]
func add(s *state.Secret, version state.SecretVersion, with []string) {
	if len(s.Versions) == 0 && !slices.Contains(with, state.StageCurrent) {
		with = append(slices.Clone(with), state.StageCurrent)
	}
	s.Versions = append(s.Versions, version)
	for _, stage := range with {
		move(s, stage, version.ID)
	}
	excess := -kept
	for _, v := range s.Versions {
		if len(v.Stages) == 0 {
			excess++
		}
	}
	s.Versions = slices.DeleteFunc(s.Versions, func(v state.SecretVersion) bool {
		old := len(v.Stages) == 0 && excess > 0
		if old {
			excess--
		}
		return old
	})
}

// move gives a stage to a version.
func move(s *state.Secret, stage, to string) {
	for i := range s.Versions {
		v := &s.Versions[i]
		had := slices.Contains(v.Stages, stage)
		switch {
		case v.ID == to && !had:
			v.Stages = append(slices.Clone(v.Stages), stage)
		case v.ID != to && had:
			v.Stages = without(v.Stages, stage)
			if stage == state.StageCurrent {
				move(s, state.StagePrevious, v.ID)
			}
		}
	}
	if stage == state.StageCurrent { // the current one is never the one before
		for i := range s.Versions {
			if v := &s.Versions[i]; v.ID == to {
				v.Stages = without(v.Stages, state.StagePrevious)
			}
		}
	}
}

func without(list []string, one string) []string {
	return slices.DeleteFunc(slices.Clone(list), func(s string) bool { return s == one })
}
