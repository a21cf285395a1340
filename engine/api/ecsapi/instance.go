package ecsapi

import (
	"context"
	"slices"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway/engine"
	"github.com/slipway-cd/slipway/engine/api/awsdoc"
	"github.com/slipway-cd/slipway/engine/state"
)

// ListContainerInstances lists the container instances of a cluster, by status.
func (s *Server) ListContainerInstances(_ context.Context, in *ecs.ListContainerInstancesInput) (*ecs.ListContainerInstancesOutput, error) {
	if awsdoc.Or(in.Filter, "") != "" {
		return nil, unsupported("The filter of ListContainerInstances is not served by this engine. Leave it out.")
	}
	snap := s.engine.DB().Read()
	c, err := activeCluster(snap, in.Cluster)
	if err != nil {
		return nil, err
	}
	var arns []string
	for i := range snap.Instances(c.Name) {
		if in.Status == "" || string(in.Status) == awsdoc.Or(i.Doc.Status, "") {
			arns = append(arns, *i.Doc.ContainerInstanceArn)
		}
	}
	arns, next, err := page(arns, in.NextToken, awsdoc.Or(in.MaxResults, 0))
	if err != nil {
		return nil, err
	}
	return &ecs.ListContainerInstancesOutput{ContainerInstanceArns: arns, NextToken: next}, nil
}

// DescribeContainerInstances describes container instances with what is left of their resources.
func (s *Server) DescribeContainerInstances(_ context.Context, in *ecs.DescribeContainerInstancesInput) (*ecs.DescribeContainerInstancesOutput, error) {
	snap := s.engine.DB().Read()
	c, err := activeCluster(snap, in.Cluster)
	if err != nil {
		return nil, err
	}
	if len(in.ContainerInstances) == 0 {
		return nil, invalid("Container instances cannot be empty.")
	}
	if len(in.ContainerInstances) > 100 {
		return nil, invalid("Container instances cannot have more than 100 elements.")
	}
	out := &ecs.DescribeContainerInstancesOutput{}
	for _, ref := range in.ContainerInstances {
		if err := sameCluster(c, ref); err != nil {
			return nil, err
		}
		id := state.InstanceID(engine.ResourceName(ref))
		i, ok := snap.Instance(id)
		if !ok || i.Cluster != c.Name {
			arn := s.engine.Identity().InstanceARN(c.Name, id)
			out.Failures = append(out.Failures, types.Failure{Arn: &arn, Reason: awsdoc.Text("MISSING")})
			continue
		}
		doc := describeInstance(snap, i)
		doc.Tags = tagsIf(slices.Contains(in.Include, types.ContainerInstanceFieldTags), doc.Tags)
		out.ContainerInstances = append(out.ContainerInstances, doc)
	}
	return out, nil
}

// UpdateContainerInstancesState sets container instances ACTIVE or DRAINING. No task is placed on a DRAINING one.
func (s *Server) UpdateContainerInstancesState(_ context.Context, in *ecs.UpdateContainerInstancesStateInput) (*ecs.UpdateContainerInstancesStateOutput, error) {
	if in.Status != types.ContainerInstanceStatusActive && in.Status != types.ContainerInstanceStatusDraining {
		return nil, invalid("Container instance status should be one of [DRAINING,ACTIVE]")
	}
	if len(in.ContainerInstances) == 0 || len(in.ContainerInstances) > 10 {
		return nil, invalid("Between 1 and 10 container instances can be updated at once.")
	}
	out := &ecs.UpdateContainerInstancesStateOutput{}
	err := s.engine.DB().Write(func(tx *state.Tx) error {
		c, err := activeCluster(tx.Snapshot, in.Cluster)
		if err != nil {
			return err
		}
		for _, ref := range in.ContainerInstances {
			if err := sameCluster(c, ref); err != nil {
				return err
			}
			id := state.InstanceID(engine.ResourceName(ref))
			i, ok := tx.Instance(id)
			if !ok || i.Cluster != c.Name {
				arn := s.engine.Identity().InstanceARN(c.Name, id)
				out.Failures = append(out.Failures, types.Failure{Arn: &arn, Reason: awsdoc.Text("MISSING")})
				continue
			}
			changed := *i
			changed.Doc.Status = awsdoc.Text("%s", in.Status)
			changed.Doc.Version++
			tx.Put(&changed)
			out.ContainerInstances = append(out.ContainerInstances, describeInstance(tx.Snapshot, &changed))
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// describeInstance counts the tasks of a container instance and what they leave of its resources.
func describeInstance(snap state.Snapshot, i *state.Instance) types.ContainerInstance {
	doc := i.Doc
	cpu, memory := i.CPU, i.Memory
	tcp, udp := portsOf(i.Ports)
	doc.RegisteredResources = resources(cpu, memory, tcp, udp)
	for t := range snap.TasksOnInstance(i.ID) {
		if !t.Alive() {
			continue
		}
		cpu, memory = cpu-t.CPU, memory-t.Memory
		moreTCP, moreUDP := portsOf(t.Ports)
		tcp, udp = append(tcp, moreTCP...), append(udp, moreUDP...)
		if isRunning(t) {
			doc.RunningTasksCount++
		} else if isPending(t) {
			doc.PendingTasksCount++
		}
	}
	doc.RemainingResources = resources(cpu, memory, tcp, udp)
	return doc
}

func portsOf(ports []state.HostPort) (tcp, udp []string) {
	tcp, udp = []string{}, []string{}
	for _, p := range ports {
		if p.Protocol == types.TransportProtocolUdp {
			udp = append(udp, strconv.Itoa(p.Port))
		} else {
			tcp = append(tcp, strconv.Itoa(p.Port))
		}
	}
	return tcp, udp
}

func resources(cpu, memory int, tcp, udp []string) []types.Resource {
	integer := func(name string, n int) types.Resource {
		return types.Resource{Name: &name, Type: awsdoc.Text("INTEGER"), IntegerValue: int32(n)}
	}
	set := func(name string, values []string) types.Resource {
		return types.Resource{Name: &name, Type: awsdoc.Text("STRINGSET"), StringSetValue: values}
	}
	return []types.Resource{integer("CPU", cpu), integer("MEMORY", memory), set("PORTS", tcp), set("PORTS_UDP", udp)}
}
