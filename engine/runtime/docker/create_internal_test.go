package docker

import (
	"context"
	"errors"
	"net/netip"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/network"
	"github.com/moby/moby/client"

	"github.com/slipway-cd/slipway/engine/runtime"
	"github.com/slipway-cd/slipway/fault"
)

func TestADefinitionIsPassedOnWhole(t *testing.T) {
	t.Parallel()
	r := &Runtime{scope: "s"}
	got, err := r.options(runtime.Spec{
		Name: "n", Labels: map[string]string{"com.amazonaws.ecs.cluster": "c"}, Image: "web:1", Env: []string{"A=b"},
		Ports:  []runtime.Port{{Container: 8080, Host: netip.MustParseAddrPort("127.0.0.2:1234"), Protocol: types.TransportProtocolTcp}},
		Memory: 256, Hostname: "web",
		Links:       []runtime.Link{{Name: "other", Alias: "alias"}},
		Mounts:      []runtime.Mount{{Path: "/a", Source: "/host"}, {Path: "/b", Volume: "named", ReadOnly: true}},
		VolumesFrom: []runtime.VolumesFrom{{Name: "other"}, {Name: "third", ReadOnly: true}},
		Definition: types.ContainerDefinition{
			DockerLabels: map[string]string{"release": "1"}, Command: []string{"run"}, EntryPoint: []string{"/web"},
			User: new("1000:1000"), WorkingDirectory: new("/srv"), MemoryReservation: new(int32(128)), Privileged: new(true),
			ReadonlyRootFilesystem: new(true), DnsServers: []string{"192.0.2.53"}, DnsSearchDomains: []string{"example.com"},
			ExtraHosts:     []types.HostEntry{{Hostname: new("db"), IpAddress: new("192.0.2.1")}},
			Ulimits:        []types.Ulimit{{Name: types.UlimitNameNofile, SoftLimit: 1, HardLimit: 2}},
			SystemControls: []types.SystemControl{{Namespace: new("net.core.somaxconn"), Value: new("1024")}},
			LinuxParameters: &types.LinuxParameters{
				InitProcessEnabled: new(true), MaxSwap: new(int32(64)), SharedMemorySize: new(int32(32)),
				Capabilities: &types.KernelCapabilities{Add: []string{"NET_ADMIN"}, Drop: []string{"CHOWN"}},
				Tmpfs:        []types.Tmpfs{{ContainerPath: new("/cache"), Size: 16, MountOptions: []string{"noexec"}}},
				Devices:      []types.Device{{HostPath: new("/dev/fuse"), Permissions: []types.DeviceCgroupPermission{types.DeviceCgroupPermissionRead}}},
			},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	port := network.MustParsePort("8080/tcp")
	want := client.ContainerCreateOptions{
		Name: "slipway-s-n",
		Config: &container.Config{
			Hostname: "web", User: "1000:1000", Env: []string{"A=b"}, Cmd: []string{"run"}, Entrypoint: []string{"/web"}, WorkingDir: "/srv",
			Image: "web:1", ExposedPorts: network.PortSet{port: {}}, Healthcheck: &container.HealthConfig{Test: []string{"NONE"}},
			Labels: map[string]string{"release": "1", "com.amazonaws.ecs.cluster": "c", "slipway.engine": "s", "slipway.container": "n"},
		},
		HostConfig: &container.HostConfig{
			LogConfig:     container.LogConfig{Type: "json-file", Config: map[string]string{"max-size": "16m", "max-file": "2"}},
			NetworkMode:   "bridge",
			PortBindings:  network.PortMap{port: {{HostIP: netip.MustParseAddr("127.0.0.2"), HostPort: "1234"}}},
			RestartPolicy: container.RestartPolicy{Name: "no"}, DNS: []netip.Addr{netip.MustParseAddr("192.0.2.53")}, DNSSearch: []string{"example.com"},
			Privileged: true, ReadonlyRootfs: true, ExtraHosts: []string{"db:192.0.2.1"}, Links: []string{"slipway-s-other:alias"},
			Binds: []string{"/host:/a", "named:/b:ro"}, VolumesFrom: []string{"slipway-s-other:rw", "slipway-s-third:ro"},
			CapAdd: []string{"NET_ADMIN"}, CapDrop: []string{"CHOWN"}, Init: new(true), ShmSize: 32 << 20,
			Sysctls: map[string]string{"net.core.somaxconn": "1024"}, Tmpfs: map[string]string{"/cache": "size=16m,noexec"},
			Resources: container.Resources{
				CPUShares: 2, Memory: 256 << 20, MemoryReservation: 128 << 20, MemorySwap: 320 << 20,
				Ulimits: []*container.Ulimit{{Name: "nofile", Soft: 1, Hard: 2}},
				Devices: []container.DeviceMapping{{PathOnHost: "/dev/fuse", PathInContainer: "/dev/fuse", CgroupPermissions: "r"}},
			},
		},
	}
	if diff := cmp.Diff(want, got, cmpopts.EquateComparable(netip.Addr{}, network.Port{})); diff != "" {
		t.Error(diff)
	}
}

func TestWhatCannotBeGivenIsRefused(t *testing.T) {
	t.Parallel()
	_, err := (&Runtime{}).options(runtime.Spec{Definition: types.ContainerDefinition{CredentialSpecs: []string{"x"}}})
	if fault.KindOf(err) != fault.Refused || fault.HintOf(err) == "" {
		t.Errorf("got %v", err)
	}
}

func TestDockersErrorsHaveKinds(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]fault.Kind{
		"driver failed programming external connectivity on endpoint x: Bind for 127.0.0.1:80 failed: port is already allocated": fault.Conflict,
		"listen tcp4 127.0.0.1:80: bind: address already in use":                                                                 fault.Conflict,
		`OCI runtime create failed: exec: "x": executable file not found in $PATH: unknown`:                                      fault.Invalid,
		`OCI runtime create failed: exec: "/x": permission denied: unknown`:                                                      fault.Invalid,
		"no matching manifest for linux/amd64 in the manifest list entries":                                                      fault.Invalid,
		"pull access denied for x, repository does not exist or may require 'docker login'":                                      fault.Denied,
		"manifest for x:1 not found: manifest unknown: manifest unknown":                                                         fault.NotFound,
		`Get "http://127.0.0.1:1/v2/": dial tcp 127.0.0.1:1: connect: connection refused`:                                        fault.Unavailable,
		"something else": fault.Internal,
	} {
		if got := kindOf(errors.New(text)); got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
	if kindOf(context.Canceled) != fault.Interrupted || kindOf(context.DeadlineExceeded) != fault.Timeout {
		t.Error("the end of a context has its own kinds")
	}
}
