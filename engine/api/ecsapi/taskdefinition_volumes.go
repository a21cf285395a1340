package ecsapi

import (
	"path"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway/engine/api/awsdoc"
)

// checkVolumes refuses volumes that are none, or not served, and mount points of those that are not there.
func checkVolumes(doc *types.TaskDefinition) error {
	known := map[string]bool{}
	for _, v := range doc.Volumes {
		name := awsdoc.Or(v.Name, "")
		switch {
		case !name255().MatchString(name):
			return clientError("Volume name must match ^[a-zA-Z0-9\\-_]{1,255}$, but was '%s'.", name)
		case known[name]:
			return clientError("Duplicate volume name '%s'.", name)
		}
		known[name] = true
		if err := checkVolume(doc, name, v); err != nil {
			return err
		}
	}
	for _, c := range doc.ContainerDefinitions {
		if err := checkMounts(awsdoc.Or(c.Name, ""), c.MountPoints, known); err != nil {
			return err
		}
	}
	return nil
}

func checkVolume(doc *types.TaskDefinition, name string, v types.Volume) error {
	source, docker, efs := "", v.DockerVolumeConfiguration, v.EfsVolumeConfiguration
	if v.Host != nil {
		source = awsdoc.Or(v.Host.SourcePath, "")
	}
	fargate := requires(doc, types.CompatibilityFargate)
	switch {
	case v.FsxWindowsFileServerVolumeConfiguration != nil, v.S3filesVolumeConfiguration != nil:
		return clientError("The volume '%s' is of a kind that is not served by this engine: use host, dockerVolumeConfiguration or efsVolumeConfiguration.", name)
	case awsdoc.Or(v.ConfiguredAtLaunch, false):
		return clientError("The volume '%s' is to be configured at launch, which is not served by this engine.", name)
	case source != "" && !path.IsAbs(source):
		return clientError("The sourcePath '%s' of volume '%s' must be an absolute path.", source, name)
	case source != "" && fargate:
		return clientError("When launch type is Fargate, the host's sourcePath must not be set for volume '%s'.", name)
	case docker != nil && (source != "" || efs != nil):
		return clientError("Only one volume type can be specified for volume '%s'.", name)
	case docker != nil && fargate:
		return clientError("Fargate does not support dockerVolumeConfiguration (volume '%s').", name)
	case docker != nil && docker.Autoprovision != nil && docker.Scope != types.ScopeShared:
		return clientError("autoprovision can be set for volumes of the scope shared only (volume '%s').", name)
	case efs != nil:
		return checkEFS(name, efs)
	}
	return nil
}

func checkEFS(name string, efs *types.EFSVolumeConfiguration) error {
	root := awsdoc.Or(efs.RootDirectory, "/")
	point := efs.AuthorizationConfig != nil && awsdoc.Or(efs.AuthorizationConfig.AccessPointId, "") != ""
	id := awsdoc.Or(efs.FileSystemId, "")
	switch {
	case !name255().MatchString(id):
		return clientError("Invalid fileSystemId '%s' of volume '%s'.", id, name)
	case point && !name255().MatchString(*efs.AuthorizationConfig.AccessPointId):
		return clientError("Invalid accessPointId '%s' of volume '%s'.", *efs.AuthorizationConfig.AccessPointId, name)
	case point && root != "/":
		return clientError("If an EFS access point is specified, rootDirectory must be omitted or set to / (volume '%s').", name)
	case point && efs.TransitEncryption != types.EFSTransitEncryptionEnabled:
		return clientError("If an EFS access point is used, transit encryption must be enabled (volume '%s').", name)
	}
	return nil
}

func checkMounts(container string, points []types.MountPoint, volumes map[string]bool) error {
	paths := map[string]bool{}
	for _, p := range points {
		at, volume := awsdoc.Or(p.ContainerPath, ""), awsdoc.Or(p.SourceVolume, "")
		switch {
		case !volumes[volume]:
			return clientError("Unknown volume '%s'.", volume)
		case !path.IsAbs(at):
			return clientError("The containerPath '%s' of container '%s' must be an absolute path.", at, container)
		case strings.Contains(at, ":"):
			return clientError("The containerPath '%s' of container '%s' must not contain a colon.", at, container)
		case paths[path.Clean(at)]:
			return clientError("Duplicate containerPath '%s' of container '%s'.", at, container)
		}
		paths[path.Clean(at)] = true
	}
	return nil
}

// implied are the containers that a container depends on without saying so: those that it has volumes of, or is linked to.
func implied(c types.ContainerDefinition) []string {
	var names []string
	for _, v := range c.VolumesFrom {
		names = append(names, awsdoc.Or(v.SourceContainer, ""))
	}
	for _, link := range c.Links {
		name, _, _ := strings.Cut(link, ":")
		names = append(names, name)
	}
	return names
}

// checkImplied refuses links and volumes of containers that are not there, and links where there are no names.
func checkImplied(doc *types.TaskDefinition, byName map[string]types.ContainerDefinition) error {
	for _, c := range doc.ContainerDefinitions {
		if len(c.Links) > 0 && doc.NetworkMode != "" && doc.NetworkMode != types.NetworkModeBridge {
			return clientError("Links are not supported when networkMode=%s.", doc.NetworkMode)
		}
		for _, name := range implied(c) {
			if _, ok := byName[name]; !ok || name == *c.Name {
				return clientError("Container '%s' is linked to container '%s' or has its volumes, which is not another one of the task definition.", *c.Name, name)
			}
		}
	}
	return nil
}
