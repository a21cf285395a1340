package ecs

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	classictypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancing/types"
	v2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/slipway-cd/slipway/rollout"
)

func TestTargetGroupsFitTheNetworkModeAndAreReached(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		mode      types.NetworkMode
		kind      v2.TargetTypeEnum
		balancers []string
		shifts    bool
		problems  int
	}{
		"addresses of awsvpc":                {types.NetworkModeAwsvpc, v2.TargetTypeEnumIp, []string{"alb"}, false, 0},
		"instances of bridge":                {types.NetworkModeBridge, v2.TargetTypeEnumInstance, []string{"alb"}, false, 0},
		"instances, as nothing else is said": {"", v2.TargetTypeEnumInstance, []string{"alb"}, false, 0},
		"instances of awsvpc":                {types.NetworkModeAwsvpc, v2.TargetTypeEnumInstance, []string{"alb"}, false, 1},
		"addresses of host":                  {types.NetworkModeHost, v2.TargetTypeEnumIp, []string{"alb"}, false, 1},
		"no listener":                        {types.NetworkModeAwsvpc, v2.TargetTypeEnumIp, nil, false, 1},
		"no listener while traffic shifts":   {types.NetworkModeAwsvpc, v2.TargetTypeEnumIp, nil, true, 0},
		"neither":                            {types.NetworkModeHost, v2.TargetTypeEnumIp, nil, false, 2},
	} {
		v := &verification{task: &definition{TaskDefinition: types.TaskDefinition{NetworkMode: tc.mode}}}
		v.targetGroup(groupUse{shifts: tc.shifts}, v2.TargetGroup{TargetGroupName: aws.String("blue"), TargetType: tc.kind, LoadBalancerArns: tc.balancers})
		if n := len(rollout.Problems(v.found)); n != tc.problems {
			t.Errorf("%s: found %+v, want %d problems", name, v.found, tc.problems)
		}
	}
}

func TestClassicLoadBalancersLeadToTheHostPort(t *testing.T) {
	t.Parallel()
	leading := func(ports ...int32) classictypes.LoadBalancerDescription {
		var b classictypes.LoadBalancerDescription
		for _, port := range ports {
			b.ListenerDescriptions = append(b.ListenerDescriptions, classictypes.ListenerDescription{Listener: &classictypes.Listener{InstancePort: aws.Int32(port)}})
		}
		return b
	}
	for name, tc := range map[string]struct {
		mode    types.NetworkMode
		mapping types.PortMapping
		to      classictypes.LoadBalancerDescription
		well    bool
	}{
		"the same port":         {"", types.PortMapping{ContainerPort: aws.Int32(8080), HostPort: aws.Int32(1234)}, leading(1234), true},
		"one of its ports":      {"", types.PortMapping{ContainerPort: aws.Int32(8080), HostPort: aws.Int32(1234)}, leading(80, 1234), true},
		"another port":          {"", types.PortMapping{ContainerPort: aws.Int32(8080), HostPort: aws.Int32(1234)}, leading(4321), false},
		"no listener":           {"", types.PortMapping{ContainerPort: aws.Int32(8080), HostPort: aws.Int32(1234)}, leading(), false},
		"a port that changes":   {"", types.PortMapping{ContainerPort: aws.Int32(8080)}, leading(8080), false},
		"network mode host":     {types.NetworkModeHost, types.PortMapping{ContainerPort: aws.Int32(8080)}, leading(8080), true},
		"the container's alone": {"", types.PortMapping{ContainerPort: aws.Int32(8080), HostPort: aws.Int32(1234)}, leading(8080), false},
	} {
		v := &verification{task: &definition{TaskDefinition: types.TaskDefinition{NetworkMode: tc.mode}}}
		v.instancePort(asks{}, "load balancer front", tc.mapping, tc.to)
		if well := len(v.found) == 0; well != tc.well {
			t.Errorf("%s: found %+v", name, v.found)
		}
	}
}
