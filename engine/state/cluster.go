package state

import (
	"net/netip"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// ClusterName is the short name of a cluster.
type ClusterName string

// InstanceID is the id of a container instance: 32 hex digits.
type InstanceID string

// Cluster is a cluster of container instances and services. Doc holds what AWS describes, without the counts, which are
// counted when asked for.
type Cluster struct {
	Name    ClusterName
	Doc     types.Cluster
	Created time.Time
}

func (c *Cluster) Kind() Kind  { return KindCluster }
func (c *Cluster) Key() string { return string(c.Name) }

// Instance is a container instance: room for tasks, in a zone, with an address of its own on the loopback network, so
// that fixed host ports conflict as they do on EC2. Doc holds what AWS describes, registered resources and attributes
// included, without what is remaining and running, which is counted from the tasks.
type Instance struct {
	ID      InstanceID
	Cluster ClusterName
	Zone    string     // availability zone, "us-east-1a"
	Address netip.Addr // where the host ports of its tasks listen
	CPU     int        // registered CPU units, 1024 a core
	Memory  int        // registered memory, MiB
	Ports   []HostPort // reserved for the instance itself
	GPUs    []string   // ids of its GPUs
	Guest   bool       // somebody registered it; the engine's own instances come and go with their cluster
	Gone    time.Time  // when it was deregistered or lost, and became INACTIVE; zero while it is there
	Doc     types.ContainerInstance
}

func (i *Instance) Kind() Kind  { return KindInstance }
func (i *Instance) Key() string { return string(i.ID) }

// HostPort is a port of a container instance that is in use or reserved.
type HostPort struct {
	Port     int
	Protocol types.TransportProtocol
}
