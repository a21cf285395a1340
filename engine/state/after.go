package state

import "iter"

// ServicesAfter returns the services of a cluster whose names come after a name.
func (s Snapshot) ServicesAfter(cluster ClusterName, name string) iter.Seq[*Service] {
	return after[*Service](s, KindService, byCluster, string(cluster), ServiceKey{cluster, name}.String())
}

// TasksAfter returns the tasks of a cluster, stopped ones included, whose ids come after an id.
func (s Snapshot) TasksAfter(cluster ClusterName, id TaskID) iter.Seq[*Task] {
	return after[*Task](s, KindTask, byCluster, string(cluster), string(id))
}

// TasksOfServiceAfter returns the tasks of a service, stopped ones included, whose ids come after an id.
func (s Snapshot) TasksOfServiceAfter(key ServiceKey, id TaskID) iter.Seq[*Task] {
	return after[*Task](s, KindTask, byService, key.String(), string(id))
}
