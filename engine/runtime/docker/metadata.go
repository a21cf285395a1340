package docker

import (
	"context"
	"net/netip"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/containerd/errdefs"
	"github.com/moby/moby/api/types/network"
	"github.com/moby/moby/client"

	"github.com/slipway-cd/slipway/engine/runtime"
)

// metadataNetwork is a network of Docker's that all engines on a machine share. The host's address in it is the one that
// containers ask for metadata at; it leads nowhere else, not even to each other.
const metadataNetwork = "slipway-metadata"

// MetadataNetwork makes the host have runtime.MetadataAddress, for containers whose Spec says so to reach it there. Whoever
// wants to answer them listens at it, which is possible where Docker runs on this machine.
func (r *Runtime) MetadataNetwork(ctx context.Context) error {
	_, err := r.api.NetworkCreate(ctx, metadataNetwork, client.NetworkCreateOptions{
		Driver: "bridge", Internal: true, Options: map[string]string{"com.docker.network.bridge.enable_icc": "false"},
		IPAM: &network.IPAM{Config: []network.IPAMConfig{{
			Subnet: netip.MustParsePrefix("169.254.170.0/23"), Gateway: runtime.MetadataAddress,
		}}},
		Labels: map[string]string{"slipway": "metadata"},
	})
	if err == nil || errdefs.IsConflict(err) {
		return nil
	}
	if _, missing := r.api.NetworkInspect(ctx, metadataNetwork, client.NetworkInspectOptions{}); missing == nil {
		return nil // another engine has made it just now
	}
	return failed(err, "cannot make the network %q for the metadata of tasks", metadataNetwork)
}

// reach puts a container into the network, too. On the host's network and on that of a container which it joins it is there by
// itself, on none it is not.
func (r *Runtime) reach(ctx context.Context, spec runtime.Spec) error {
	if !spec.Metadata || joins(spec) || spec.Network == types.NetworkModeHost || spec.Network == types.NetworkModeNone {
		return nil
	}
	_, err := r.api.NetworkConnect(ctx, metadataNetwork, client.NetworkConnectOptions{Container: r.container(spec.Name)})
	if err != nil && !errdefs.IsConflict(err) && !errdefs.IsPermissionDenied(err) {
		return failed(err, "cannot connect container %q with the metadata of tasks", spec.Name)
	}
	return nil
}
