package docker

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/moby/moby/api/types/container"

	"github.com/slipway-cd/slipway/engine/runtime"
)

// host says in Docker's words what the container may use of its host.
func (r *Runtime) host(spec runtime.Spec) (*container.HostConfig, error) {
	def := spec.Definition
	dns, err := addresses(def.DnsServers)
	if err != nil {
		return nil, err
	}
	host := &container.HostConfig{
		// Only what Docker keeps itself can be read back. [docker logs]
		LogConfig:      container.LogConfig{Type: "json-file", Config: map[string]string{"max-size": "16m", "max-file": "2"}},
		NetworkMode:    networkMode(spec.Network),
		RestartPolicy:  container.RestartPolicy{Name: container.RestartPolicyDisabled},
		DNS:            dns,
		DNSSearch:      def.DnsSearchDomains,
		SecurityOpt:    def.DockerSecurityOptions,
		Privileged:     aws.ToBool(def.Privileged),
		ReadonlyRootfs: aws.ToBool(def.ReadonlyRootFilesystem),
		Resources: container.Resources{
			CPUShares:         int64(max(spec.CPU, 2)), // the least that Linux allows, for 0 and 1 too [model: cpu]
			Memory:            int64(spec.Memory) * mib,
			MemoryReservation: int64(aws.ToInt32(def.MemoryReservation)) * mib,
		},
	}
	for _, h := range def.ExtraHosts {
		host.ExtraHosts = append(host.ExtraHosts, aws.ToString(h.Hostname)+":"+aws.ToString(h.IpAddress))
	}
	for _, link := range spec.Links {
		host.Links = append(host.Links, r.container(link.Name)+":"+link.Alias)
	}
	for _, m := range spec.Mounts {
		host.Binds = append(host.Binds, bind(m))
	}
	for _, from := range spec.VolumesFrom {
		host.VolumesFrom = append(host.VolumesFrom, r.container(from.Name)+map[bool]string{true: ":ro", false: ":rw"}[from.ReadOnly])
	}
	for _, u := range def.Ulimits {
		host.Ulimits = append(host.Ulimits, &container.Ulimit{Name: string(u.Name), Soft: int64(u.SoftLimit), Hard: int64(u.HardLimit)})
	}
	for _, s := range def.SystemControls {
		if host.Sysctls == nil {
			host.Sysctls = map[string]string{}
		}
		host.Sysctls[aws.ToString(s.Namespace)] = aws.ToString(s.Value)
	}
	if lp := def.LinuxParameters; lp != nil {
		linux(host, lp)
	}
	return host, nil
}

// bind is a mount in the form in which Docker makes the directory of the host if need be. [docker run, --volume]
func bind(m runtime.Mount) string {
	text := cmp.Or(m.Source, m.Volume) + ":" + m.Path
	if m.ReadOnly {
		text += ":ro"
	}
	return text
}

func linux(host *container.HostConfig, lp *types.LinuxParameters) {
	host.Init = lp.InitProcessEnabled
	host.ShmSize = int64(aws.ToInt32(lp.SharedMemorySize)) * mib
	if c := lp.Capabilities; c != nil {
		host.CapAdd, host.CapDrop = c.Add, c.Drop
	}
	if lp.MaxSwap != nil && host.Memory > 0 {
		host.MemorySwap = host.Memory + int64(*lp.MaxSwap)*mib
	}
	if lp.Swappiness != nil {
		host.MemorySwappiness = new(int64(*lp.Swappiness))
	}
	for _, t := range lp.Tmpfs {
		if host.Tmpfs == nil {
			host.Tmpfs = map[string]string{}
		}
		options := append([]string{fmt.Sprintf("size=%dm", t.Size)}, t.MountOptions...)
		host.Tmpfs[aws.ToString(t.ContainerPath)] = strings.Join(options, ",")
	}
	for _, d := range lp.Devices {
		host.Devices = append(host.Devices, device(d))
	}
}

func device(d types.Device) container.DeviceMapping {
	m := container.DeviceMapping{PathOnHost: aws.ToString(d.HostPath), PathInContainer: aws.ToString(d.ContainerPath), CgroupPermissions: "rwm"}
	if m.PathInContainer == "" {
		m.PathInContainer = m.PathOnHost
	}
	if len(d.Permissions) > 0 {
		m.CgroupPermissions = ""
		for _, p := range d.Permissions {
			m.CgroupPermissions += map[types.DeviceCgroupPermission]string{
				types.DeviceCgroupPermissionRead: "r", types.DeviceCgroupPermissionWrite: "w", types.DeviceCgroupPermissionMknod: "m",
			}[p]
		}
	}
	return m
}

// networkMode maps the task's network mode. Docker's bridge stands for awsvpc too: the task's own address is the host
// address that its ports are bound to.
func networkMode(mode types.NetworkMode) container.NetworkMode {
	switch mode {
	case types.NetworkModeHost, types.NetworkModeNone:
		return container.NetworkMode(mode)
	default:
		return "bridge"
	}
}
