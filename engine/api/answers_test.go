package api_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancing"
)

// The golden files of this test are what AWS CLI users and scripts see. They were compared by hand with answers of AWS:
// which members are there, which lists are [], what the defaults are. Whoever changes one says why.
func TestAnswersToAServiceOnInstancesAreThoseOfAWS(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.classic("web", 1234)
	h.golden("elb-create.xml")
	cluster, err := h.ecs.CreateCluster(t.Context(), &ecs.CreateClusterInput{ClusterName: aws.String("default")})
	must(h, cluster, err)
	h.golden("create-cluster.json")

	definition := h.register("web", func(in *ecs.RegisterTaskDefinitionInput) {
		in.ContainerDefinitions[0].PortMappings = []types.PortMapping{{ContainerPort: aws.Int32(8080), HostPort: aws.Int32(1234)}}
	})
	h.golden("register-bridge.json")
	h.create("default", "web", definition, func(in *ecs.CreateServiceInput) {
		in.Role, in.DesiredCount = aws.String("ecsServiceRole"), aws.Int32(1)
		in.LoadBalancers = []types.LoadBalancer{{LoadBalancerName: aws.String("web"), ContainerName: aws.String("app"), ContainerPort: aws.Int32(8080)}}
		in.DeploymentConfiguration = &types.DeploymentConfiguration{MinimumHealthyPercent: aws.Int32(25)}
		in.Tags = []types.Tag{{Key: aws.String("team"), Value: aws.String("hid")}}
	})
	h.golden("create-service-classic.json")

	h.stable("default", "web")
	h.completed("default", "web")
	services := &ecs.DescribeServicesInput{Services: []string{"web"}}
	described, err := h.ecs.DescribeServices(t.Context(), services)
	must(h, described, err)
	h.golden("describe-services-stable.json")

	balancer, err := h.elb.DescribeLoadBalancers(t.Context(), &elb.DescribeLoadBalancersInput{})
	must(h, balancer, err)
	h.golden("elb-describe.xml")

	list, err := h.ecs.ListTasks(t.Context(), &ecs.ListTasksInput{ServiceName: aws.String("web")})
	must(h, list, err)
	h.golden("list-tasks.json")
	tasks, err := h.ecs.DescribeTasks(t.Context(), &ecs.DescribeTasksInput{Tasks: list.TaskArns[:1]})
	must(h, tasks, err)
	h.golden("describe-tasks-running.json")

	history, err := h.ecs.ListServiceDeployments(t.Context(), &ecs.ListServiceDeploymentsInput{Service: aws.String("web")})
	must(h, history, err)
	h.golden("list-service-deployments.json")
	deployments, err := h.ecs.DescribeServiceDeployments(t.Context(), &ecs.DescribeServiceDeploymentsInput{
		ServiceDeploymentArns: []string{*history.ServiceDeployments[0].ServiceDeploymentArn},
	})
	must(h, deployments, err)
	h.golden("describe-service-deployments.json")
	revisions, err := h.ecs.DescribeServiceRevisions(t.Context(), &ecs.DescribeServiceRevisionsInput{
		ServiceRevisionArns: []string{*history.ServiceDeployments[0].TargetServiceRevisionArn},
	})
	must(h, revisions, err)
	h.golden("describe-service-revisions.json")

	instances, err := h.ecs.ListContainerInstances(t.Context(), &ecs.ListContainerInstancesInput{})
	must(h, instances, err)
	h.golden("list-container-instances.json")
}

func TestAnswersToAServiceOnFargateAreThoseOfAWS(t *testing.T) {
	t.Parallel()
	h := newStillHouse(t)
	definition := h.register("job", func(in *ecs.RegisterTaskDefinitionInput) {
		in.NetworkMode, in.RequiresCompatibilities = types.NetworkModeAwsvpc, []types.Compatibility{types.CompatibilityFargate}
		in.Cpu, in.Memory = aws.String(".25 vCPU"), aws.String("0.5GB")
		in.TaskRoleArn, in.ExecutionRoleArn = aws.String("arn:aws:iam::000000000000:role/task"), aws.String("arn:aws:iam::000000000000:role/exec")
		c := &in.ContainerDefinitions[0]
		c.Memory = nil
		c.Image = aws.String("000000000000.dkr.ecr.us-east-1.amazonaws.com/job:1")
		c.LogConfiguration = &types.LogConfiguration{LogDriver: types.LogDriverAwslogs, Options: map[string]string{"awslogs-group": "g", "awslogs-region": "us-east-1", "awslogs-stream-prefix": "ecs", "awslogs-create-group": "true"}}
		c.HealthCheck = &types.HealthCheck{Command: []string{"CMD", "true"}}
		in.Volumes = []types.Volume{{Name: aws.String("scratch")}}
	})
	h.golden("register-fargate.json")
	network := &types.NetworkConfiguration{AwsvpcConfiguration: &types.AwsVpcConfiguration{Subnets: []string{"subnet-1"}}}
	h.create("default", "job", definition, func(in *ecs.CreateServiceInput) {
		in.LaunchType, in.NetworkConfiguration, in.DesiredCount = types.LaunchTypeFargate, network, aws.Int32(0)
	})
	h.golden("create-service-fargate.json")
	ran, err := h.ecs.RunTask(t.Context(), &ecs.RunTaskInput{
		TaskDefinition: aws.String("job"), LaunchType: types.LaunchTypeFargate, NetworkConfiguration: network,
	})
	must(h, ran, err)
	h.golden("run-task-fargate.json")
	updated, err := h.ecs.UpdateService(t.Context(), &ecs.UpdateServiceInput{Service: aws.String("job"), ForceNewDeployment: true})
	must(h, updated, err)
	h.golden("update-service-forced.json")
}
