package docker

import (
	"context"
	"fmt"
	"maps"
	"net/netip"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/containerd/errdefs"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/network"
	"github.com/moby/moby/client"

	"github.com/slipway-cd/slipway/engine/runtime"
	"github.com/slipway-cd/slipway/fault"
)

// The labels by which containers are found again.
const (
	labelScope = "slipway.engine"
	labelName  = "slipway.container"
)

const (
	mib      = 1 << 20
	attempts = 60 // to create a container whose name is being given or freed
)

// Create creates a container, unless there is one of the name already.
func (r *Runtime) Create(ctx context.Context, spec runtime.Spec) error {
	if err := spec.Name.Check(); err != nil {
		return err
	}
	options, err := r.options(spec)
	if err != nil {
		return fault.New(fault.KindOf(err), "cannot create container %q: %w", spec.Name, err)
	}
	if spec.Idle {
		if err := r.loadPause(ctx); err != nil {
			return fault.New(fault.KindOf(err), "cannot create container %q: %w", spec.Name, err)
		}
	}
	fetched := false
	for range attempts {
		_, err = r.api.ContainerCreate(ctx, options)
		if err == nil {
			return r.reach(ctx, spec)
		}
		if errdefs.IsNotFound(err) && strings.Contains(err.Error(), "No such image") && !fetched { // somebody cleaned up since it was pulled
			if _, again := r.pull(ctx, spec.Image); again != nil {
				break
			}
			fetched = true
			continue
		}
		if !errdefs.IsConflict(err) {
			break
		}
		if _, err := r.Inspect(ctx, spec.Name); err == nil {
			return r.reach(ctx, spec)
		}
		// Somebody else is about to create it, or to remove it: the name is taken, and nobody answers to it.
		select {
		case <-ctx.Done():
		case <-time.After(50 * time.Millisecond):
		}
	}
	return failed(err, "cannot create container %q of image %q", spec.Name, spec.Image)
}

// options says in Docker's words what the container is to be.
func (r *Runtime) options(spec runtime.Spec) (client.ContainerCreateOptions, error) {
	def := spec.Definition
	if err := refuse(def); err != nil {
		return client.ContainerCreateOptions{}, err
	}
	config := &container.Config{
		Hostname:   spec.Hostname,
		User:       aws.ToString(def.User),
		Env:        spec.Env,
		Cmd:        def.Command,
		Entrypoint: def.EntryPoint,
		WorkingDir: aws.ToString(def.WorkingDirectory),
		Image:      spec.Image,
		Tty:        aws.ToBool(def.PseudoTerminal),
		OpenStdin:  aws.ToBool(def.Interactive),
		Labels:     r.labels(spec),
		// A health check in the image is ignored; the engine runs those of the task definition. [ecs-behaviour 1.6]
		Healthcheck:     &container.HealthConfig{Test: []string{"NONE"}},
		NetworkDisabled: aws.ToBool(def.DisableNetworking),
	}
	host, err := r.host(spec)
	if err != nil {
		return client.ContainerCreateOptions{}, err
	}
	if config.ExposedPorts, host.PortBindings, err = ports(spec); err != nil {
		return client.ContainerCreateOptions{}, err
	}
	if spec.Idle {
		config.Image, config.StopSignal = pauseImage, "SIGKILL"
	}
	r.share(spec, config, host)
	return client.ContainerCreateOptions{Name: r.container(spec.Name), Config: config, HostConfig: host}, nil
}

// refuse names what a definition asks for and this runtime cannot give.
func refuse(def types.ContainerDefinition) error {
	asked := map[string]bool{
		"credentialSpecs": len(def.CredentialSpecs) > 0, "firelensConfiguration": def.FirelensConfiguration != nil,
	}
	for _, member := range []string{"credentialSpecs", "firelensConfiguration"} {
		if asked[member] {
			return fault.New(fault.Refused, "the engine does not carry out %s", member).
				WithHint("leave %s out of the task definition, or use another cluster", member)
		}
	}
	return nil
}

func (r *Runtime) labels(spec runtime.Spec) map[string]string {
	labels := map[string]string{}
	maps.Copy(labels, spec.Definition.DockerLabels)
	maps.Copy(labels, spec.Labels)
	labels[labelScope], labels[labelName] = r.scope, string(spec.Name)
	return labels
}

func ports(spec runtime.Spec) (network.PortSet, network.PortMap, error) {
	if spec.Network == types.NetworkModeHost || spec.Network == types.NetworkModeNone {
		return nil, nil, nil // the program is on the host's network by itself, or on none
	}
	set, bindings := network.PortSet{}, network.PortMap{}
	for _, p := range spec.Ports {
		port, err := network.ParsePort(fmt.Sprintf("%d/%s", p.Container, protocol(p)))
		if err != nil {
			return nil, nil, fault.New(fault.Invalid, "cannot use container port %d: %w", p.Container, err)
		}
		set[port] = struct{}{}
		bindings[port] = append(bindings[port], network.PortBinding{HostIP: p.Host.Addr(), HostPort: fmt.Sprint(p.Host.Port())})
	}
	return set, bindings, nil
}

func protocol(p runtime.Port) string {
	if p.Protocol == "" {
		return string(types.TransportProtocolTcp)
	}
	return strings.ToLower(string(p.Protocol))
}

func addresses(texts []string) ([]netip.Addr, error) {
	var addrs []netip.Addr
	for _, t := range texts {
		a, err := netip.ParseAddr(t)
		if err != nil {
			return nil, fault.New(fault.Invalid, "%q is no address of a DNS server: %w", t, err)
		}
		addrs = append(addrs, a)
	}
	return addrs, nil
}
