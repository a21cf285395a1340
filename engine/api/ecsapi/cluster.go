package ecsapi

import (
	"context"
	"fmt"
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
	if err := checkTags(in.Tags); err != nil {
		return nil, err
	}
	var doc types.Cluster
	err := s.engine.DB().Write(func(tx *state.Tx) error {
		if old, ok := tx.Cluster(state.ClusterName(name)); ok && awsdoc.Or(old.Doc.Status, "") == "ACTIVE" {
			doc = describeCluster(tx.Snapshot, old)
			return nil
		}
		if err := checkProviders(tx.Snapshot, in.CapacityProviders, in.DefaultCapacityProviderStrategy); err != nil {
			return err
		}
		c := &state.Cluster{Name: state.ClusterName(name), Created: s.engine.Now()}
		awsdoc.Assign(&c.Doc, in)
		c.Doc.ClusterArn = awsdoc.Text("%s", s.engine.Identity().ClusterARN(c.Name))
		c.Doc.ClusterName, c.Doc.Status = &name, awsdoc.Text("ACTIVE")
		c.Doc.Tags = awsdoc.List(in.Tags)
		if c.Doc.Settings == nil {
			c.Doc.Settings = []types.ClusterSetting{{Name: types.ClusterSettingNameContainerInsights, Value: effective(tx.Snapshot, types.SettingNameContainerInsights)}}
		}
		tx.Put(c)
		if err := s.engine.NewInstances(tx, c.Name); err != nil {
			return exhausted(err)
		}
		if err := s.provide(tx, c, nil); err != nil {
			return err
		}
		doc = describeCluster(tx.Snapshot, c)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &ecs.CreateClusterOutput{Cluster: &doc}, nil
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
	for i := range snap.Instances(c.Name) {
		if i.Gone.IsZero() {
			doc.RegisteredContainerInstancesCount++
		}
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
		if slices.Contains(in.Include, types.ClusterFieldStatistics) {
			doc.Statistics = statistics(snap, c.Name)
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

// statistics counts services and tasks by what they run on. [API reference: Cluster, statistics]
func statistics(snap state.Snapshot, cluster state.ClusterName) []types.KeyValuePair {
	counts := map[string]int{}
	for t := range snap.Tasks(cluster) {
		switch on := launchName(t.LaunchType); {
		case isRunning(t):
			counts["running"+on+"TasksCount"]++
		case isPending(t):
			counts["pending"+on+"TasksCount"]++
		}
	}
	for svc := range snap.Services(cluster) {
		on := "EC2"
		if onFargate(svc.Doc.LaunchType, svc.Doc.CapacityProviderStrategy) {
			on = "Fargate"
		}
		switch awsdoc.Or(svc.Doc.Status, "") {
		case "ACTIVE":
			counts["active"+on+"ServiceCount"]++
		case "DRAINING":
			counts["draining"+on+"ServiceCount"]++
		}
	}
	var list []types.KeyValuePair
	for _, name := range []string{"running%sTasksCount", "pending%sTasksCount", "active%sServiceCount", "draining%sServiceCount"} {
		for _, on := range []string{"EC2", "Fargate", "External"} {
			full := fmt.Sprintf(name, on)
			list = append(list, types.KeyValuePair{Name: &full, Value: awsdoc.Text("%d", counts[full])})
		}
	}
	return list
}

func launchName(launch types.LaunchType) string {
	switch launch {
	case types.LaunchTypeFargate:
		return "Fargate"
	case types.LaunchTypeExternal:
		return "External"
	default:
		return "EC2"
	}
}

// DeleteCluster deletes a cluster without services, tasks and container instances that somebody registered. The engine's
// own instances go with it.
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
		for i := range tx.Instances(c.Name) {
			if i.Guest && i.Gone.IsZero() {
				return &types.ClusterContainsContainerInstancesException{
					Message: awsdoc.Text("The Cluster cannot be deleted while Container Instances are active or draining."),
				}
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
