package metadata

import (
	"net/http"
	"time"

	"github.com/slipway-cd/slipway/engine"
	"github.com/slipway-cd/slipway/engine/lifecycle"
	"github.com/slipway-cd/slipway/engine/state"
)

// lasting is how long credentials last, and early how long before their end a task gets new ones. [ECS guide, "Task IAM role"]
const (
	lasting = 6 * time.Hour
	early   = time.Hour
)

// credentialsDoc is what SDKs read.
type credentialsDoc struct {
	RoleArn         string
	AccessKeyID     string `json:"AccessKeyId"`
	SecretAccessKey string
	Token           string
	Expiration      time.Time
}

// credentials gives a task's programs temporary credentials of its role: the same ones, until they are about to end.
func (s *server) credentials(w http.ResponseWriter, r *http.Request) {
	task := state.TaskID(r.PathValue("task"))
	snap := s.engine.DB().Read()
	t, ok := snap.Task(task)
	if !ok || !t.Alive() {
		refuse(w, http.StatusBadRequest, "InvalidIdInRequest: CredentialsV2Request: Credentials not found")
		return
	}
	d, ok := snap.TaskDefinition(t.TaskDefinition)
	role := ""
	if ok {
		role = lifecycle.TaskRole(t, d)
	}
	if role == "" {
		refuse(w, http.StatusBadRequest, "NoCredentialsAssociated: CredentialsV2Request: the task has no role")
		return
	}
	session, err := s.session(task, engine.ResourceName(role))
	if err != nil {
		refuse(w, http.StatusInternalServerError, "InternalServerError: CredentialsV2Request: "+err.Error())
		return
	}
	answer(w, credentialsDoc{role, session.AccessKey, session.Secret, session.Token, session.Expires.UTC().Truncate(time.Second)})
}

// session finds the task's credentials, or makes some.
func (s *server) session(task state.TaskID, role string) (session *state.Session, err error) {
	err = s.engine.DB().Write(func(tx *state.Tx) error {
		for known := range tx.Sessions() {
			if known.Name == string(task) && known.Expires.After(s.engine.Now().Add(early)) {
				session = known
				return nil
			}
		}
		session = s.engine.NewSession(tx, role, string(task), lasting)
		return nil
	})
	return session, err
}
