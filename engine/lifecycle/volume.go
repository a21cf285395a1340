package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway/engine/runtime"
	"github.com/slipway-cd/slipway/engine/state"
)

const volumeFailed = "CannotCreateVolumeError: "

// accessPoints is where the directories of an EFS file system's access points are.
const accessPoints = ".access-points"

// taskVolume is what the runtime calls a volume that lives and dies with a task.
func taskVolume(task state.TaskID, name string) string { return "ecs-" + string(task) + "-" + name }

// volume returns a mount of one of the task's volumes, still without the place where it is mounted; of is what the runtime
// must make for it, if that is its own and not a directory.
func (k *Keeper) volume(task state.TaskID, v types.Volume) (m runtime.Mount, of *runtime.Volume) {
	name := aws.ToString(v.Name)
	switch efs, docker := v.EfsVolumeConfiguration, v.DockerVolumeConfiguration; {
	case efs != nil:
		// Beside the state: a file system of that id is the same one for every task, and stays.
		dir := []string{k.Files, aws.ToString(efs.FileSystemId), filepath.Clean("/" + aws.ToString(efs.RootDirectory))}
		if a := efs.AuthorizationConfig; a != nil && aws.ToString(a.AccessPointId) != "" {
			dir = []string{k.Files, aws.ToString(efs.FileSystemId), accessPoints, aws.ToString(a.AccessPointId)}
		}
		return runtime.Mount{Source: filepath.Join(dir...)}, nil
	case docker != nil:
		of = &runtime.Volume{Name: taskVolume(task, name), Driver: aws.ToString(docker.Driver), Options: docker.DriverOpts, Labels: docker.Labels}
		if docker.Scope == types.ScopeShared {
			of.Name = name
		}
		return runtime.Mount{Volume: of.Name}, of
	case v.Host != nil && aws.ToString(v.Host.SourcePath) != "":
		return runtime.Mount{Source: *v.Host.SourcePath}, nil
	default: // a directory of the task's own [API reference, HostVolumeProperties]
		of = &runtime.Volume{Name: taskVolume(task, name)}
		return runtime.Mount{Volume: of.Name}, of
	}
}

// createVolumes makes the volumes that the task's containers mount. A shared one is made the first time only, and only
// where it says so. [ECS guide, "Specify a Docker volume in an Amazon ECS task definition"; agent, api/task/task.go]
func (w *work) createVolumes(ctx context.Context) error {
	for _, v := range w.definition.Doc.Volumes {
		_, of := w.volume(w.task.ID, v)
		if of == nil {
			continue
		}
		if d := v.DockerVolumeConfiguration; d != nil && d.Scope == types.ScopeShared {
			has, err := w.Runtime.HasVolume(ctx, of.Name)
			switch {
			case err != nil:
				return err
			case has:
				continue
			case !aws.ToBool(d.Autoprovision):
				return fmt.Errorf("initialize volume: volume detection failed, volume '%s' does not exist and autoprovision is set to false", of.Name)
			}
		}
		if err := w.Runtime.CreateVolume(ctx, *of); err != nil {
			return err
		}
	}
	return nil
}

// removeVolumes removes the volumes that lived for the task alone.
func (k *Keeper) removeVolumes(ctx context.Context, task state.TaskID, d *state.TaskDefinition) error {
	var errs []error
	for _, v := range d.Doc.Volumes {
		if _, of := k.volume(task, v); of != nil && of.Name != aws.ToString(v.Name) {
			errs = append(errs, k.Runtime.RemoveVolume(ctx, of.Name))
		}
	}
	return errors.Join(errs...)
}

// mounts are a container's mount points.
func (w *work) mounts(d types.ContainerDefinition) []runtime.Mount {
	var list []runtime.Mount
	for _, p := range d.MountPoints {
		for _, v := range w.definition.Doc.Volumes {
			if aws.ToString(v.Name) == aws.ToString(p.SourceVolume) {
				m, _ := w.volume(w.task.ID, v)
				m.Path, m.ReadOnly = aws.ToString(p.ContainerPath), aws.ToBool(p.ReadOnly)
				list = append(list, m)
			}
		}
	}
	return list
}

func (w *work) volumesFrom(d types.ContainerDefinition) []runtime.VolumesFrom {
	var list []runtime.VolumesFrom
	for _, v := range d.VolumesFrom {
		list = append(list, runtime.VolumesFrom{Name: Name(w.task.ID, aws.ToString(v.SourceContainer)), ReadOnly: aws.ToBool(v.ReadOnly)})
	}
	return list
}

// links are the containers that a container reaches by names. "db:database" is db, under the name database.
func (w *work) links(d types.ContainerDefinition) []runtime.Link {
	var list []runtime.Link
	for _, text := range d.Links {
		name, alias, aliased := strings.Cut(text, ":")
		if !aliased {
			alias = name
		}
		list = append(list, runtime.Link{Name: Name(w.task.ID, name), Alias: alias})
	}
	return list
}

// dependencies are the containers that a container waits for: those that it names, and those that it has volumes or an
// address of. [agent, api/task/task.go: initializeContainerOrderingForVolumes, initializeContainerOrderingForLinks]
func dependencies(d types.ContainerDefinition) []types.ContainerDependency {
	list := d.DependsOn
	add := func(name string) {
		list = append(slices.Clip(list), types.ContainerDependency{ContainerName: &name, Condition: types.ContainerConditionStart})
	}
	for _, v := range d.VolumesFrom {
		add(aws.ToString(v.SourceContainer))
	}
	for _, text := range d.Links {
		name, _, _ := strings.Cut(text, ":")
		add(name)
	}
	return list
}
