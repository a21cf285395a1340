// Package ssmapi is the Parameter Store of AWS Systems Manager, as the engine has it.
//
// Values are kept in the engine's state as they were given. There is no key to encrypt with: what a SecureString is
// answered as without decryption is made up.
package ssmapi

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/aws/smithy-go"

	"github.com/slipway-cd/slipway/engine"
	"github.com/slipway-cd/slipway/engine/api/awsdoc"
	"github.com/slipway-cd/slipway/engine/state"
)

// Server serves the operations of Parameter Store on an engine.
type Server struct{ engine *engine.Engine }

// New returns the Systems Manager API of an engine.
func New(e *engine.Engine) *Server { return &Server{e} }

var nameForm = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^/?[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)*$`) })

// deepest is how many levels a name may have. [API reference, PutParameter, Name]
const deepest = 15

func validation(format string, args ...any) error {
	return &smithy.GenericAPIError{Code: "ValidationException", Message: fmt.Sprintf(format, args...), Fault: smithy.FaultClient}
}

func notFound() error { return &types.ParameterNotFound{} }

func checkName(name string) error {
	first := strings.ToLower(strings.Split(strings.TrimPrefix(name, "/"), "/")[0])
	switch {
	case !nameForm().MatchString(name):
		return validation("Parameter name must be a fully qualified name: letters, numbers and .-_ between slashes; a name with levels begins with a slash.")
	case strings.Contains(name, "/") && !strings.HasPrefix(name, "/"):
		return validation("Parameter name must be a fully qualified name.")
	case strings.HasPrefix(first, "aws") || strings.HasPrefix(first, "ssm"):
		return validation("Parameter name: can't be prefixed with \"aws\" or \"ssm\" (case-insensitive).")
	case strings.Count(name, "/") > deepest:
		return &types.HierarchyLevelLimitExceededException{Message: awsdoc.Text("A parameter hierarchy can have at most %d levels.", deepest)}
	}
	return nil
}

// find resolves what clients call a parameter, with a version or label if they name one.
func find(snap state.Snapshot, id string) (p *state.Parameter, v types.ParameterHistory, selector string, err error) {
	p, v, selector, ok := snap.FindParameter(id)
	switch {
	case p == nil:
		return nil, v, selector, notFound()
	case !ok:
		return nil, v, selector, &types.ParameterVersionNotFound{Message: awsdoc.Text(
			"Systems Manager could not find version %s of %s. Verify the version and try again.", selector, p.Name)}
	}
	return p, v, selector, nil
}

// answer is a version of a parameter with its value, which is hidden when it is a SecureString that is not to be decrypted.
func answer(p *state.Parameter, v types.ParameterHistory, selector string, decrypt bool) types.Parameter {
	var doc types.Parameter
	awsdoc.Assign(&doc, &v)
	doc.ARN, doc.Value = &p.ARN, shown(p, v, decrypt)
	if selector != "" {
		doc.Selector = awsdoc.Text(":%s", selector)
	}
	return doc
}

func shown(p *state.Parameter, v types.ParameterHistory, decrypt bool) *string {
	if v.Type != types.ParameterTypeSecureString || decrypt {
		return v.Value
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%s:%d", p.ARN, v.Version))
	return awsdoc.Text("%s", base64.StdEncoding.EncodeToString(sum[:]))
}

// GetParameter returns the value of a parameter.
func (s *Server) GetParameter(_ context.Context, in *ssm.GetParameterInput) (*ssm.GetParameterOutput, error) {
	p, v, selector, err := find(s.engine.DB().Read(), awsdoc.Or(in.Name, ""))
	if err != nil {
		return nil, err
	}
	doc := answer(p, v, selector, awsdoc.Or(in.WithDecryption, false))
	return &ssm.GetParameterOutput{Parameter: &doc}, nil
}

// GetParameters returns the values of up to ten parameters, and the names of those that are not there.
func (s *Server) GetParameters(_ context.Context, in *ssm.GetParametersInput) (*ssm.GetParametersOutput, error) {
	if err := atMostTen(in.Names); err != nil {
		return nil, err
	}
	out := &ssm.GetParametersOutput{Parameters: []types.Parameter{}, InvalidParameters: []string{}}
	snap := s.engine.DB().Read()
	for i, name := range in.Names {
		if slices.Contains(in.Names[:i], name) {
			continue
		}
		p, v, selector, err := find(snap, name)
		if err != nil {
			out.InvalidParameters = append(out.InvalidParameters, name)
			continue
		}
		out.Parameters = append(out.Parameters, answer(p, v, selector, awsdoc.Or(in.WithDecryption, false)))
	}
	return out, nil
}

func atMostTen(names []string) error {
	if len(names) == 0 || len(names) > 10 {
		return validation("1 validation error detected: Value at 'names' failed to satisfy constraint: Member must have length between 1 and 10")
	}
	return nil
}

// GetParameterHistory returns the versions of a parameter, oldest first.
func (s *Server) GetParameterHistory(_ context.Context, in *ssm.GetParameterHistoryInput) (*ssm.GetParameterHistoryOutput, error) {
	p, ok := s.engine.DB().Read().Parameter(awsdoc.Or(in.Name, ""))
	if !ok {
		return nil, notFound()
	}
	byKey := map[string]types.ParameterHistory{}
	keys := make([]string, len(p.History))
	for i, v := range p.History {
		keys[i] = fmt.Sprintf("%019d", v.Version)
		byKey[keys[i]] = v
	}
	keys, next, err := page(keys, in.NextToken, in.MaxResults, 50)
	if err != nil {
		return nil, err
	}
	out := &ssm.GetParameterHistoryOutput{NextToken: next}
	for _, key := range keys {
		v := byKey[key]
		v.Value = shown(p, v, awsdoc.Or(in.WithDecryption, false))
		out.Parameters = append(out.Parameters, v)
	}
	return out, nil
}

func page(keys []string, token *string, size *int32, most int) ([]string, *string, error) {
	n := int(awsdoc.Or(size, int32(most))) //nolint:gosec // a constant of this package
	if n < 1 || n > most {
		return nil, nil, validation("1 validation error detected: Value '%d' at 'maxResults' failed to satisfy constraint: Member must have value between 1 and %d", n, most)
	}
	cut, next, ok := awsdoc.Page(keys, awsdoc.Ascending, token, n)
	if !ok {
		return nil, nil, &types.InvalidNextToken{Message: awsdoc.Text("The specified token is not valid.")}
	}
	return cut, next, nil
}
