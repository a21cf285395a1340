package state

import (
	"iter"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// Daemon reports whether the service wants one task on every container instance.
func (s *Service) Daemon() bool { return s.Doc.SchedulingStrategy == types.SchedulingStrategyDaemon }

func daemonKey(s *Service) string {
	if !s.Daemon() || aws.ToString(s.Doc.Status) != "ACTIVE" {
		return ""
	}
	return string(s.ID.Cluster)
}

// Daemons returns the ACTIVE services of a cluster that want one task on every container instance, by name.
func (s Snapshot) Daemons(cluster ClusterName) iter.Seq[*Service] {
	return all[*Service](s, KindService, byDaemons, string(cluster))
}
