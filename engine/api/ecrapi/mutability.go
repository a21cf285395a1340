package ecrapi

import (
	"context"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"

	"github.com/slipway-cd/slipway/engine/api/awsdoc"
	"github.com/slipway-cd/slipway/engine/state"
)

// Bounds of filters. [API reference: ImageTagMutabilityExclusionFilter, PutImageTagMutability]
const (
	mostFilters   = 5
	mostWildcards = 2
)

var filterForm = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[0-9a-zA-Z._*-]{1,128}$`) })

// checkMutability refuses settings that don't fit together: filters go with the kinds that have exclusions, and with no other.
func checkMutability(m types.ImageTagMutability, filters []types.ImageTagMutabilityExclusionFilter) error {
	switch m {
	case "", types.ImageTagMutabilityMutable, types.ImageTagMutabilityImmutable:
		if len(filters) > 0 {
			return invalid("Invalid parameter at 'imageTagMutabilityExclusionFilters' failed to satisfy constraint: 'filters need an imageTagMutability with exclusion'")
		}
		return nil
	case types.ImageTagMutabilityImmutableWithExclusion, types.ImageTagMutabilityMutableWithExclusion:
	default:
		return invalid("Invalid parameter at 'imageTagMutability' failed to satisfy constraint: 'Member must satisfy enum value set: [IMMUTABLE, MUTABLE, IMMUTABLE_WITH_EXCLUSION, MUTABLE_WITH_EXCLUSION]'")
	}
	if len(filters) < 1 || len(filters) > mostFilters {
		return invalid("Invalid parameter at 'imageTagMutabilityExclusionFilters' failed to satisfy constraint: 'there must be 1 to %d filters'", mostFilters)
	}
	for _, f := range filters {
		text := awsdoc.Or(f.Filter, "")
		if f.FilterType != types.ImageTagMutabilityExclusionFilterTypeWildcard || !filterForm().MatchString(text) || strings.Count(text, "*") > mostWildcards {
			return invalid("Invalid parameter at 'imageTagMutabilityExclusionFilters' failed to satisfy constraint: '%s' must be a tag with at most %d wildcards, of type WILDCARD", text, mostWildcards)
		}
	}
	return nil
}

// PutImageTagMutability decides whether a tag may be moved to another image.
func (s *Server) PutImageTagMutability(_ context.Context, in *ecr.PutImageTagMutabilityInput) (*ecr.PutImageTagMutabilityOutput, error) {
	name, err := s.find(in.RepositoryName)
	if err != nil {
		return nil, err
	}
	if err := checkMutability(in.ImageTagMutability, in.ImageTagMutabilityExclusionFilters); err != nil {
		return nil, err
	}
	r, err := s.change(name, func(r *state.Repository) error {
		r.Doc.ImageTagMutability, r.Doc.ImageTagMutabilityExclusionFilters = in.ImageTagMutability, in.ImageTagMutabilityExclusionFilters
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &ecr.PutImageTagMutabilityOutput{
		RepositoryName: in.RepositoryName, RegistryId: r.Doc.RegistryId, ImageTagMutability: r.Doc.ImageTagMutability,
		ImageTagMutabilityExclusionFilters: r.Doc.ImageTagMutabilityExclusionFilters,
	}, nil
}

// PutImageScanningConfiguration records whether images are to be scanned when they are pushed. Nothing is scanned here.
func (s *Server) PutImageScanningConfiguration(_ context.Context, in *ecr.PutImageScanningConfigurationInput) (*ecr.PutImageScanningConfigurationOutput, error) {
	name, err := s.find(in.RepositoryName)
	if err != nil {
		return nil, err
	}
	r, err := s.change(name, func(r *state.Repository) error {
		r.Doc.ImageScanningConfiguration = in.ImageScanningConfiguration
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &ecr.PutImageScanningConfigurationOutput{
		RepositoryName: in.RepositoryName, RegistryId: r.Doc.RegistryId, ImageScanningConfiguration: r.Doc.ImageScanningConfiguration,
	}, nil
}

// Immutable reports whether the state says that a repository's tag must not move: the registry asks it before each push.
func Immutable(snap state.Snapshot, name, tag string) bool {
	r, ok := snap.Repository(name)
	if !ok {
		return false
	}
	excluded := slices.ContainsFunc(r.Doc.ImageTagMutabilityExclusionFilters, func(f types.ImageTagMutabilityExclusionFilter) bool {
		return wildcard(awsdoc.Or(f.Filter, ""), tag)
	})
	switch r.Doc.ImageTagMutability {
	case types.ImageTagMutabilityImmutable:
		return true
	case types.ImageTagMutabilityImmutableWithExclusion:
		return !excluded
	case types.ImageTagMutabilityMutableWithExclusion:
		return excluded
	default:
		return false
	}
}

// wildcard reports whether a tag matches a pattern in which * stands for any characters.
func wildcard(pattern, tag string) bool {
	parts := strings.Split(pattern, "*")
	if len(parts) == 1 {
		return pattern == tag
	}
	first, last := parts[0], parts[len(parts)-1]
	if len(tag) < len(first)+len(last) || !strings.HasPrefix(tag, first) || !strings.HasSuffix(tag, last) {
		return false
	}
	rest := tag[len(first) : len(tag)-len(last)]
	for _, part := range parts[1 : len(parts)-1] {
		_, after, ok := strings.Cut(rest, part)
		if !ok {
			return false
		}
		rest = after
	}
	return true
}
