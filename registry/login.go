package registry

import (
	"context"

	"github.com/google/go-containerregistry/pkg/authn"
)

// Credentials are a user and a password or token. Printed, they show no secret.
type Credentials struct {
	Username string
	Password string
}

// String hides the password.
func (c Credentials) String() string { return c.Username + ":***" }

// GoString hides the password, too, from %#v.
func (c Credentials) GoString() string { return c.String() }

// MarshalText hides the password from encoders, of logs for instance.
func (c Credentials) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// Login returns the credentials for a registry's host ("123456789012.dkr.ecr.eu-west-1.amazonaws.com"), or empty ones
// when it has none for it. Amazon ECR's are the user AWS and the token that GetAuthorizationToken returns.
type Login func(ctx context.Context, host string) (Credentials, error)

// keychain asks a Login first and another keychain when that has nothing.
type keychain struct {
	login Login
	rest  authn.Keychain
}

// Resolve is ResolveContext for callers without a context.
func (k keychain) Resolve(target authn.Resource) (authn.Authenticator, error) {
	return k.ResolveContext(context.Background(), target)
}

// ResolveContext returns how to authenticate to a registry.
func (k keychain) ResolveContext(ctx context.Context, target authn.Resource) (authn.Authenticator, error) {
	if k.login != nil {
		found, err := k.login(ctx, target.RegistryStr())
		if err != nil {
			return nil, &loginError{target.RegistryStr(), err}
		}
		if found != (Credentials{}) {
			return &authn.Basic{Username: found.Username, Password: found.Password}, nil
		}
	}
	auth, err := authn.Resolve(ctx, k.rest, target)
	if err != nil {
		return nil, &loginError{target.RegistryStr(), err}
	}
	return auth, nil
}

// loginError says that the credentials could not be found out.
type loginError struct {
	host string
	err  error
}

func (e *loginError) Error() string {
	return "cannot get credentials for " + e.host + ": " + e.err.Error()
}
func (e *loginError) Unwrap() error { return e.err }
