package ecsapi

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway/engine/api/awsdoc"
	"github.com/slipway-cd/slipway/engine/state"
)

// UpdateCluster changes settings and configuration of a cluster; members left out stay as they are.
func (s *Server) UpdateCluster(_ context.Context, in *ecs.UpdateClusterInput) (*ecs.UpdateClusterOutput, error) {
	doc, err := s.changeCluster(in.Cluster, func(c *types.Cluster) error {
		awsdoc.Assign(c, in, "Settings")
		c.Settings = withSettings(c.Settings, in.Settings)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &ecs.UpdateClusterOutput{Cluster: doc}, nil
}

// UpdateClusterSettings changes settings of a cluster, as containerInsights. The engine records them.
func (s *Server) UpdateClusterSettings(_ context.Context, in *ecs.UpdateClusterSettingsInput) (*ecs.UpdateClusterSettingsOutput, error) {
	doc, err := s.changeCluster(in.Cluster, func(c *types.Cluster) error {
		c.Settings = withSettings(c.Settings, in.Settings)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &ecs.UpdateClusterSettingsOutput{Cluster: doc}, nil
}

// PutClusterCapacityProviders says which capacity providers services and tasks of the cluster may name. An Auto Scaling
// group brings its container instances, and takes them away again when nothing runs on them.
func (s *Server) PutClusterCapacityProviders(_ context.Context, in *ecs.PutClusterCapacityProvidersInput) (*ecs.PutClusterCapacityProvidersOutput, error) {
	var doc types.Cluster
	err := s.engine.DB().Write(func(tx *state.Tx) error {
		c, err := activeCluster(tx.Snapshot, in.Cluster)
		if err != nil {
			return err
		}
		if err := checkProviders(tx.Snapshot, in.CapacityProviders, in.DefaultCapacityProviderStrategy); err != nil {
			return err
		}
		changed := *c
		changed.Doc.CapacityProviders = resourceNames(in.CapacityProviders)
		changed.Doc.DefaultCapacityProviderStrategy = in.DefaultCapacityProviderStrategy
		tx.Put(&changed)
		if err := s.provide(tx, &changed, c.Doc.CapacityProviders); err != nil {
			return err
		}
		doc = describeCluster(tx.Snapshot, &changed)
		return nil
	})
	if err != nil {
		return nil, err
	}
	doc.Tags = awsdoc.List(doc.Tags)
	return &ecs.PutClusterCapacityProvidersOutput{Cluster: &doc}, nil
}

func withSettings(old, given []types.ClusterSetting) []types.ClusterSetting {
	list := slices.Clone(old)
	for _, s := range given {
		list = slices.DeleteFunc(list, func(o types.ClusterSetting) bool { return o.Name == s.Name })
		list = append(list, s)
	}
	return list
}

func (s *Server) changeCluster(ref *string, change func(*types.Cluster) error) (*types.Cluster, error) {
	var doc types.Cluster
	err := s.engine.DB().Write(func(tx *state.Tx) error {
		c, err := activeCluster(tx.Snapshot, ref)
		if err != nil {
			return err
		}
		changed := *c
		if err := change(&changed.Doc); err != nil {
			return err
		}
		tx.Put(&changed)
		doc = describeCluster(tx.Snapshot, &changed)
		return nil
	})
	if err != nil {
		return nil, err
	}
	doc.Tags = awsdoc.List(doc.Tags)
	return &doc, nil
}
