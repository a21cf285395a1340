package lifecycle

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/google/go-cmp/cmp"

	"github.com/slipway-cd/slipway/engine/runtime"
	"github.com/slipway-cd/slipway/engine/state"
	"github.com/slipway-cd/slipway/fault"
)

func (f *fake) CreateVolume(_ context.Context, v runtime.Volume) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if v.Driver == "broken" {
		return fault.New(fault.Refused, "no driver %q", v.Driver)
	}
	if f.volumes == nil {
		f.volumes = map[string]runtime.Volume{}
	}
	f.volumes[v.Name] = v
	return nil
}

func (f *fake) HasVolume(_ context.Context, name string) (bool, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	_, ok := f.volumes[name]
	return ok, nil
}

func (f *fake) RemoveVolume(_ context.Context, name string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, b := range f.containers {
		if slices.ContainsFunc(b.spec.Mounts, func(m runtime.Mount) bool { return m.Volume == name }) {
			return fault.New(fault.Conflict, "volume %q is in use", name)
		}
	}
	delete(f.volumes, name)
	return nil
}

func (f *fake) volumeNames() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return strings.Join(slices.Sorted(maps.Keys(f.volumes)), " ")
}

// withVolumes gives the task definition volumes.
func (h *house) withVolumes(volumes ...types.Volume) {
	h.t.Helper()
	h.write(func(tx *state.Tx) {
		d, _ := tx.TaskDefinition(state.TaskDefinitionID{Family: "web", Revision: 1})
		changed := *d
		changed.Doc.Volumes = volumes
		tx.Put(&changed)
	})
}

func mounting(volume, path string) func(*types.ContainerDefinition) {
	return func(d *types.ContainerDefinition) {
		d.MountPoints = append(d.MountPoints, types.MountPoint{SourceVolume: &volume, ContainerPath: &path})
	}
}

func shared(name string, autoprovision bool) types.Volume {
	return types.Volume{Name: &name, DockerVolumeConfiguration: &types.DockerVolumeConfiguration{Scope: types.ScopeShared, Autoprovision: &autoprovision}}
}

func TestVolumesAreWhereTheDefinitionSaysAndLiveAsLong(t *testing.T) {
	f := newFake(map[string]program{"app": {}})
	app := container("app", both(mounting("host", "/h"), mounting("scratch", "/s"), mounting("docker", "/d"), mounting("shared", "/sh"), mounting("efs", "/e"), mounting("point", "/p")))
	inBubble(t, f, []types.ContainerDefinition{app}, func(t *testing.T, h *house) {
		h.withVolumes(
			types.Volume{Name: aws.String("host"), Host: &types.HostVolumeProperties{SourcePath: aws.String("/srv/data")}},
			types.Volume{Name: aws.String("scratch"), Host: &types.HostVolumeProperties{}},
			types.Volume{Name: aws.String("docker"), DockerVolumeConfiguration: &types.DockerVolumeConfiguration{Scope: types.ScopeTask, Driver: aws.String("local")}},
			shared("shared", true),
			types.Volume{Name: aws.String("efs"), EfsVolumeConfiguration: &types.EFSVolumeConfiguration{FileSystemId: aws.String("fs-1"), RootDirectory: aws.String("/a/../../b")}},
			types.Volume{Name: aws.String("point"), EfsVolumeConfiguration: &types.EFSVolumeConfiguration{
				FileSystemId: aws.String("fs-1"), AuthorizationConfig: &types.EFSAuthorizationConfig{AccessPointId: aws.String("fsap-1")},
			}},
		)
		h.run()
		waitFor(t, h, state.Running)
		own := "ecs-" + string(theTask) + "-"
		want := []runtime.Mount{
			{Path: "/h", Source: "/srv/data"},
			{Path: "/s", Volume: own + "scratch"},
			{Path: "/d", Volume: own + "docker"},
			{Path: "/sh", Volume: "shared"},
			{Path: "/e", Source: "/files/fs-1/b"},
			{Path: "/p", Source: "/files/fs-1/.access-points/fsap-1"},
		}
		if diff := cmp.Diff(want, f.containers[Name(theTask, "app")].spec.Mounts); diff != "" {
			t.Error(diff)
		}
		if got := f.volumeNames(); got != own+"docker "+own+"scratch shared" {
			t.Error(got)
		}
		h.end("enough")
		waitFor(t, h, state.Stopped)
		if got := f.volumeNames(); got != "shared" {
			t.Errorf("after the task there are %q", got)
		}
	})
}

func TestATaskWhoseVolumeCannotBeMadeDoesNotStart(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		volume types.Volume
		want   string
	}{
		"shared, not provisioned": {shared("v", false), "CannotCreateVolumeError: initialize volume: volume detection failed, volume 'v' does not exist and autoprovision is set to false"},
		"driver":                  {types.Volume{Name: aws.String("v"), DockerVolumeConfiguration: &types.DockerVolumeConfiguration{Driver: aws.String("broken")}}, `CannotCreateVolumeError: no driver "broken"`},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFake(map[string]program{"app": {}})
			inBubble(t, f, []types.ContainerDefinition{container("app", mounting("v", "/v"))}, func(t *testing.T, h *house) {
				h.withVolumes(c.volume)
				h.run()
				waitFor(t, h, state.Stopped)
				if task := h.task(); task.StopCode != types.TaskStopCodeTaskFailedToStart || task.StoppedReason != c.want {
					t.Errorf("%s %q", task.StopCode, task.StoppedReason)
				}
			})
		})
	}
}

func TestASharedVolumeThatIsThereNeedsNoProvision(t *testing.T) {
	f := newFake(map[string]program{"app": {}})
	f.volumes = map[string]runtime.Volume{"v": {Name: "v"}}
	inBubble(t, f, []types.ContainerDefinition{container("app", mounting("v", "/v"))}, func(t *testing.T, h *house) {
		h.withVolumes(shared("v", false))
		h.run()
		waitFor(t, h, state.Running)
	})
}

func TestContainersStartAfterThoseThatTheyAreLinkedToOrHaveVolumesOf(t *testing.T) {
	f := newFake(map[string]program{"app": {}, "db": {}, "data": {runs: time.Second}})
	app := container("app", func(d *types.ContainerDefinition) {
		d.Links, d.VolumesFrom = []string{"db:database"}, []types.VolumeFrom{{SourceContainer: aws.String("data"), ReadOnly: aws.Bool(true)}}
	})
	inBubble(t, f, []types.ContainerDefinition{app, container("db", nil), container("data", optional)}, func(t *testing.T, h *house) {
		h.run()
		synctest.Wait()
		if diff := cmp.Diff([]string{"start db", "start data", "start app"}, f.told()); diff != "" {
			t.Error(diff)
		}
		spec := f.containers[Name(theTask, "app")].spec
		if got := fmt.Sprint(spec.Links, spec.VolumesFrom); got != fmt.Sprintf("[{%s database}] [{%s true}]", Name(theTask, "db"), Name(theTask, "data")) {
			t.Error(got)
		}
	})
}
