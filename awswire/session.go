package awswire

import (
	"crypto/subtle"
	"net/http"
	"time"
)

// A Session is a set of temporary credentials: their access key signs with the secret, and the token comes along.
type Session struct {
	Secret, Token string
	Expires       time.Time
}

// Sessions finds temporary credentials by their access key. Nil: there are none.
type Sessions func(accessKey string) (Session, bool)

// secret returns what the sender should have signed with.
func (s *signature) secret(r *http.Request, secrets map[string]string, sessions Sessions, now time.Time) (string, error) {
	if secret, ok := secrets[s.accessKey]; ok {
		return secret, nil
	}
	if sessions == nil {
		return "", errUnknownKey()
	}
	session, ok := sessions(s.accessKey)
	token := r.Header.Get("X-Amz-Security-Token")
	if s.presigned {
		token = r.URL.Query().Get("X-Amz-Security-Token")
	}
	if !ok || subtle.ConstantTimeCompare([]byte(token), []byte(session.Token)) != 1 {
		return "", errUnknownKey()
	}
	if now.After(session.Expires) {
		return "", errExpiredToken()
	}
	return session.Secret, nil
}

func errExpiredToken() error {
	return &refusal{
		json: "ExpiredTokenException", jsonMessage: "The security token included in the request is expired",
		query: "ExpiredToken", queryStatus: http.StatusForbidden,
	}
}
