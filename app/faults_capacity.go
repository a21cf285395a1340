package app

import (
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/slipway-cd/slipway/engine/faults"
	"github.com/slipway-cd/slipway/engine/state"
	"github.com/slipway-cd/slipway/fault"
)

// kill has a container instance or a zone be lost. It returns the fault with the instances' ids, and its target as the
// engine names it.
func (e *Engine) kill(f faults.Fault) (faults.Fault, error) {
	err := e.engine.DB().Write(func(tx *state.Tx) error {
		name, list, err := e.lose(tx, f)
		f.Target, f.Affected = name, make([]string, 0, len(list))
		for _, i := range list {
			f.Affected = append(f.Affected, string(i.ID))
		}
		return err
	})
	return f, err
}

// lose returns the name of what is lost, and the instances.
func (e *Engine) lose(tx *state.Tx, f faults.Fault) (string, []*state.Instance, error) {
	cluster := state.ClusterName(f.Cluster)
	if _, ok := tx.Cluster(cluster); cluster != "" && !ok {
		return "", nil, fault.New(fault.NotFound, "there is no cluster %q", cluster)
	}
	for _, zone := range e.engine.Zones() {
		if zone == f.Target || strings.TrimPrefix(zone, e.engine.Identity().Region) == f.Target {
			list, err := e.engine.LoseZone(tx, zone, cluster)
			return zone, list, err
		}
	}
	for i := range tx.AllInstances() {
		if i.Gone.IsZero() && (cluster == "" || i.Cluster == cluster) && isInstance(i, f.Target) {
			gone, err := e.engine.LoseInstance(tx, i.ID)
			return string(i.ID), []*state.Instance{gone}, err
		}
	}
	return "", nil, fault.New(fault.NotFound, "there is no container instance and no zone %q", f.Target).
		WithHint("the zones are %s; instances are named by their ids, `aws ecs list-container-instances`", strings.Join(e.engine.Zones(), ", "))
}

// isInstance reports whether a text names an instance: by its id, its ARN, or as EC2 does.
func isInstance(i *state.Instance, name string) bool {
	return name == string(i.ID) || name == aws.ToString(i.Doc.ContainerInstanceArn) || name == aws.ToString(i.Doc.Ec2InstanceId)
}

// revive gives a zone back, and registers other instances in the place of those that a fault took. A cluster that has been deleted meanwhile
// needs none.
func (e *Engine) revive(f faults.Fault) error {
	return e.engine.DB().Write(func(tx *state.Tx) error {
		again := func(other faults.Fault) bool {
			return other.Kind == faults.Kill && other.Target == f.Target && other.Cluster == f.Cluster
		}
		if slices.Contains(e.engine.Zones(), f.Target) && !slices.ContainsFunc(e.Faults(), again) {
			e.engine.RestoreZone(tx, f.Target, state.ClusterName(f.Cluster))
		}
		for _, id := range f.Affected {
			if _, err := e.engine.ReplaceInstance(tx, state.InstanceID(id)); err != nil && fault.KindOf(err) != fault.NotFound {
				return err
			}
		}
		return nil
	})
}
