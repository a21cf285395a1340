package engine

import (
	"fmt"
	"net/netip"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// networkInterface is how DescribeTasks tells of a task's own address. [ecs-behaviour 1.1]
func networkInterface(address netip.Addr, subnet string) types.Attachment {
	id := NewHexID()
	detail := func(name, value string) types.KeyValuePair {
		return types.KeyValuePair{Name: aws.String(name), Value: aws.String(value)}
	}
	return types.Attachment{
		Id: aws.String(NewUUID()), Type: aws.String("ElasticNetworkInterface"), Status: aws.String("ATTACHED"),
		Details: []types.KeyValuePair{
			detail("subnetId", subnet),
			detail("networkInterfaceId", "eni-"+id[:17]),
			detail("macAddress", fmt.Sprintf("02:%s:%s:%s:%s:%s", id[17:19], id[19:21], id[21:23], id[23:25], id[25:27])),
			detail("privateDnsName", address.String()),
			detail("privateIPv4Address", address.String()),
		},
	}
}

func subnet(n *types.NetworkConfiguration) string {
	if n == nil || n.AwsvpcConfiguration == nil || len(n.AwsvpcConfiguration.Subnets) == 0 {
		return ""
	}
	return n.AwsvpcConfiguration.Subnets[0]
}
