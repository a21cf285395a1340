package ecsapi

import (
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway/engine/api/awsdoc"
)

// normalise fills in what AWS returns for members that were left out. [ecs-behaviour 1.9]
func normalise(doc *types.TaskDefinition) {
	doc.Compatibilities = compatibilities(doc)
	doc.PlacementConstraints = awsdoc.List(doc.PlacementConstraints)
	doc.Volumes = volumes(doc.Volumes)
	containers := make([]types.ContainerDefinition, len(doc.ContainerDefinitions))
	for i, c := range doc.ContainerDefinitions {
		containers[i] = normaliseContainer(doc.NetworkMode, c)
	}
	doc.ContainerDefinitions = containers
	doc.RequiresAttributes = attributesOf(doc)
}

func normaliseContainer(mode types.NetworkMode, c types.ContainerDefinition) types.ContainerDefinition {
	if c.Essential == nil {
		yes := true
		c.Essential = &yes
	}
	c.Environment = awsdoc.List(c.Environment)
	c.MountPoints = awsdoc.List(c.MountPoints)
	c.VolumesFrom = awsdoc.List(c.VolumesFrom)
	c.SystemControls = awsdoc.List(c.SystemControls)
	ports := make([]types.PortMapping, len(c.PortMappings))
	for i, p := range c.PortMappings {
		if p.Protocol == "" {
			p.Protocol = types.TransportProtocolTcp
		}
		if p.HostPort == nil {
			host := int32(0)
			if mode == types.NetworkModeAwsvpc || mode == types.NetworkModeHost {
				host = awsdoc.Or(p.ContainerPort, 0)
			}
			p.HostPort = &host
		}
		ports[i] = p
	}
	c.PortMappings = ports
	if h := c.HealthCheck; h != nil {
		c.HealthCheck = normaliseHealthCheck(*h)
	}
	return c
}

func normaliseHealthCheck(h types.HealthCheck) *types.HealthCheck {
	for field, otherwise := range map[**int32]int32{&h.Interval: 30, &h.Timeout: 5, &h.Retries: 3} {
		if *field == nil {
			n := otherwise
			*field = &n
		}
	}
	return &h
}

// volumes: one that nothing is said about is a directory of the container instance. [API reference: Volume, host]
func volumes(given []types.Volume) []types.Volume {
	list := make([]types.Volume, len(given))
	for i, v := range given {
		if v.Host == nil && v.DockerVolumeConfiguration == nil && v.EfsVolumeConfiguration == nil &&
			v.FsxWindowsFileServerVolumeConfiguration == nil && !awsdoc.Or(v.ConfiguredAtLaunch, false) {
			v.Host = &types.HostVolumeProperties{}
		}
		list[i] = v
	}
	return list
}
