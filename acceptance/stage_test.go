package acceptance

import (
	"fmt"
	"net"
	"slices"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancing"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancing/types"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbv2types "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

// classic makes the load balancer that the user's service definition names.
func (h *house) classic() {
	h.Helper()
	name := aws.String(houseService)
	made, err := h.elb.CreateLoadBalancer(h.Context(), &elb.CreateLoadBalancerInput{
		LoadBalancerName: name, AvailabilityZones: []string{"us-east-1a", "us-east-1b"},
		Listeners: []elbtypes.Listener{{
			Protocol: aws.String("HTTP"), LoadBalancerPort: housePort, InstanceProtocol: aws.String("HTTP"), InstancePort: aws.Int32(hostPort),
		}},
	})
	h.must(err)
	_, err = h.elb.ConfigureHealthCheck(h.Context(), &elb.ConfigureHealthCheckInput{LoadBalancerName: name, HealthCheck: &elbtypes.HealthCheck{
		Target: aws.String(fmt.Sprintf("HTTP:%d/healthz", hostPort)), Interval: aws.Int32(10), Timeout: aws.Int32(5),
		HealthyThreshold: aws.Int32(2), UnhealthyThreshold: aws.Int32(2),
	}})
	h.must(err)
	_, err = h.elb.ModifyLoadBalancerAttributes(h.Context(), &elb.ModifyLoadBalancerAttributesInput{
		LoadBalancerName: name, LoadBalancerAttributes: &elbtypes.LoadBalancerAttributes{
			ConnectionDraining: &elbtypes.ConnectionDraining{Enabled: true, Timeout: aws.Int32(20)},
		},
	})
	h.must(err)
	h.balancer = net.JoinHostPort(*made.DNSName, strconv.Itoa(housePort))
}

// application makes an application load balancer with a target group, and has the project use them with a host port that
// is chosen when a task is placed.
func (h *house) application() {
	h.Helper()
	lb, err := h.elbv2.CreateLoadBalancer(h.Context(), &elbv2.CreateLoadBalancerInput{
		Name: aws.String(houseService), Subnets: []string{"subnet-a", "subnet-b"},
	})
	h.must(err)
	group, err := h.elbv2.CreateTargetGroup(h.Context(), &elbv2.CreateTargetGroupInput{
		Name: aws.String(houseService), Protocol: elbv2types.ProtocolEnumHttp, Port: aws.Int32(80), VpcId: aws.String("vpc-1"),
		HealthCheckPath: aws.String("/healthz"), HealthCheckIntervalSeconds: aws.Int32(10), HealthyThresholdCount: aws.Int32(2),
	})
	h.must(err)
	arn := group.TargetGroups[0].TargetGroupArn
	_, err = h.elbv2.ModifyTargetGroupAttributes(h.Context(), &elbv2.ModifyTargetGroupAttributesInput{
		TargetGroupArn: arn, Attributes: []elbv2types.TargetGroupAttribute{{
			Key: aws.String("deregistration_delay.timeout_seconds"), Value: aws.String("240"), // twelve seconds at speed 20
		}},
	})
	h.must(err)
	_, err = h.elbv2.CreateListener(h.Context(), &elbv2.CreateListenerInput{
		LoadBalancerArn: lb.LoadBalancers[0].LoadBalancerArn, Protocol: elbv2types.ProtocolEnumHttp, Port: aws.Int32(housePort),
		DefaultActions: []elbv2types.Action{{Type: elbv2types.ActionTypeEnumForward, TargetGroupArn: arn}},
	})
	h.must(err)
	h.balancer = net.JoinHostPort(*lb.LoadBalancers[0].DNSName, strconv.Itoa(housePort))
	h.edit("deploy/task-definition.json", `"hostPort": 1234`, `"hostPort": 0`)
	h.edit("deploy/service-definition.json", `"loadBalancerName": "${loadBalancerName}"`, `"targetGroupArn": "`+*arn+`"`)
}

// withLogs has the containers of the project write to CloudWatch Logs.
func (h *house) withLogs() {
	h.Helper()
	h.edit("deploy/task-definition.json", `"essential": true,`, `"essential": true, "logConfiguration": {"logDriver": "awslogs", "options": {
		"awslogs-group": "`+houseLogs+`", "awslogs-region": "us-east-1", "awslogs-stream-prefix": "hid", "awslogs-create-group": "true"}},`)
}

const houseLogs = "/ecs/hid-generator"

// service asks the engine for the service.
func (h *house) service() types.Service {
	h.Helper()
	out, err := h.ecs.DescribeServices(h.Context(), &ecs.DescribeServicesInput{Cluster: aws.String(houseCluster), Services: []string{houseService}})
	h.must(err)
	if len(out.Services) != 1 {
		return types.Service{}
	}
	return out.Services[0]
}

// tasks asks the engine for the tasks that are to run, or for those that are to be stopped.
func (h *house) tasks(desired types.DesiredStatus) []types.Task {
	h.Helper()
	list, err := h.ecs.ListTasks(h.Context(), &ecs.ListTasksInput{Cluster: aws.String(houseCluster), DesiredStatus: desired})
	h.must(err)
	var tasks []types.Task
	for arns := range slices.Chunk(list.TaskArns, 100) {
		out, err := h.ecs.DescribeTasks(h.Context(), &ecs.DescribeTasksInput{Cluster: aws.String(houseCluster), Tasks: arns})
		h.must(err)
		tasks = append(tasks, out.Tasks...)
	}
	return tasks
}

// messages returns what the service's events said since a moment, the oldest first.
func (h *house) messages(since time.Time) []types.ServiceEvent {
	h.Helper()
	var list []types.ServiceEvent
	for _, e := range slices.Backward(h.service().Events) {
		if e.CreatedAt.After(since) {
			list = append(list, e)
		}
	}
	return list
}
