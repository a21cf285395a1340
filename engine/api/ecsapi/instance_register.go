package ecsapi

import (
	"context"
	"encoding/json"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway/engine/api/awsdoc"
	"github.com/slipway-cd/slipway/engine/state"
)

// RegisterContainerInstance adds a container instance with the resources, attributes and tags that it names; what it does
// not name, it has as the engine's own. With the ARN of one that is there, it renews that one's description.
func (s *Server) RegisterContainerInstance(_ context.Context, in *ecs.RegisterContainerInstanceInput) (*ecs.RegisterContainerInstanceOutput, error) {
	if err := checkTags(in.Tags); err != nil {
		return nil, err
	}
	var doc types.ContainerInstance
	err := s.engine.DB().Write(func(tx *state.Tx) error {
		i, err := s.instanceOf(tx.Snapshot, in)
		if err != nil {
			return err
		}
		if i.ID == "" {
			if i, err = s.engine.RegisterInstance(tx, i, s.engine.Now()); err != nil {
				return exhausted(err)
			}
		} else {
			tx.Put(i)
		}
		doc = describeInstance(tx.Snapshot, i)
		doc.Tags = awsdoc.List(doc.Tags)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &ecs.RegisterContainerInstanceOutput{ContainerInstance: &doc}, nil
}

// instanceOf returns the container instance that a request describes; without an id when it is new.
func (s *Server) instanceOf(snap state.Snapshot, in *ecs.RegisterContainerInstanceInput) (*state.Instance, error) {
	c, err := activeCluster(snap, in.Cluster)
	if err != nil {
		return nil, err
	}
	i := &state.Instance{Cluster: c.Name, CPU: s.engine.InstanceCPU(), Memory: s.engine.InstanceMemory(), Guest: true}
	if in.ContainerInstanceArn != nil {
		known, err := knownInstance(snap, in.Cluster, in.ContainerInstanceArn)
		if err != nil {
			return nil, err
		}
		renewed := *known
		i = &renewed
		i.Doc.AgentConnected = true
		i.Doc.Version++
	}
	awsdoc.Assign(&i.Doc, in, "ContainerInstanceArn", "Attributes")
	i.Doc.Attributes = withAttributes(i.Doc.Attributes, in.Attributes)
	if err := identify(i, awsdoc.Or(in.InstanceIdentityDocument, "")); err != nil {
		return nil, err
	}
	for _, a := range in.Attributes {
		if awsdoc.Or(a.Name, "") == "ecs.availability-zone" {
			i.Zone = awsdoc.Or(a.Value, "")
		}
	}
	if i.Zone == "" {
		i.Zone = s.engine.Zone(snap, c.Name)
	}
	return i, equip(i, in)
}

// identify takes over what EC2's instance identity document says.
func identify(i *state.Instance, document string) error {
	if document == "" {
		return nil
	}
	var identity struct{ InstanceID, AvailabilityZone, InstanceType string }
	if err := json.Unmarshal([]byte(document), &identity); err != nil {
		return clientError("The instance identity document is no JSON object: %v", err)
	}
	i.Zone = identity.AvailabilityZone
	if identity.InstanceID != "" {
		i.Doc.Ec2InstanceId = &identity.InstanceID
	}
	if identity.InstanceType != "" {
		i.Doc.Attributes = withAttributes(i.Doc.Attributes, []types.Attribute{{Name: awsdoc.Text("ecs.instance-type"), Value: &identity.InstanceType}})
	}
	return nil
}

// equip takes over what the instance has.
func equip(i *state.Instance, in *ecs.RegisterContainerInstanceInput) error {
	if in.TotalResources != nil {
		i.Ports, i.GPUs = nil, nil
	}
	for _, r := range in.TotalResources {
		switch name := strings.ToUpper(awsdoc.Or(r.Name, "")); name {
		case "CPU":
			i.CPU = int(r.IntegerValue)
		case "MEMORY":
			i.Memory = int(r.IntegerValue)
		case "PORTS", "PORTS_UDP":
			ports, err := portsOf(name, r.StringSetValue)
			if err != nil {
				return err
			}
			i.Ports = append(i.Ports, ports...)
		case "GPU":
			i.GPUs = r.StringSetValue
		default:
			return invalid("Unknown resource %s.", name)
		}
	}
	for _, d := range in.PlatformDevices {
		if d.Type != types.PlatformDeviceTypeGpu {
			return unsupported("Platform devices of the type %s are not served by this engine.", d.Type)
		}
		i.GPUs = append(i.GPUs, awsdoc.Or(d.Id, ""))
	}
	if i.CPU < 0 || i.Memory < 0 {
		return invalid("Resources can not be lesser than 0.")
	}
	return nil
}

func portsOf(resource string, numbers []string) ([]state.HostPort, error) {
	protocol := types.TransportProtocolTcp
	if resource == "PORTS_UDP" {
		protocol = types.TransportProtocolUdp
	}
	ports := make([]state.HostPort, 0, len(numbers))
	for _, n := range numbers {
		port, err := strconv.Atoi(n)
		if err != nil || port < 1 || port > 65535 {
			return nil, invalid("%s contains %q, which is no port.", resource, n)
		}
		ports = append(ports, state.HostPort{Port: port, Protocol: protocol})
	}
	return ports, nil
}

// DeregisterContainerInstance takes a container instance out of its cluster. One with tasks goes only by force, and its
// tasks with it.
func (s *Server) DeregisterContainerInstance(_ context.Context, in *ecs.DeregisterContainerInstanceInput) (*ecs.DeregisterContainerInstanceOutput, error) {
	var doc types.ContainerInstance
	err := s.engine.DB().Write(func(tx *state.Tx) error {
		i, err := knownInstance(tx.Snapshot, in.Cluster, in.ContainerInstance)
		if err != nil {
			return err
		}
		if tx.Usage(i.ID).Tasks > 0 && !awsdoc.Or(in.Force, false) {
			return invalid("Found running tasks on the instance.")
		}
		if i, err = s.engine.DeregisterInstance(tx, i.ID); err != nil {
			return err
		}
		doc = describeInstance(tx.Snapshot, i)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &ecs.DeregisterContainerInstanceOutput{ContainerInstance: &doc}, nil
}
