package schedule

import (
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// The capacity providers that every account has.
const (
	Fargate     = "FARGATE"
	FargateSpot = "FARGATE_SPOT"
)

// OnFargate reports whether the tasks of a capacity provider run without a container instance.
func OnFargate(provider string) bool { return provider == Fargate || provider == FargateSpot }

// Shares deals tasks out to the capacity providers of a strategy: first as many as a base says, then by the weights.
// [CapacityProviderStrategyItem, ECS API reference]
type Shares struct {
	items  []types.CapacityProviderStrategyItem
	counts map[string]int
}

// NewShares returns the shares of a strategy when no task runs yet; see Note.
func NewShares(strategy []types.CapacityProviderStrategyItem) *Shares {
	return &Shares{items: strategy, counts: map[string]int{}}
}

// Note counts a task that a capacity provider has.
func (s *Shares) Note(provider string) { s.counts[provider]++ }

// Next returns the capacity provider that the next task is for; empty when the strategy names none with a share.
func (s *Shares) Next() string {
	best, least := "", 0.0
	for _, item := range s.items {
		name := provider(item)
		beyond := s.counts[name] - int(item.Base)
		if beyond < 0 {
			return name
		}
		if item.Weight == 0 {
			continue
		}
		if load := float64(beyond+1) / float64(item.Weight); best == "" || load < least {
			best, least = name, load
		}
	}
	return best
}

// provider is the name of a strategy's capacity provider, which may be named by its ARN.
func provider(item types.CapacityProviderStrategyItem) string {
	name := aws.ToString(item.CapacityProvider)
	return name[strings.LastIndexByte(name, '/')+1:]
}
