package ecsapi

import (
	"context"
	"regexp"
	"slices"
	"sync"

	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway/engine"
	"github.com/slipway-cd/slipway/engine/api/awsdoc"
	"github.com/slipway-cd/slipway/engine/schedule"
	"github.com/slipway-cd/slipway/engine/state"
)

// everyones are the capacity providers that every account has.
func everyones() []string { return []string{schedule.Fargate, schedule.FargateSpot} }

// CreateCapacityProvider makes a capacity provider of an Auto Scaling group. The engine plays the group: it brings
// container instances to the clusters that the provider is associated with.
func (s *Server) CreateCapacityProvider(_ context.Context, in *ecs.CreateCapacityProviderInput) (*ecs.CreateCapacityProviderOutput, error) {
	if err := checkNewProvider(in); err != nil {
		return nil, err
	}
	name := *in.Name
	p := &state.CapacityProvider{Name: name, Doc: types.CapacityProvider{
		Name: &name, CapacityProviderArn: awsdoc.Text("%s", s.engine.Identity().ARN("ecs", "capacity-provider/"+name)),
		Status: types.CapacityProviderStatusActive, Type: types.CapacityProviderTypeEc2Autoscaling, Tags: in.Tags,
		AutoScalingGroupProvider: withProviderDefaults(in.AutoScalingGroupProvider),
	}}
	err := s.engine.DB().Write(func(tx *state.Tx) error {
		for old := range tx.CapacityProviders() {
			switch active := old.Doc.Status == types.CapacityProviderStatusActive; {
			case active && old.Name == name:
				return clientError("A capacity provider with the name %s already exists.", name)
			case active && group(old.Doc.AutoScalingGroupProvider) == group(in.AutoScalingGroupProvider):
				return clientError("The specified Auto Scaling group ARN is already being used by another capacity provider. Specify a unique Auto Scaling group ARN and try again.")
			}
		}
		tx.Put(p)
		return nil
	})
	if err != nil {
		return nil, err
	}
	doc := p.Doc
	doc.Tags = awsdoc.List(doc.Tags)
	return &ecs.CreateCapacityProviderOutput{CapacityProvider: &doc}, nil
}

var reservedPrefix = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`(?i)^(aws|ecs|fargate)`) })

func checkNewProvider(in *ecs.CreateCapacityProviderInput) error {
	name := awsdoc.Or(in.Name, "")
	switch {
	case !name255().MatchString(name):
		return badName("Capacity provider name", name)
	case reservedPrefix().MatchString(name):
		return invalid("The capacity provider name %s is reserved: it must not begin with aws, ecs or fargate.", name)
	case in.ManagedInstancesProvider != nil:
		return unsupported("Managed instances are not served by this engine. Name an Auto Scaling group.")
	case in.AutoScalingGroupProvider == nil || group(in.AutoScalingGroupProvider) == "":
		return invalid("An Auto Scaling group must be specified.")
	}
	if err := checkScaling(in.AutoScalingGroupProvider.ManagedScaling); err != nil {
		return err
	}
	return checkTags(in.Tags)
}

// checkScaling refuses numbers out of range. [API reference: ManagedScaling]
func checkScaling(m *types.ManagedScaling) error {
	switch {
	case m == nil:
	case m.TargetCapacity != nil && outside(m.TargetCapacity, 1, 100):
		return invalid("targetCapacity must be between 1 and 100.")
	case outside(m.MinimumScalingStepSize, 1, 10000), outside(m.MaximumScalingStepSize, 1, 10000):
		return invalid("Scaling step sizes must be between 1 and 10000.")
	case awsdoc.Or(m.MinimumScalingStepSize, 1) > awsdoc.Or(m.MaximumScalingStepSize, 10000):
		return invalid("minimumScalingStepSize must not be greater than maximumScalingStepSize.")
	case outside(m.InstanceWarmupPeriod, 0, 10000):
		return invalid("instanceWarmupPeriod must be between 0 and 10000 seconds.")
	}
	return nil
}

func group(p *types.AutoScalingGroupProvider) string {
	if p == nil {
		return ""
	}
	return awsdoc.Or(p.AutoScalingGroupArn, "")
}

// withProviderDefaults fills in what AWS returns for members that were left out. [API reference: ManagedScaling]
func withProviderDefaults(given *types.AutoScalingGroupProvider) *types.AutoScalingGroupProvider {
	p := *given
	scaling := types.ManagedScaling{}
	if p.ManagedScaling != nil {
		scaling = *p.ManagedScaling
	}
	number := func(field **int32, otherwise int32) {
		if *field == nil {
			*field = &otherwise
		}
	}
	number(&scaling.TargetCapacity, 100)
	number(&scaling.MinimumScalingStepSize, 1)
	number(&scaling.MaximumScalingStepSize, 10000)
	number(&scaling.InstanceWarmupPeriod, 300)
	if scaling.Status == "" {
		scaling.Status = types.ManagedScalingStatusDisabled
	}
	p.ManagedScaling = &scaling
	if p.ManagedTerminationProtection == "" {
		p.ManagedTerminationProtection = types.ManagedTerminationProtectionDisabled
	}
	if p.ManagedDraining == "" {
		p.ManagedDraining = types.ManagedDrainingEnabled
	}
	return &p
}

// UpdateCapacityProvider changes how a capacity provider's Auto Scaling group is managed.
func (s *Server) UpdateCapacityProvider(_ context.Context, in *ecs.UpdateCapacityProviderInput) (*ecs.UpdateCapacityProviderOutput, error) {
	if in.ManagedInstancesProvider != nil {
		return nil, unsupported("Managed instances are not served by this engine.")
	}
	if in.AutoScalingGroupProvider != nil {
		if err := checkScaling(in.AutoScalingGroupProvider.ManagedScaling); err != nil {
			return nil, err
		}
	}
	doc, err := s.changeProvider(in.Name, func(_ *state.Tx, p *state.CapacityProvider) error {
		if in.AutoScalingGroupProvider == nil {
			return nil
		}
		changed := *p.Doc.AutoScalingGroupProvider
		scaling := *changed.ManagedScaling
		awsdoc.Assign(&changed, in.AutoScalingGroupProvider, "ManagedScaling")
		if in.AutoScalingGroupProvider.ManagedScaling != nil {
			awsdoc.Assign(&scaling, in.AutoScalingGroupProvider.ManagedScaling)
		}
		changed.ManagedScaling = &scaling
		p.Doc.AutoScalingGroupProvider, p.Doc.UpdateStatus = &changed, types.CapacityProviderUpdateStatusUpdateComplete
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &ecs.UpdateCapacityProviderOutput{CapacityProvider: doc}, nil
}

// DeleteCapacityProvider deletes a capacity provider that no cluster is associated with.
func (s *Server) DeleteCapacityProvider(_ context.Context, in *ecs.DeleteCapacityProviderInput) (*ecs.DeleteCapacityProviderOutput, error) {
	doc, err := s.changeProvider(in.CapacityProvider, func(tx *state.Tx, p *state.CapacityProvider) error {
		for c := range tx.Clusters() {
			if awsdoc.Or(c.Doc.Status, "") == "ACTIVE" && slices.Contains(c.Doc.CapacityProviders, p.Name) {
				return &types.ResourceInUseException{Message: awsdoc.Text("The capacity provider %s is associated with the cluster %s. Disassociate it and try again.", p.Name, c.Name)}
			}
		}
		p.Doc.Status, p.Doc.UpdateStatus = types.CapacityProviderStatusInactive, types.CapacityProviderUpdateStatusDeleteComplete
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &ecs.DeleteCapacityProviderOutput{CapacityProvider: doc}, nil
}

func (s *Server) changeProvider(ref *string, change func(*state.Tx, *state.CapacityProvider) error) (*types.CapacityProvider, error) {
	name := engine.ResourceName(awsdoc.Or(ref, ""))
	if slices.Contains(everyones(), name) {
		return nil, clientError("The capacity provider %s is reserved and cannot be changed.", name)
	}
	var doc types.CapacityProvider
	err := s.engine.DB().Write(func(tx *state.Tx) error {
		p, ok := tx.CapacityProvider(name)
		if !ok || p.Doc.Status != types.CapacityProviderStatusActive {
			return providerNotFound(name)
		}
		changed := *p
		if err := change(tx, &changed); err != nil {
			return err
		}
		tx.Put(&changed)
		doc = changed.Doc
		doc.Tags = awsdoc.List(doc.Tags)
		return nil
	})
	return &doc, err
}

func providerNotFound(name string) error {
	return invalid("The specified capacity provider '%s' was not found. Specify a valid name or ARN and try again.", name)
}

// DescribeCapacityProviders describes the named capacity providers, or all: those that every account has, and those that
// somebody made. With a cluster, only those that it is associated with.
func (s *Server) DescribeCapacityProviders(_ context.Context, in *ecs.DescribeCapacityProvidersInput) (*ecs.DescribeCapacityProvidersOutput, error) {
	if len(in.CapacityProviders) > 100 {
		return nil, invalid("Capacity providers cannot have more than 100 elements.")
	}
	snap := s.engine.DB().Read()
	names := resourceNames(in.CapacityProviders)
	all := everyones()
	for p := range snap.CapacityProviders() {
		if p.Doc.Status == types.CapacityProviderStatusActive {
			all = append(all, p.Name)
		}
	}
	if in.Cluster != nil {
		c, err := activeCluster(snap, in.Cluster)
		if err != nil {
			return nil, err
		}
		all = slices.DeleteFunc(all, func(name string) bool { return !slices.Contains(c.Doc.CapacityProviders, name) })
	}
	if len(names) == 0 {
		names = all
	}
	names, next, err := pageInOrder(names, awsdoc.Ascending, in.NextToken, awsdoc.Or(in.MaxResults, 0), 10)
	if err != nil {
		return nil, err
	}
	out := &ecs.DescribeCapacityProvidersOutput{NextToken: next}
	for _, name := range names {
		doc, ok := s.describeProvider(snap, name)
		if !ok || in.Cluster != nil && !slices.Contains(all, name) {
			out.Failures = append(out.Failures, types.Failure{Arn: doc.CapacityProviderArn, Reason: awsdoc.Text("MISSING")})
			continue
		}
		doc.Tags = tagsIf(slices.Contains(in.Include, types.CapacityProviderFieldTags), doc.Tags)
		out.CapacityProviders = append(out.CapacityProviders, doc)
	}
	return out, nil
}

// describeProvider describes a capacity provider; one that is not known has nothing but its ARN.
func (s *Server) describeProvider(snap state.Snapshot, name string) (types.CapacityProvider, bool) {
	doc := types.CapacityProvider{CapacityProviderArn: awsdoc.Text("%s", s.engine.Identity().ARN("ecs", "capacity-provider/"+name))}
	if slices.Contains(everyones(), name) {
		doc.Name, doc.Status, doc.Type = &name, types.CapacityProviderStatusActive, types.CapacityProviderType(name)
		return doc, true
	}
	if p, ok := snap.CapacityProvider(name); ok {
		return p.Doc, true
	}
	return doc, false
}

// resourceNames returns the names that stand in ARNs, and names as they are.
func resourceNames(refs []string) []string {
	names := make([]string, len(refs))
	for i, ref := range refs {
		names[i] = engine.ResourceName(ref)
	}
	return names
}

// checkProviders refuses capacity providers that are not there, and a strategy that names others.
func checkProviders(snap state.Snapshot, names []string, strategy []types.CapacityProviderStrategyItem) error {
	names = resourceNames(names)
	if len(names) > 20 {
		return invalid("A cluster can have at most 20 capacity providers.")
	}
	for _, name := range names {
		p, ok := snap.CapacityProvider(name)
		if !slices.Contains(everyones(), name) && (!ok || p.Doc.Status != types.CapacityProviderStatusActive) {
			return providerNotFound(name)
		}
	}
	return checkShares(names, strategy)
}

// checkStrategy refuses a strategy with capacity providers that the cluster has not.
func checkStrategy(c *state.Cluster, strategy []types.CapacityProviderStrategyItem) error {
	return checkShares(c.Doc.CapacityProviders, strategy)
}

// checkShares refuses a strategy that doesn't fit the capacity providers, or itself. [API reference:
// CapacityProviderStrategyItem]
func checkShares(names []string, strategy []types.CapacityProviderStrategyItem) error {
	bases, weights, fargate := 0, 0, 0
	seen := map[string]bool{}
	for _, item := range strategy {
		name := engine.ResourceName(awsdoc.Or(item.CapacityProvider, ""))
		switch {
		case !slices.Contains(names, name):
			return notAssociated()
		case seen[name]:
			return invalid("The capacity provider strategy names %s twice.", name)
		case item.Weight < 0 || item.Weight > 1000:
			return invalid("The weight of a capacity provider must be between 0 and 1000.")
		case item.Base < 0 || item.Base > 100000:
			return invalid("The base of a capacity provider must be between 0 and 100000.")
		}
		seen[name] = true
		bases += min(int(item.Base), 1)
		weights += int(item.Weight)
		if schedule.OnFargate(name) {
			fargate++
		}
	}
	switch {
	case len(strategy) > 20:
		return invalid("A capacity provider strategy can contain at most 20 capacity providers.")
	case bases > 1:
		return invalid("Only one capacity provider in a capacity provider strategy can have a base defined.")
	case len(strategy) > 0 && weights == 0 && bases == 0:
		return invalid("At least one capacity provider in the strategy must have a weight greater than 0.")
	case fargate > 0 && fargate < len(strategy):
		return invalid("A capacity provider strategy cannot contain a mix of capacity providers using Auto Scaling groups and Fargate capacity providers.")
	}
	return nil
}

func notAssociated() error {
	return invalid("The specified capacity provider strategy cannot contain a capacity provider that is not associated with the cluster. Associate the capacity provider with the cluster and try again.")
}

// provide gives the cluster the container instances of the Auto Scaling groups that it is newly associated with, one in
// each zone, and takes those of the others away.
func (s *Server) provide(tx *state.Tx, c *state.Cluster, before []string) error {
	for _, name := range before {
		if !slices.Contains(c.Doc.CapacityProviders, name) {
			if err := s.withdraw(tx, c, name); err != nil {
				return err
			}
		}
	}
	for _, name := range c.Doc.CapacityProviders {
		if slices.Contains(before, name) || schedule.OnFargate(name) {
			continue
		}
		for _, zone := range s.engine.Zones() {
			if err := s.engine.NewProviderInstance(tx, c.Name, name, zone); err != nil {
				return exhausted(err)
			}
		}
	}
	return nil
}

func (s *Server) withdraw(tx *state.Tx, c *state.Cluster, provider string) error {
	for svc := range tx.Services(c.Name) {
		if awsdoc.Or(svc.Doc.Status, "") == "ACTIVE" && slices.ContainsFunc(svc.Doc.CapacityProviderStrategy, func(i types.CapacityProviderStrategyItem) bool {
			return engine.ResourceName(awsdoc.Or(i.CapacityProvider, "")) == provider
		}) {
			return providerInUse()
		}
	}
	for _, i := range slices.Collect(tx.Instances(c.Name)) {
		if awsdoc.Or(i.Doc.CapacityProviderName, "") != provider || !i.Gone.IsZero() {
			continue
		}
		if tx.Usage(i.ID).Tasks > 0 {
			return providerInUse()
		}
		if _, err := s.engine.LoseInstance(tx, i.ID); err != nil {
			return err
		}
	}
	return nil
}

func providerInUse() error {
	return &types.ResourceInUseException{Message: awsdoc.Text("The specified capacity provider is in use and cannot be removed.")}
}
