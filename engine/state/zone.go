package state

import "iter"

// LostZone is an availability zone in which nothing can be started at present. An empty cluster means all of them.
type LostZone struct {
	Zone    string
	Cluster ClusterName
}

func (z *LostZone) Kind() Kind  { return KindLostZone }
func (z *LostZone) Key() string { return z.Zone + "|" + string(z.Cluster) }

// ZoneLost reports whether nothing can be started in a zone, for a cluster.
func (s Snapshot) ZoneLost(zone string, cluster ClusterName) bool {
	for _, c := range []ClusterName{"", cluster} {
		if _, lost := get[*LostZone](s, KindLostZone, (&LostZone{Zone: zone, Cluster: c}).Key()); lost {
			return true
		}
	}
	return false
}

// LostZones returns the zones in which nothing can be started, by name.
func (s Snapshot) LostZones() iter.Seq[*LostZone] { return all[*LostZone](s, KindLostZone, "") }
