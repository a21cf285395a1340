package api

import (
	"github.com/slipway-cd/slipway/awswire"
	"github.com/slipway-cd/slipway/engine"
)

// sessions finds the temporary credentials that STS gave out.
func sessions(e *engine.Engine) awswire.Sessions {
	return func(accessKey string) (awswire.Session, bool) {
		s, ok := e.DB().Read().Session(accessKey)
		if !ok {
			return awswire.Session{}, false
		}
		return awswire.Session{Secret: s.Secret, Token: s.Token, Expires: s.Expires}, true
	}
}
