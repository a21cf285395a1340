package engine

import (
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway/engine/state"
)

// LoseZone has an availability zone fail: all of its container instances are lost, and the tasks that run there on
// Fargate, and no more of those are started there until RestoreZone. An empty cluster means all of them. It returns the instances.
func (e *Engine) LoseZone(tx *state.Tx, zone string, cluster state.ClusterName) ([]*state.Instance, error) {
	var lost []*state.Instance
	for _, i := range slices.Collect(tx.AllInstances()) {
		if i.Zone != zone || !i.Gone.IsZero() || cluster != "" && i.Cluster != cluster {
			continue
		}
		gone, err := e.LoseInstance(tx, i.ID)
		if err != nil {
			return nil, err
		}
		lost = append(lost, gone)
	}
	e.loseFargate(tx, zone, cluster)
	tx.Put(&state.LostZone{Zone: zone, Cluster: cluster})
	return lost, nil
}

// RestoreZone has tasks on Fargate be started again in a zone that was lost.
func (e *Engine) RestoreZone(tx *state.Tx, zone string, cluster state.ClusterName) {
	tx.Delete(&state.LostZone{Zone: zone, Cluster: cluster})
}

// restoreZones forgets what zones were lost when the engine was killed: that ends with it.
func (e *Engine) restoreZones() error {
	return e.db.Write(func(tx *state.Tx) error {
		for _, z := range slices.Collect(tx.LostZones()) {
			tx.Delete(z)
		}
		return nil
	})
}

func (e *Engine) loseFargate(tx *state.Tx, zone string, cluster state.ClusterName) {
	now := e.Now()
	for _, t := range slices.Collect(tx.AllTasks()) {
		if t.Instance == "" && t.Zone == zone && t.Alive() && (cluster == "" || t.Cluster == cluster) {
			tx.Put(lost(t, now, types.TaskStopCodeInfrastructureHealth, fmt.Sprintf("Availability Zone %s is impaired.", zone)))
		}
	}
}

// ReplaceInstance registers another container instance in the place of one that has gone, as a group of instances does
// that keeps its size: in the same cluster and zone, with the same resources and attributes.
func (e *Engine) ReplaceInstance(tx *state.Tx, id state.InstanceID) (*state.Instance, error) {
	gone, ok := tx.Instance(id)
	if !ok || gone.Gone.IsZero() {
		return nil, noInstance(id)
	}
	if c, ok := tx.Cluster(gone.Cluster); !ok || aws.ToString(c.Doc.Status) != "ACTIVE" {
		return nil, noInstance(id)
	}
	return e.RegisterInstance(tx, &state.Instance{
		Cluster: gone.Cluster, Zone: gone.Zone, CPU: gone.CPU, Memory: gone.Memory, Ports: gone.Ports, GPUs: gone.GPUs, Guest: gone.Guest,
		Doc: types.ContainerInstance{
			Attributes: gone.Doc.Attributes, CapacityProviderName: gone.Doc.CapacityProviderName, VersionInfo: gone.Doc.VersionInfo,
			RegisteredResources: gone.Doc.RegisteredResources, Tags: gone.Doc.Tags,
		},
	}, e.Now())
}
