package engine

import (
	"crypto/sha256"
	"encoding/base32"
	"encoding/base64"
	"slices"
	"time"

	"github.com/slipway-cd/slipway/engine/state"
)

// NewSession makes temporary credentials of a role. Those that have expired are forgotten with it.
func (e *Engine) NewSession(tx *state.Tx, role, name string, lasts time.Duration) *state.Session {
	now := e.Now()
	for _, old := range slices.Collect(tx.Sessions()) {
		if now.After(old.Expires.Add(keepSessions)) {
			tx.Delete(old)
		}
	}
	s := &state.Session{
		AccessKey: "ASIA" + letters(random(10)), Secret: base64.RawStdEncoding.EncodeToString(random(30)),
		Token: base64.StdEncoding.EncodeToString(random(96)), Role: role, RoleID: RoleID(tx.Snapshot, role), Name: name,
		Expires: now.Add(lasts).Truncate(time.Second),
	}
	tx.Put(s)
	return s
}

// keepSessions is how long it is known of credentials that they have expired.
const keepSessions = time.Hour

// letters writes bytes as access keys and ids are written: capital letters and digits.
func letters(b []byte) string {
	return base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(b)
}

// RoleID returns the unique id of a role, AROA and 16 letters. One that is not there has an id made of its name.
func RoleID(snap state.Snapshot, name string) string {
	if r, ok := snap.Role(name); ok && r.Doc.RoleId != nil {
		return *r.Doc.RoleId
	}
	sum := sha256.Sum256([]byte(name))
	return "AROA" + letters(sum[:10])
}

// NewRoleID returns a new unique id of a role.
func NewRoleID() string { return "AROA" + letters(random(10)) }

// AssumedRoleARN returns who somebody is that uses a session.
func (i Identity) AssumedRoleARN(s *state.Session) string {
	return "arn:aws:sts::" + i.Account + ":assumed-role/" + s.Role + "/" + s.Name
}

// RoleARN returns the ARN of a role whose path is "/" or longer.
func (i Identity) RoleARN(path, name string) string {
	return "arn:aws:iam::" + i.Account + ":role" + path + name
}
