package secretsapi

import (
	"context"
	"crypto/rand"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"

	"github.com/slipway-cd/slipway/engine/api/awsdoc"
	"github.com/slipway-cd/slipway/engine/state"
)

// CreateSecret makes a secret, with a first version when a value is given.
func (s *Server) CreateSecret(_ context.Context, in *secretsmanager.CreateSecretInput) (*secretsmanager.CreateSecretOutput, error) {
	name := awsdoc.Or(in.Name, "")
	if !nameForm().MatchString(name) {
		return nil, invalid("Invalid name. Must be a valid name containing alphanumeric characters, or any of the following: -/_+=.@!")
	}
	if len(in.AddReplicaRegions) > 0 {
		return nil, invalid("Replication is not served by this engine. Leave AddReplicaRegions out.")
	}
	v, err := valueOf(in.SecretString, in.SecretBinary)
	if err != nil {
		return nil, err
	}
	id, err := versionID(in.ClientRequestToken)
	if err != nil {
		return nil, err
	}
	var made *state.Secret
	err = s.engine.DB().Write(func(tx *state.Tx) error {
		now := s.engine.Now()
		if known, ok := tx.Secret(name); ok && !expired(known, now) {
			made = known
			return again(known, id, v)
		}
		made = &state.Secret{Name: name}
		awsdoc.Assign(&made.Doc, in)
		made.Doc.ARN = awsdoc.Text("%s", s.engine.Identity().ARN("secretsmanager", "secret:"+name+"-"+suffix()))
		made.Doc.CreatedDate, made.Doc.LastChangedDate = &now, &now
		if v.given() {
			add(made, state.SecretVersion{ID: id, Created: now, Text: v.text, Bytes: v.bytes}, []string{state.StageCurrent})
		}
		tx.Put(made)
		return nil
	})
	if err != nil {
		return nil, err
	}
	out := &secretsmanager.CreateSecretOutput{ARN: made.Doc.ARN, Name: &made.Name}
	if v.given() {
		out.VersionId = &id
	}
	return out, nil
}

// again lets a request be repeated that has made the secret already.
func again(known *state.Secret, id string, v value) error {
	if known.Doc.DeletedDate != nil {
		return refused("You can't create this secret because a secret with this name is already scheduled for deletion.")
	}
	if version, ok := known.Version(id, ""); ok && v.is(version) {
		return nil
	}
	return &types.ResourceExistsException{Message: awsdoc.Text("The operation failed because the secret %s already exists.", known.Name)}
}

// suffix is what Secrets Manager puts at the end of an ARN: a secret that is made again has another one.
func suffix() string { return rand.Text()[:6] }

// DescribeSecret tells all of a secret but its values.
func (s *Server) DescribeSecret(_ context.Context, in *secretsmanager.DescribeSecretInput) (*secretsmanager.DescribeSecretOutput, error) {
	found, err := find(s.engine.DB().Read(), in.SecretId, s.engine.Now())
	if err != nil {
		return nil, err
	}
	out := &secretsmanager.DescribeSecretOutput{}
	awsdoc.Assign(out, &found.Doc)
	out.VersionIdsToStages = stages(found)
	return out, nil
}

// UpdateSecret changes a secret's description and key, and adds a version when a value is given.
func (s *Server) UpdateSecret(_ context.Context, in *secretsmanager.UpdateSecretInput) (*secretsmanager.UpdateSecretOutput, error) {
	v, err := valueOf(in.SecretString, in.SecretBinary)
	if err != nil {
		return nil, err
	}
	id, err := versionID(in.ClientRequestToken)
	if err != nil {
		return nil, err
	}
	changed, err := s.change(in.SecretId, func(c *state.Secret, now time.Time) error {
		awsdoc.Assign(&c.Doc, in)
		c.Doc.LastChangedDate = &now
		if !v.given() {
			return nil
		}
		return put(c, state.SecretVersion{ID: id, Created: now, Text: v.text, Bytes: v.bytes}, v, []string{state.StageCurrent})
	})
	if err != nil {
		return nil, err
	}
	out := &secretsmanager.UpdateSecretOutput{ARN: changed.Doc.ARN, Name: &changed.Name}
	if v.given() {
		out.VersionId = &id
	}
	return out, nil
}

// The recovery window, in days. [API reference, DeleteSecret]
const (
	shortestWindow = 7
	longestWindow  = 30
)

// DeleteSecret marks a secret for deletion at the end of its recovery window, or deletes it at once.
func (s *Server) DeleteSecret(_ context.Context, in *secretsmanager.DeleteSecretInput) (*secretsmanager.DeleteSecretOutput, error) {
	force, days := awsdoc.Or(in.ForceDeleteWithoutRecovery, false), awsdoc.Or(in.RecoveryWindowInDays, longestWindow)
	switch {
	case force && in.RecoveryWindowInDays != nil:
		return nil, invalid("You can't use ForceDeleteWithoutRecovery in conjunction with RecoveryWindowInDays.")
	case days < shortestWindow || days > longestWindow:
		return nil, invalid("The RecoveryWindowInDays value must be between %d and %d days (inclusive).", shortestWindow, longestWindow)
	}
	var found *state.Secret
	now := s.engine.Now()
	at := now
	err := s.engine.DB().Write(func(tx *state.Tx) (err error) {
		if force {
			if found, err = find(tx.Snapshot, in.SecretId, now); err == nil {
				tx.Delete(found)
			}
			return err
		}
		if found, err = usable(tx.Snapshot, in.SecretId, now); err != nil {
			return err
		}
		at = now.AddDate(0, 0, int(days))
		changed := clone(found)
		changed.Doc.DeletedDate = &at
		tx.Put(changed)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &secretsmanager.DeleteSecretOutput{ARN: found.Doc.ARN, Name: &found.Name, DeletionDate: &at}, nil
}

// RestoreSecret takes back that a secret is to be deleted.
func (s *Server) RestoreSecret(_ context.Context, in *secretsmanager.RestoreSecretInput) (*secretsmanager.RestoreSecretOutput, error) {
	var changed *state.Secret
	err := s.engine.DB().Write(func(tx *state.Tx) error {
		found, err := find(tx.Snapshot, in.SecretId, s.engine.Now())
		if err != nil {
			return err
		}
		changed = clone(found)
		changed.Doc.DeletedDate = nil
		tx.Put(changed)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &secretsmanager.RestoreSecretOutput{ARN: changed.Doc.ARN, Name: &changed.Name}, nil
}
