// Package ecrapi is the Amazon ECR API of the engine, over the images that its registry stores.
package ecrapi

import (
	"context"
	"encoding/base64"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"

	"github.com/slipway-cd/slipway/engine"
	"github.com/slipway-cd/slipway/engine/api/awsdoc"
	"github.com/slipway-cd/slipway/engine/images"
	"github.com/slipway-cd/slipway/engine/state"
	"github.com/slipway-cd/slipway/fault"
)

// Server serves ECR operations. A repository exists when the registry has it; what ECR knows of it beyond its name is
// in the engine's state.
type Server struct {
	engine *engine.Engine
	images *images.Store
	host   func() string // host:port under which the registry is reached
}

// New returns the ECR API of an engine and its registry; host tells where that is reached.
func New(e *engine.Engine, store *images.Store, host func() string) *Server {
	return &Server{e, store, host}
}

func invalid(format string, args ...any) error {
	return &types.InvalidParameterException{Message: awsdoc.Text(format, args...)}
}

func (s *Server) notFound(name string) error {
	return &types.RepositoryNotFoundException{Message: awsdoc.Text(
		"The repository with name '%s' does not exist in the registry with id '%s'", name, s.engine.Identity().Account)}
}

// find resolves a repository's name.
func (s *Server) find(name *string) (images.Name, error) {
	parsed, err := images.ParseName(awsdoc.Or(name, ""))
	if err != nil {
		return "", invalid("Invalid parameter at 'repositoryName' failed to satisfy constraint: %s", err)
	}
	if _, err := s.images.Repository(parsed); err != nil {
		return "", s.notFound(string(parsed))
	}
	return parsed, nil
}

// tokenLife is how long a registry token is good for. [ECR: registry authentication]
const tokenLife = 12 * time.Hour

// GetAuthorizationToken returns a user name and password for the engine's registry, which takes any.
func (s *Server) GetAuthorizationToken(context.Context, *ecr.GetAuthorizationTokenInput) (*ecr.GetAuthorizationTokenOutput, error) {
	expires := s.engine.Now().Add(tokenLife)
	token := base64.StdEncoding.EncodeToString([]byte("AWS:" + engine.NewHexID()))
	return &ecr.GetAuthorizationTokenOutput{AuthorizationData: []types.AuthorizationData{{
		AuthorizationToken: &token, ExpiresAt: &expires, ProxyEndpoint: awsdoc.Text("http://%s", s.host()),
	}}}, nil
}

// CreateRepository makes a repository to push to.
func (s *Server) CreateRepository(_ context.Context, in *ecr.CreateRepositoryInput) (*ecr.CreateRepositoryOutput, error) {
	name, err := images.ParseName(awsdoc.Or(in.RepositoryName, ""))
	if err != nil {
		return nil, invalid("Invalid parameter at 'repositoryName' failed to satisfy constraint: %s", err)
	}
	if err := checkMutability(in.ImageTagMutability, in.ImageTagMutabilityExclusionFilters); err != nil {
		return nil, err
	}
	created, err := s.images.Create(name)
	if fault.KindOf(err) == fault.Conflict {
		return nil, &types.RepositoryAlreadyExistsException{Message: awsdoc.Text(
			"The repository with name '%s' already exists in the registry with id '%s'", name, s.engine.Identity().Account)}
	}
	if err != nil {
		return nil, err
	}
	r := &state.Repository{Name: string(name), Doc: s.describe(created), Tags: in.Tags}
	awsdoc.Assign(&r.Doc, in, "RegistryId")
	if err := s.engine.DB().Write(func(tx *state.Tx) error { tx.Put(r); return nil }); err != nil {
		return nil, err
	}
	return &ecr.CreateRepositoryOutput{Repository: &r.Doc}, nil
}

// describe is what ECR says of a repository that nothing was decided about.
func (s *Server) describe(r images.Repository) types.Repository {
	identity := s.engine.Identity()
	return types.Repository{
		RepositoryName: awsdoc.Text("%s", r.Name), RepositoryArn: awsdoc.Text("%s", identity.ARN("ecr", "repository/"+string(r.Name))),
		RepositoryUri: awsdoc.Text("%s/%s", s.host(), r.Name), RegistryId: &identity.Account, CreatedAt: &r.CreatedAt,
		ImageTagMutability:         types.ImageTagMutabilityMutable,
		ImageScanningConfiguration: &types.ImageScanningConfiguration{},
		EncryptionConfiguration:    &types.EncryptionConfiguration{EncryptionType: types.EncryptionTypeAes256},
	}
}

// record returns what is known of a repository. One that a push made has no record yet; the address of all follows the
// endpoint's, which may be another one than when the record was made.
func (s *Server) record(snap state.Snapshot, r images.Repository) state.Repository {
	fresh := s.describe(r)
	if known, ok := snap.Repository(string(r.Name)); ok {
		changed := *known
		changed.Doc.RepositoryUri = fresh.RepositoryUri
		return changed
	}
	return state.Repository{Name: string(r.Name), Doc: fresh}
}

// change puts what alter makes of a repository's record.
func (s *Server) change(name images.Name, alter func(*state.Repository) error) (*state.Repository, error) {
	found, err := s.images.Repository(name)
	if err != nil {
		return nil, err
	}
	var changed state.Repository
	err = s.engine.DB().Write(func(tx *state.Tx) error {
		changed = s.record(tx.Snapshot, found)
		if err := alter(&changed); err != nil {
			return err
		}
		tx.Put(&changed)
		return nil
	})
	return &changed, err
}

// DescribeRepositories describes repositories by name, or all.
func (s *Server) DescribeRepositories(_ context.Context, in *ecr.DescribeRepositoriesInput) (*ecr.DescribeRepositoriesOutput, error) {
	names := slices.Clone(in.RepositoryNames)
	for _, name := range names {
		if _, err := s.find(&name); err != nil {
			return nil, err
		}
	}
	if len(names) == 0 {
		for _, r := range s.images.Repositories() {
			names = append(names, string(r.Name))
		}
	}
	names, next, err := page(names, in.NextToken, in.MaxResults)
	if err != nil {
		return nil, err
	}
	out := &ecr.DescribeRepositoriesOutput{Repositories: []types.Repository{}, NextToken: next}
	snap := s.engine.DB().Read()
	for _, name := range names {
		if r, err := s.images.Repository(images.Name(name)); err == nil {
			out.Repositories = append(out.Repositories, s.record(snap, r).Doc)
		}
	}
	return out, nil
}

func page(keys []string, token *string, size *int32) ([]string, *string, error) {
	n := int(awsdoc.Or(size, 100))
	if n < 1 || n > 1000 {
		return nil, nil, invalid("Invalid parameter at 'maxResults': must be between 1 and 1000")
	}
	cut, next, ok := awsdoc.Page(keys, awsdoc.Ascending, token, n)
	if !ok {
		return nil, nil, invalid("Invalid parameter at 'nextToken'")
	}
	return cut, next, nil
}

// DeleteRepository deletes a repository; one with images in it only by force.
func (s *Server) DeleteRepository(_ context.Context, in *ecr.DeleteRepositoryInput) (*ecr.DeleteRepositoryOutput, error) {
	name, err := s.find(in.RepositoryName)
	if err != nil {
		return nil, err
	}
	list, err := s.images.Images(name)
	if err != nil {
		return nil, err
	}
	if len(list) > 0 && !in.Force {
		return nil, &types.RepositoryNotEmptyException{Message: awsdoc.Text(
			"The repository with name '%s' in registry with id '%s' cannot be deleted because it still contains images", name, s.engine.Identity().Account)}
	}
	r, err := s.images.Repository(name)
	if err != nil {
		return nil, err
	}
	doc := s.record(s.engine.DB().Read(), r).Doc
	if err := s.images.Delete(name); err != nil {
		return nil, err
	}
	err = s.engine.DB().Write(func(tx *state.Tx) error {
		if r, ok := tx.Repository(string(name)); ok {
			tx.Delete(r)
		}
		return nil
	})
	return &ecr.DeleteRepositoryOutput{Repository: &doc}, err
}
