package secretsapi

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"

	"github.com/slipway-cd/slipway/engine/api/awsdoc"
	"github.com/slipway-cd/slipway/engine/state"
)

// largestPage is how many things one answer lists at most. [API reference, ListSecrets, MaxResults]
const largestPage = 100

func page(keys []string, token *string, size *int32) ([]string, *string, error) {
	n := int(awsdoc.Or(size, largestPage))
	if n < 1 || n > largestPage {
		return nil, nil, invalid("MaxResults must be between 1 and %d.", largestPage)
	}
	cut, next, ok := awsdoc.Page(keys, awsdoc.Ascending, token, n)
	if !ok {
		return nil, nil, &types.InvalidNextTokenException{Message: awsdoc.Text("The NextToken is invalid.")}
	}
	return cut, next, nil
}

// ListSecrets describes the secrets that pass all filters, by name.
func (s *Server) ListSecrets(_ context.Context, in *secretsmanager.ListSecretsInput) (*secretsmanager.ListSecretsOutput, error) {
	for _, f := range in.Filters {
		if !slices.Contains(f.Key.Values(), f.Key) || len(f.Values) == 0 {
			return nil, invalid("Invalid filter key: %s", f.Key)
		}
	}
	snap, now := s.engine.DB().Read(), s.engine.Now()
	var names []string
	for secret := range snap.Secrets() {
		if listed(secret, in, now) {
			names = append(names, secret.Name)
		}
	}
	names, next, err := page(names, in.NextToken, in.MaxResults)
	if err != nil {
		return nil, err
	}
	out := &secretsmanager.ListSecretsOutput{SecretList: []types.SecretListEntry{}, NextToken: next}
	for _, name := range names {
		secret, _ := snap.Secret(name)
		doc := secret.Doc
		doc.SecretVersionsToStages = stages(secret)
		out.SecretList = append(out.SecretList, doc)
	}
	return out, nil
}

func listed(secret *state.Secret, in *secretsmanager.ListSecretsInput, now time.Time) bool {
	if expired(secret, now) || secret.Doc.DeletedDate != nil && !awsdoc.Or(in.IncludePlannedDeletion, false) {
		return false
	}
	for _, f := range in.Filters {
		if !passes(secret, f) {
			return false
		}
	}
	return true
}

// passes tells whether a secret has what a filter asks for. Values are alternatives; "!" before one means not. Names,
// tags and regions are compared by how they begin, with case; descriptions by their words, without. [API reference, Filter]
func passes(secret *state.Secret, f types.Filter) bool {
	has := func(v string) bool { return matches(secret, f.Key, v) }
	for _, v := range f.Values {
		if bare, not := strings.CutPrefix(v, "!"); not && !has(bare) || !not && has(v) {
			return true
		}
	}
	return false
}

func matches(secret *state.Secret, key types.FilterNameStringType, v string) bool {
	begins := func(text *string) bool { return text != nil && strings.HasPrefix(*text, v) }
	contains := func(text *string) bool {
		return text != nil && strings.Contains(strings.ToLower(*text), strings.ToLower(v))
	}
	tagged := func(t types.Tag) bool {
		return key != types.FilterNameStringTypeTagValue && begins(t.Key) || key != types.FilterNameStringTypeTagKey && begins(t.Value)
	}
	switch key {
	case types.FilterNameStringTypeName:
		return begins(&secret.Name)
	case types.FilterNameStringTypeDescription:
		return contains(secret.Doc.Description)
	case types.FilterNameStringTypeTagKey, types.FilterNameStringTypeTagValue:
		return slices.ContainsFunc(secret.Doc.Tags, tagged)
	case types.FilterNameStringTypeAll:
		return contains(&secret.Name) || contains(secret.Doc.Description) || slices.ContainsFunc(secret.Doc.Tags, tagged)
	default: // of replication and other services, which there is none of
		return false
	}
}

// TagResource adds tags to a secret, or gives those that are there other values.
func (s *Server) TagResource(_ context.Context, in *secretsmanager.TagResourceInput) (*secretsmanager.TagResourceOutput, error) {
	_, err := s.change(in.SecretId, func(c *state.Secret, _ time.Time) error {
		for _, t := range in.Tags {
			c.Doc.Tags = slices.DeleteFunc(c.Doc.Tags, func(old types.Tag) bool { return awsdoc.Or(old.Key, "") == awsdoc.Or(t.Key, "") })
			c.Doc.Tags = append(c.Doc.Tags, t)
		}
		return nil
	})
	return &secretsmanager.TagResourceOutput{}, err
}

// UntagResource removes tags by their keys.
func (s *Server) UntagResource(_ context.Context, in *secretsmanager.UntagResourceInput) (*secretsmanager.UntagResourceOutput, error) {
	_, err := s.change(in.SecretId, func(c *state.Secret, _ time.Time) error {
		c.Doc.Tags = slices.DeleteFunc(c.Doc.Tags, func(t types.Tag) bool { return slices.Contains(in.TagKeys, awsdoc.Or(t.Key, "")) })
		return nil
	})
	return &secretsmanager.UntagResourceOutput{}, err
}
