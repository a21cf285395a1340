package api_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// call sends a request that no SDK would: AWS JSON as it stands. It returns the error's code and message, empty for none.
func (h *house) call(operation, body string) (code, message string) {
	h.Helper()
	request, err := http.NewRequestWithContext(h.Context(), http.MethodPost, h.server.URL, strings.NewReader(body))
	must(h, request, err)
	request.Header.Set("X-Amz-Target", "AmazonEC2ContainerServiceV20141113."+operation)
	request.Header.Set("Content-Type", "application/x-amz-json-1.1")
	response, err := http.DefaultClient.Do(request)
	must(h, response, err)
	defer response.Body.Close()
	var out bytes.Buffer
	if _, err := out.ReadFrom(response.Body); err != nil {
		h.Fatal(err)
	}
	var answer struct {
		Type    string `json:"__type"`
		Message string
	}
	if err := json.Unmarshal(out.Bytes(), &answer); err != nil {
		h.Fatalf("%v: %s", err, out.String())
	}
	return answer.Type, answer.Message
}

// refused says what each request is answered with: operation, body, "Code: message".
type refused struct{ name, operation, body, want string }

func (h *house) refuses(list []refused) {
	h.Helper()
	for _, tc := range list {
		h.Run(tc.name, func(t *testing.T) {
			inner := *h
			inner.T = t
			code, message := inner.call(tc.operation, tc.body)
			if got := code + ": " + message; got != tc.want {
				t.Errorf("answer:\n  %s\nexpected:\n  %s", got, tc.want)
			}
		})
	}
}

func TestTaskDefinitionsThatAWSRefusesAreRefusedInItsWords(t *testing.T) {
	t.Parallel()
	h := newStillHouse(t)
	const c = `"name":"app","image":"web:1"`
	one := func(container string) string { return `{"family":"web","containerDefinitions":[{` + container + `}]}` }
	task := func(task, container string) string {
		return `{"family":"web",` + task + `,"containerDefinitions":[{` + container + `}]}`
	}
	two := func(first, second string) string {
		return `{"family":"web","containerDefinitions":[{` + first + `},{` + second + `}]}`
	}
	list := []refused{
		{name: "no family", body: `{"containerDefinitions":[]}`, want: "InvalidParameterException: 1 validation error detected: Value null at 'family' failed to satisfy constraint: Member must not be null"},
		{name: "nothing", body: `{}`, want: "InvalidParameterException: 2 validation errors detected: Value null at 'family' failed to satisfy constraint: Member must not be null; Value null at 'containerDefinitions' failed to satisfy constraint: Member must not be null"},
		{name: "bad family", body: `{"family":"a b","containerDefinitions":[{` + c + `}]}`, want: "ClientException: Family contains invalid characters."},
		{name: "no containers", body: `{"family":"web","containerDefinitions":[]}`, want: "ClientException: Container list cannot be empty."},
		{name: "eleven containers", body: `{"family":"web","containerDefinitions":[{}` + strings.Repeat(`,{}`, 10) + `]}`, want: "ClientException: Too many containers."},
		{name: "no name", body: one(`"image":"web:1","memory":64`), want: "ClientException: Container.name should not be null or empty."},
		{name: "bad name", body: one(`"name":"a b","image":"web:1","memory":64`), want: "ClientException: Container.name contains invalid characters."},
		{name: "no image", body: one(`"name":"app","memory":64`), want: "ClientException: Container.image should not be null or empty."},
		{name: "no memory", body: one(c), want: "ClientException: Invalid setting for container 'app'. At least one of 'memory' or 'memoryReservation' must be specified."},
		{name: "little memory", body: one(c + `,"memory":5`), want: "ClientException: Invalid setting for container 'app'. 'memory' must be at least 6 MiB."},
		{name: "more reserved than allowed", body: one(c + `,"memory":64,"memoryReservation":65`), want: "ClientException: Invalid setting for container 'app'. The 'memory' must be greater than or equal to 'memoryReservation'."},
		{name: "more than the task", body: task(`"memory":"32"`, c+`,"memory":64`), want: "ClientException: The 'memory' setting for container 'app' is greater than for the task."},
		{name: "more reserved than the task has", body: task(`"memory":"32"`, c+`,"memoryReservation":64`), want: "ClientException: The sum of all container 'memoryReservation' values cannot be greater than the value of the task 'memory'."},
		{name: "more CPU than the task has", body: task(`"cpu":"128"`, c+`,"memory":64,"cpu":129`), want: "ClientException: The sum of all container 'cpu' values cannot be greater than the value of the task 'cpu'."},
		{name: "CPU that is none", body: task(`"cpu":"much"`, c+`,"memory":64`), want: "ClientException: Invalid 'cpu' setting for task. The value must be between 128 and 196608 CPU units."},
		{name: "memory that is none", body: task(`"memory":"much"`, c), want: "ClientException: Invalid 'memory' setting for task. The value must be a number of MiB, or of GB with the suffix GB."},
		{name: "twice the name", body: two(c+`,"memory":64`, c+`,"memory":64`), want: "ClientException: Duplicate container name 'app'."},
		{name: "nothing essential", body: one(c + `,"memory":64,"essential":false`), want: "ClientException: Task definition doesn't have any essential container."},
		{name: "short stop timeout", body: one(c + `,"memory":64,"stopTimeout":1`), want: "ClientException: Granular stop timeout on container 'app' must be at least 2 seconds."},
		{name: "port 0", body: one(c + `,"memory":64,"portMappings":[{"containerPort":0}]`), want: "ClientException: Invalid 'containerPort' setting for container 'app'."},
		{name: "host port too large", body: one(c + `,"memory":64,"portMappings":[{"containerPort":80,"hostPort":65536}]`), want: "ClientException: Invalid 'hostPort' setting for container 'app'."},
		{name: "other host port with awsvpc", body: task(`"networkMode":"awsvpc"`, c+`,"memory":64,"portMappings":[{"containerPort":80,"hostPort":81}]`), want: "ClientException: When networkMode=awsvpc, the host ports and container ports in port mappings must match."},
		{name: "port range", body: one(c + `,"memory":64,"portMappings":[{"containerPortRange":"80-90"}]`), want: "ClientException: Invalid 'containerPortRange' setting for container 'app'. Port ranges are not served by this engine: list the ports."},
		{name: "health check without command", body: one(c + `,"memory":64,"healthCheck":{"command":[]}`), want: "ClientException: Container 'app' health check command must not be empty."},
		{name: "health check interval", body: one(c + `,"memory":64,"healthCheck":{"command":["CMD","x"],"interval":4}`), want: "ClientException: Container 'app' health check interval must be between 5 and 300 seconds."},
		{name: "health check timeout", body: one(c + `,"memory":64,"healthCheck":{"command":["CMD","x"],"timeout":61}`), want: "ClientException: Container 'app' health check timeout must be between 2 and 60 seconds."},
		{name: "health check retries", body: one(c + `,"memory":64,"healthCheck":{"command":["CMD","x"],"retries":11}`), want: "ClientException: Container 'app' health check retries must be between 1 and 10."},
		{name: "health check start period", body: one(c + `,"memory":64,"healthCheck":{"command":["CMD","x"],"startPeriod":301}`), want: "ClientException: Container 'app' health check startPeriod must be between 0 and 300 seconds."},
		{name: "no volume", body: one(c + `,"memory":64,"mountPoints":[{"sourceVolume":"v","containerPath":"/v"}]`), want: "ClientException: Unknown volume 'v'."},
		{name: "relative path", body: task(`"volumes":[{"name":"v"}]`, c+`,"memory":64,"mountPoints":[{"sourceVolume":"v","containerPath":"v"}]`), want: "ClientException: The containerPath 'v' of container 'app' must be an absolute path."},
		{name: "two volumes of a name", body: task(`"volumes":[{"name":"v"},{"name":"v"}]`, c+`,"memory":64`), want: "ClientException: Duplicate volume name 'v'."},
		{name: "volume for Windows", body: task(`"volumes":[{"name":"v","fsxWindowsFileServerVolumeConfiguration":{"fileSystemId":"fs-1","rootDirectory":"/","authorizationConfig":{"credentialsParameter":"c","domain":"d"}}}]`, c+`,"memory":64`), want: "ClientException: The volume 'v' is of a kind that is not served by this engine: use host, dockerVolumeConfiguration or efsVolumeConfiguration."},
		{name: "file system outside", body: task(`"volumes":[{"name":"v","efsVolumeConfiguration":{"fileSystemId":"../x"}}]`, c+`,"memory":64`), want: "ClientException: Invalid fileSystemId '../x' of volume 'v'."},
		{name: "link to nobody", body: one(c + `,"memory":64,"links":["db:database"]`), want: "ClientException: Container 'app' is linked to container 'db' or has its volumes, which is not another one of the task definition."},
		{name: "link with awsvpc", body: task(`"networkMode":"awsvpc"`, c+`,"memory":64,"links":["db"]`), want: "ClientException: Links are not supported when networkMode=awsvpc."},
		{name: "environment file that is none", body: one(c + `,"memory":64,"environmentFiles":[{"type":"s3","value":"arn:aws:s3:::b/web.txt"}]`), want: "ClientException: Invalid environment file 'arn:aws:s3:::b/web.txt' for container 'app'. It must have the extension .env."},
		{name: "secret and variable of a name", body: one(c + `,"memory":64,"environment":[{"name":"A","value":"1"}],"secrets":[{"name":"A","valueFrom":"a"}]`), want: "ClientException: The secret name must be unique and not shared with any new or existing environment variables set on the container, such as 'A'."},
		{name: "depends on nobody", body: one(c + `,"memory":64,"dependsOn":[{"containerName":"db","condition":"START"}]`), want: "ClientException: Container 'app' depends on container 'db', which is not in the task definition."},
		{name: "depends on the success of an essential one", body: two(c+`,"memory":64,"dependsOn":[{"containerName":"db","condition":"SUCCESS"}]`, `"name":"db","image":"db","memory":64`), want: "ClientException: A dependency container with SUCCESS or COMPLETE condition cannot be an essential container"},
		{name: "depends on health that nobody checks", body: two(c+`,"memory":64,"dependsOn":[{"containerName":"db","condition":"HEALTHY"}]`, `"name":"db","image":"db","memory":64`), want: "ClientException: A dependency container with HEALTHY condition must have health check configured"},
		{name: "depend on each other", body: two(c+`,"memory":64,"dependsOn":[{"containerName":"db","condition":"START"}]`, `"name":"db","image":"db","memory":64,"dependsOn":[{"containerName":"app","condition":"START"}]`), want: "ClientException: Container dependencies form a cycle at container 'app'."},
		{name: "logs without group", body: one(c + `,"memory":64,"logConfiguration":{"logDriver":"awslogs"}`), want: "ClientException: Log driver awslogs requires options: awslogs-region, awslogs-group"},
		{name: "Fargate without awsvpc", body: task(`"requiresCompatibilities":["FARGATE"]`, c+`,"memory":64`), want: "ClientException: Fargate only supports network mode ‘awsvpc’."},
		{name: "Fargate without CPU", body: task(`"requiresCompatibilities":["FARGATE"],"networkMode":"awsvpc"`, c+`,"memory":64`), want: "ClientException: Fargate requires that 'cpu' be defined at the task level."},
		{name: "Fargate without memory", body: task(`"requiresCompatibilities":["FARGATE"],"networkMode":"awsvpc","cpu":"256"`, c+`,"memory":64`), want: "ClientException: Fargate requires that 'memory' be defined at the task level."},
		{name: "Fargate with a pair that it hasn't", body: task(`"requiresCompatibilities":["FARGATE"],"networkMode":"awsvpc","cpu":".25 vCPU","memory":"4GB"`, c), want: "ClientException: No Fargate configuration exists for given values: 256 CPU, 4096 memory. See the Amazon ECS documentation for the valid values."},
		{name: "Fargate logs without role", body: task(`"requiresCompatibilities":["FARGATE"],"networkMode":"awsvpc","cpu":"256","memory":"512"`, c+`,"logConfiguration":{"logDriver":"awslogs","options":{"awslogs-region":"r","awslogs-group":"g"}}`), want: "ClientException: Fargate requires task definition to have execution role ARN to support log driver awslogs."},
	}
	for i := range list {
		list[i].operation = "RegisterTaskDefinition"
	}
	h.refuses(list)
}

func TestServicesThatAWSRefusesAreRefusedInItsWords(t *testing.T) {
	t.Parallel()
	h := newStillHouse(t)
	h.register("web", func(in *ecs.RegisterTaskDefinitionInput) {
		in.ContainerDefinitions[0].PortMappings = []types.PortMapping{{ContainerPort: aws.Int32(80), HostPort: aws.Int32(1234)}}
	})
	h.register("vpc", func(in *ecs.RegisterTaskDefinitionInput) { in.NetworkMode = types.NetworkModeAwsvpc })
	gone := h.register("gone", nil)
	_, err := h.ecs.DeregisterTaskDefinition(t.Context(), &ecs.DeregisterTaskDefinitionInput{TaskDefinition: &gone})
	must(h, 0, err)
	h.create("default", "there", "web", nil)
	h.classic("web", 1234)
	h.classic("other", 4321)

	service := func(more string) string {
		return `{"serviceName":"s","taskDefinition":"web","desiredCount":1` + more + `}`
	}
	balanced := func(lb string) string { return service(`,"loadBalancers":[{` + lb + `}]`) }
	h.refuses([]refused{
		{"no name", "CreateService", `{}`, "InvalidParameterException: 1 validation error detected: Value null at 'serviceName' failed to satisfy constraint: Member must not be null"},
		{"bad name", "CreateService", `{"serviceName":"a b"}`, `InvalidParameterException: Service name must match ^[a-zA-Z0-9\-_]{1,255}$, but was a b`},
		{"no task definition", "CreateService", `{"serviceName":"s","desiredCount":1}`, "InvalidParameterException: TaskDefinition can not be blank."},
		{"no count", "CreateService", `{"serviceName":"s","taskDefinition":"web"}`, "InvalidParameterException: DesiredCount is missing"},
		{"negative count", "CreateService", `{"serviceName":"s","taskDefinition":"web","desiredCount":-1}`, "InvalidParameterException: DesiredCount can not be lesser than 0"},
		{"long token", "CreateService", service(`,"clientToken":"` + strings.Repeat("x", 37) + `"`), "InvalidParameterException: idempotency token longer than 36."},
		{"unknown cluster", "CreateService", service(`,"cluster":"nope"`), "ClusterNotFoundException: Cluster not found."},
		{"bad cluster", "CreateService", service(`,"cluster":"a b"`), `InvalidParameterException: Cluster must match ^[a-zA-Z0-9\-_]{1,255}$, but was a b`},
		{"unknown task definition", "CreateService", `{"serviceName":"s","taskDefinition":"nope","desiredCount":1}`, "ClientException: TaskDefinition not found."},
		{"inactive task definition", "CreateService", `{"serviceName":"s","taskDefinition":"gone:1","desiredCount":1}`, "ClientException: TaskDefinition is inactive"},
		{"the name is taken", "CreateService", `{"serviceName":"there","taskDefinition":"web","desiredCount":2}`, "InvalidParameterException: Creation of service was not idempotent."},
		{"daemon with a count", "CreateService", service(`,"schedulingStrategy":"DAEMON"`), "InvalidParameterException: The daemon scheduling strategy does not support a desired count for services. Remove the desired count value and try again"},
		{"daemon on Fargate", "CreateService", `{"serviceName":"s","taskDefinition":"web","schedulingStrategy":"DAEMON","launchType":"FARGATE"}`, "InvalidParameterException: The daemon scheduling strategy is not supported with the FARGATE launch type."},
		{"launch type and strategy", "CreateService", service(`,"launchType":"EC2","capacityProviderStrategy":[{"capacityProvider":"FARGATE"}]`), "InvalidParameterException: Specifying both a launch type and capacity provider strategy is not supported. Remove one and try again."},
		{"external", "CreateService", service(`,"launchType":"EXTERNAL"`), "UnsupportedFeatureException: The launch type EXTERNAL is not served by this engine."},
		{"capacity provider of no cluster", "CreateService", service(`,"capacityProviderStrategy":[{"capacityProvider":"FARGATE"}]`), "InvalidParameterException: The specified capacity provider strategy cannot contain a capacity provider that is not associated with the cluster. Associate the capacity provider with the cluster and try again."},
		{"not for Fargate", "CreateService", service(`,"launchType":"FARGATE"`), "InvalidParameterException: Task definition does not support launch_type FARGATE."},
		{"awsvpc without network", "CreateService", `{"serviceName":"s","taskDefinition":"vpc","desiredCount":1}`, "InvalidParameterException: Network Configuration must be provided when networkMode 'awsvpc' is specified."},
		{"network without awsvpc", "CreateService", service(`,"networkConfiguration":{"awsvpcConfiguration":{"subnets":["s"]}}`), "InvalidParameterException: Network Configuration is not valid for the given networkMode of this task definition."},
		{"CodeDeploy", "CreateService", service(`,"deploymentController":{"type":"CODE_DEPLOY"}`), "InvalidParameterException: A load balancer must be specified for services with a CODE_DEPLOY deployment controller."},
		{"blue/green", "CreateService", service(`,"deploymentConfiguration":{"strategy":"BLUE_GREEN"}`), "InvalidParameterException: bakeTimeInMinutes is required when the deployment strategy is BLUE_GREEN."},
		{"alarms", "CreateService", service(`,"deploymentConfiguration":{"alarms":{"alarmNames":[],"enable":true,"rollback":true}}`), "InvalidParameterException: alarmNames cannot be empty when deployment alarms are enabled."},
		{"Service Connect", "CreateService", service(`,"serviceConnectConfiguration":{"enabled":true}`), "UnsupportedFeatureException: Service Connect is not served by this engine. Leave serviceConnectConfiguration out."},
		{"service registry", "CreateService", service(`,"serviceRegistries":[{"registryArn":"a"}]`), "InvalidParameterException: The service registry a does not exist."},
		{"minimum above 100", "CreateService", service(`,"deploymentConfiguration":{"minimumHealthyPercent":101}`), "InvalidParameterException: minimumHealthyPercent must be between 0 and 100."},
		{"maximum below 100", "CreateService", service(`,"deploymentConfiguration":{"maximumPercent":99}`), "InvalidParameterException: maximumPercent must be at least 100."},
		{"no room to deploy", "CreateService", service(`,"deploymentConfiguration":{"maximumPercent":100,"minimumHealthyPercent":100}`), "InvalidParameterException: Both maximumPercent and minimumHealthyPercent cannot be 100 as this will block deployments."},
		{"rebalancing", "CreateService", service(`,"availabilityZoneRebalancing":"ENABLED","deploymentConfiguration":{"maximumPercent":100,"minimumHealthyPercent":0}`), "InvalidParameterException: Availability Zone Rebalancing does not support maximumPercent <= 100 % as deployment configuration."},
		{"threshold", "CreateService", service(`,"deploymentConfiguration":{"deploymentCircuitBreaker":{"enable":true,"rollback":true,"thresholdConfiguration":{"type":"BOUNDED_PERCENT","value":101}}}`), "InvalidParameterException: The threshold value must be between 1 and 100."},
		{"unknown container", "CreateService", balanced(`"loadBalancerName":"web","containerName":"nope","containerPort":80`), "InvalidParameterException: The container nope does not exist in the task definition."},
		{"unknown container port", "CreateService", balanced(`"loadBalancerName":"web","containerName":"app","containerPort":81`), "InvalidParameterException: The container app did not have a container port 81 defined."},
		{"unknown load balancer", "CreateService", balanced(`"loadBalancerName":"nope","containerName":"app","containerPort":80`), "InvalidParameterException: There is no ACTIVE Load Balancer named 'nope'"},
		{"load balancer that sends elsewhere", "CreateService", balanced(`"loadBalancerName":"other","containerName":"app","containerPort":80`), "InvalidParameterException: The load balancer other does not have a listener whose instance port is 1234, the host port of container port 80."},
		{"unknown target group", "CreateService", balanced(`"targetGroupArn":"arn:x","containerName":"app","containerPort":80`), "InvalidParameterException: The specified target group does not exist. (arn:x)"},
		{"neither kind of balancer", "CreateService", balanced(`"containerName":"app","containerPort":80`), "InvalidParameterException: Either loadBalancerName or targetGroupArn must be given."},

		{"update of nothing", "UpdateService", `{"service":"nope"}`, "ServiceNotFoundException: Service not found."},
		{"update to a negative count", "UpdateService", `{"service":"there","desiredCount":-1}`, "InvalidParameterException: Task count can not be lesser than 0"},
		{"update to an unknown task definition", "UpdateService", `{"service":"there","taskDefinition":"nope"}`, "ClientException: TaskDefinition not found."},
		{"update to an inactive task definition", "UpdateService", `{"service":"there","taskDefinition":"gone:1"}`, "ClientException: TaskDefinition is inactive"},
		{"update of another cluster's", "UpdateService", `{"service":"arn:aws:ecs:us-east-1:000000000000:service/qa/there"}`, "InvalidParameterException: Invalid identifier: Identifier is for cluster qa. Your cluster is default"},
		{"delete while it is wanted", "DeleteService", `{"service":"there"}`, "InvalidParameterException: The service cannot be stopped while it is scaled above 0."},
		{"delete of nothing", "DeleteService", `{"service":"nope"}`, "ServiceNotFoundException: Service not found."},
		{"describe nothing", "DescribeServices", `{"services":[]}`, "InvalidParameterException: Services cannot be empty."},
		{"describe eleven", "DescribeServices", `{"services":["a","b","c","d","e","f","g","h","i","j","k"]}`, "InvalidParameterException: Services cannot have more than 10 elements."},
		{"describe in no cluster", "DescribeServices", `{"cluster":"nope","services":["a"]}`, "ClusterNotFoundException: Cluster not found."},
		{"a page too large", "ListServices", `{"maxResults":101}`, "InvalidParameterException: maxResults must be between 1 and 100."},
		{"a token of nobody", "ListServices", `{"nextToken":"%%"}`, "InvalidParameterException: Invalid token"},

		{"eleven tasks", "RunTask", `{"taskDefinition":"web","count":11}`, "InvalidParameterException: Task count must be between 1 and 10."},
		{"long token for a task", "RunTask", `{"taskDefinition":"web","clientToken":"` + strings.Repeat("x", 65) + `"}`, "InvalidParameterException: clientToken can be at most 64 characters."},
		{"a task of nothing", "RunTask", `{"taskDefinition":"nope"}`, "ClientException: TaskDefinition not found."},
		{"override of nobody", "RunTask", `{"taskDefinition":"web","overrides":{"containerOverrides":[{"name":"nope"}]}}`, "InvalidParameterException: Override for container named nope is not a container in the TaskDefinition."},
		{"task with awsvpc without network", "RunTask", `{"taskDefinition":"vpc"}`, "InvalidParameterException: Network Configuration must be provided when networkMode 'awsvpc' is specified."},
		{"stop of nothing", "StopTask", `{"task":"nope"}`, "InvalidParameterException: The referenced task was not found."},
		{"describe no tasks", "DescribeTasks", `{"tasks":[]}`, "InvalidParameterException: Tasks cannot be empty."},
		{"tasks of no service", "ListTasks", `{"serviceName":"nope"}`, "ServiceNotFoundException: Service not found."},
		{"describe an unknown task definition", "DescribeTaskDefinition", `{"taskDefinition":"nope"}`, "ClientException: Unable to describe task definition."},
		{"deregister a family", "DeregisterTaskDefinition", `{"taskDefinition":"web"}`, "ClientException: Revision is missing."},
		{"cluster with a bad name", "CreateCluster", `{"clusterName":"a b"}`, `InvalidParameterException: Cluster must match ^[a-zA-Z0-9\-_]{1,255}$, but was a b`},
		{"cluster with an unknown capacity provider", "CreateCluster", `{"clusterName":"x","capacityProviders":["mine"]}`, "InvalidParameterException: The specified capacity provider 'mine' was not found. Specify a valid name or ARN and try again."},
		{"cluster with services", "DeleteCluster", `{"cluster":"default"}`, "ClusterContainsServicesException: The Cluster cannot be deleted while Services are active."},
		{"tags of nothing", "ListTagsForResource", `{"resourceArn":"arn:aws:ecs:us-east-1:000000000000:service/default/nope"}`, "ResourceNotFoundException: The specified resource was not found: arn:aws:ecs:us-east-1:000000000000:service/default/nope"},
		{"an operation of next year", "FlyService", `{}`, `UnknownOperationException: The operation "FlyService" of AmazonEC2ContainerServiceV20141113 is not served here. The page docs/reference/engine.md lists what is.`},
	})
}

func TestUnknownQueryOperationIsNamed(t *testing.T) {
	t.Parallel()
	h := newStillHouse(t)
	for version, action := range map[string]string{"2012-06-01": "Fly", "2015-12-01": "Swim", "2011-06-15": "GetSessionToken"} {
		response, err := http.Post(h.server.URL, "application/x-www-form-urlencoded", strings.NewReader("Action="+action+"&Version="+version))
		must(h, response, err)
		var out bytes.Buffer
		_, err = out.ReadFrom(response.Body)
		must(h, 0, err)
		response.Body.Close()
		if want := "<Message>Could not find operation " + action + " for version " + version + "</Message>"; !strings.Contains(out.String(), want) {
			t.Errorf("%s: %s", action, out.String())
		}
	}
}
