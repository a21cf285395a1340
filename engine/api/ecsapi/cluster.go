package ecsapi

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway/engine/api/awsdoc"
	"github.com/slipway-cd/slipway/engine/state"
)

// CreateCluster makes a cluster with the engine's container instances in it. An ACTIVE one of that name is returned as it is.
func (s *Server) CreateCluster(_ context.Context, in *ecs.CreateClusterInput) (*ecs.CreateClusterOutput, error) {
	name := awsdoc.Or(in.ClusterName, "default")
	if !name255().MatchString(name) {
		return nil, badName("Cluster", name)
	}
	if err := checkProviders(in.CapacityProviders, in.DefaultCapacityProviderStrategy); err != nil {
		return nil, err
	}
	var doc types.Cluster
	err := s.engine.DB().Write(func(tx *state.Tx) error {
		if old, ok := tx.Cluster(state.ClusterName(name)); ok && awsdoc.Or(old.Doc.Status, "") == "ACTIVE" {
			doc = describeCluster(tx.Snapshot, old)
			return nil
		}
		c := &state.Cluster{Name: state.ClusterName(name), Created: s.engine.Now()}
		awsdoc.Assign(&c.Doc, in)
		c.Doc.ClusterArn = awsdoc.Text("%s", s.engine.Identity().ClusterARN(c.Name))
		c.Doc.ClusterName, c.Doc.Status = &name, awsdoc.Text("ACTIVE")
		c.Doc.Tags = awsdoc.List(in.Tags)
		if c.Doc.Settings == nil {
			c.Doc.Settings = []types.ClusterSetting{{Name: types.ClusterSettingNameContainerInsights, Value: awsdoc.Text("disabled")}}
		}
		tx.Put(c)
		if err := s.engine.NewInstances(tx, c.Name); err != nil {
			return exhausted(err)
		}
		doc = describeCluster(tx.Snapshot, c)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &ecs.CreateClusterOutput{Cluster: &doc}, nil
}

// checkProviders refuses capacity providers that nobody has: those of Fargate are the only ones that AWS itself makes.
func checkProviders(names []string, strategy []types.CapacityProviderStrategyItem) error {
	for _, name := range names {
		if name != "FARGATE" && name != "FARGATE_SPOT" {
			return invalid("The specified capacity provider '%s' was not found. Specify a valid name or ARN and try again.", name)
		}
	}
	for _, item := range strategy {
		if !slices.Contains(names, awsdoc.Or(item.CapacityProvider, "")) {
			return notAssociated()
		}
	}
	return nil
}

func notAssociated() error {
	return invalid("The specified capacity provider strategy cannot contain a capacity provider that is not associated with the cluster. Associate the capacity provider with the cluster and try again.")
}

// checkStrategy refuses a strategy with capacity providers that the cluster has not.
func checkStrategy(c *state.Cluster, strategy []types.CapacityProviderStrategyItem) error {
	return checkProviders(c.Doc.CapacityProviders, strategy)
}

// describeCluster counts what is in a cluster.
func describeCluster(snap state.Snapshot, c *state.Cluster) types.Cluster {
	doc := c.Doc
	doc.Statistics = []types.KeyValuePair{}
	for svc := range snap.Services(c.Name) {
		if awsdoc.Or(svc.Doc.Status, "") == "ACTIVE" {
			doc.ActiveServicesCount++
		}
	}
	for range snap.Instances(c.Name) {
		doc.RegisteredContainerInstancesCount++
	}
	for t := range snap.Tasks(c.Name) {
		switch {
		case isRunning(t):
			doc.RunningTasksCount++
		case isPending(t):
			doc.PendingTasksCount++
		}
	}
	return doc
}

// DescribeClusters describes the named clusters, or the default one.
func (s *Server) DescribeClusters(_ context.Context, in *ecs.DescribeClustersInput) (*ecs.DescribeClustersOutput, error) {
	refs := in.Clusters
	if len(refs) == 0 {
		refs = []string{"default"}
	}
	if len(refs) > 100 {
		return nil, invalid("Clusters cannot have more than 100 elements.")
	}
	snap := s.engine.DB().Read()
	out := &ecs.DescribeClustersOutput{}
	for _, ref := range refs {
		c, ok := snap.Cluster(clusterName(&ref))
		if !ok {
			arn := s.engine.Identity().ClusterARN(clusterName(&ref))
			out.Failures = append(out.Failures, types.Failure{Arn: &arn, Reason: awsdoc.Text("MISSING")})
			continue
		}
		doc := describeCluster(snap, c)
		if !slices.Contains(in.Include, types.ClusterFieldSettings) {
			doc.Settings = []types.ClusterSetting{} // as AWS sends them unless they are asked for
		}
		doc.Tags = tagsIf(slices.Contains(in.Include, types.ClusterFieldTags), doc.Tags)
		out.Clusters = append(out.Clusters, doc)
	}
	return out, nil
}

// tagsIf returns the tags when they were asked for, and otherwise an empty list, which is what AWS sends for clusters.
func tagsIf(asked bool, tags []types.Tag) []types.Tag {
	if !asked {
		return []types.Tag{}
	}
	return awsdoc.List(tags)
}

// ListClusters lists the ARNs of all ACTIVE clusters.
func (s *Server) ListClusters(_ context.Context, in *ecs.ListClustersInput) (*ecs.ListClustersOutput, error) {
	var arns []string
	for c := range s.engine.DB().Read().Clusters() {
		if awsdoc.Or(c.Doc.Status, "") == "ACTIVE" {
			arns = append(arns, *c.Doc.ClusterArn)
		}
	}
	arns, next, err := page(arns, in.NextToken, awsdoc.Or(in.MaxResults, 0))
	if err != nil {
		return nil, err
	}
	return &ecs.ListClustersOutput{ClusterArns: arns, NextToken: next}, nil
}

// DeleteCluster deletes a cluster without services and tasks. The engine's container instances go with it: nobody but
// the engine could deregister them.
func (s *Server) DeleteCluster(_ context.Context, in *ecs.DeleteClusterInput) (*ecs.DeleteClusterOutput, error) {
	var doc types.Cluster
	err := s.engine.DB().Write(func(tx *state.Tx) error {
		c, err := activeCluster(tx.Snapshot, in.Cluster)
		if err != nil {
			return err
		}
		for svc := range tx.Services(c.Name) {
			if awsdoc.Or(svc.Doc.Status, "") != "INACTIVE" {
				return &types.ClusterContainsServicesException{Message: awsdoc.Text("The Cluster cannot be deleted while Services are active.")}
			}
		}
		for t := range tx.Tasks(c.Name) {
			if t.Alive() {
				return &types.ClusterContainsTasksException{Message: awsdoc.Text("The Cluster cannot be deleted while Tasks are active.")}
			}
		}
		for _, i := range slices.Collect(tx.Instances(c.Name)) {
			tx.Delete(i)
		}
		deleted := *c
		deleted.Doc.Status = awsdoc.Text("INACTIVE")
		tx.Put(&deleted)
		doc = describeCluster(tx.Snapshot, &deleted)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &ecs.DeleteClusterOutput{Cluster: &doc}, nil
}
