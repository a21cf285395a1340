// A full life of a service, as users of the AWS SDK for JavaScript write it: from an empty engine, and back.
import assert from "node:assert/strict";
import * as logs from "@aws-sdk/client-cloudwatch-logs";
import * as ecr from "@aws-sdk/client-ecr";
import * as ecs from "@aws-sdk/client-ecs";
import * as elb from "@aws-sdk/client-elastic-load-balancing-v2";

const options = { endpoint: process.argv[2], region: "us-east-1", credentials: { accessKeyId: "any", secretAccessKey: "any" } };
const [e, l, g, r] = [new ecs.ECSClient(options), new elb.ElasticLoadBalancingV2Client(options), new logs.CloudWatchLogsClient(options), new ecr.ECRClient(options)];
const soon = { minDelay: 1, maxDelay: 1, maxWaitTime: 60 };

// AWS sends these members, empty or not: programs read them without asking whether they are there.
function whole(thing, ...names) {
  for (const name of names) assert.notEqual(thing[name] ?? null, null, `${name} is missing from ${JSON.stringify(thing)}`);
  return thing;
}

async function all(pages, name) {
  const list = [];
  for await (const page of pages) list.push(...page[name]);
  return list;
}

async function define(text) {
  const { taskDefinition: d } = await e.send(new ecs.RegisterTaskDefinitionCommand({
    family: "web",
    networkMode: "bridge",
    containerDefinitions: [{
      name: "web", image: "web:1", cpu: 64, memory: 64, essential: true, portMappings: [{ containerPort: 8080, hostPort: 0 }],
      dockerLabels: { "slipway.script": `log "${text}"` },
      logConfiguration: { logDriver: "awslogs", options: { "awslogs-group": "/ecs/web", "awslogs-region": "us-east-1", "awslogs-stream-prefix": "web" } },
    }],
  }));
  whole(d, "volumes", "placementConstraints", "requiresAttributes", "compatibilities", "revision", "status", "registeredAt");
  whole(d.containerDefinitions[0], "environment", "mountPoints", "volumesFrom", "portMappings", "systemControls");
  assert.ok(d.registeredAt instanceof Date);
  return d.taskDefinitionArn;
}

async function described() {
  const { services: [s], failures } = await e.send(new ecs.DescribeServicesCommand({ cluster: "qa", services: ["web"], include: ["TAGS"] }));
  assert.deepEqual(failures, []);
  whole(s, "loadBalancers", "serviceRegistries", "events", "deployments", "placementConstraints", "placementStrategy", "runningCount", "pendingCount", "tags");
  for (const d of s.deployments) whole(d, "id", "failedTasks", "runningCount", "pendingCount", "desiredCount", "rolloutState", "createdAt");
  return s;
}

// The cluster.
const { cluster } = await e.send(new ecs.CreateClusterCommand({ clusterName: "qa" }));
whole(cluster, "settings", "capacityProviders", "defaultCapacityProviderStrategy", "statistics", "runningTasksCount", "activeServicesCount");
assert.equal(cluster.registeredContainerInstancesCount, 4);
const instances = await all(ecs.paginateListContainerInstances({ client: e, pageSize: 3 }, { cluster: "qa" }), "containerInstanceArns");
assert.equal(new Set(instances).size, 4);

// What it needs.
await g.send(new logs.CreateLogGroupCommand({ logGroupName: "/ecs/web" }));
whole((await r.send(new ecr.CreateRepositoryCommand({ repositoryName: "web" }))).repository, "repositoryUri", "createdAt");
const { LoadBalancers: [balancer] } = await l.send(new elb.CreateLoadBalancerCommand({ Name: "web", Subnets: ["subnet-1", "subnet-2"] }));
const { TargetGroups: [group] } = await l.send(new elb.CreateTargetGroupCommand({
  Name: "web", Protocol: "HTTP", Port: 80, VpcId: "vpc-1", TargetType: "instance", HealthCheckIntervalSeconds: 10, HealthyThresholdCount: 2,
}));
const { Listeners: [listener] } = await l.send(new elb.CreateListenerCommand({
  LoadBalancerArn: balancer.LoadBalancerArn, Protocol: "HTTP", Port: 80, DefaultActions: [{ Type: "forward", TargetGroupArn: group.TargetGroupArn }],
}));
await elb.waitUntilLoadBalancerAvailable({ client: l, ...soon }, { LoadBalancerArns: [balancer.LoadBalancerArn] });

// The service: created, stable, updated, stable.
const [first, second] = [await define("first"), await define("second")];
await e.send(new ecs.CreateServiceCommand({
  cluster: "qa", serviceName: "web", taskDefinition: first, desiredCount: 2, tags: [{ key: "team", value: "shop" }],
  loadBalancers: [{ targetGroupArn: group.TargetGroupArn, containerName: "web", containerPort: 8080 }],
}));
await ecs.waitUntilServicesStable({ client: e, ...soon }, { cluster: "qa", services: ["web"] });
assert.equal((await described()).taskDefinition, first);
await elb.waitUntilTargetInService({ client: l, ...soon }, { TargetGroupArn: group.TargetGroupArn });
await e.send(new ecs.UpdateServiceCommand({ cluster: "qa", service: "web", taskDefinition: second, desiredCount: 3 }));
await ecs.waitUntilServicesStable({ client: e, ...soon }, { cluster: "qa", services: ["web"] });
const service = await described();
assert.deepEqual([service.taskDefinition, service.runningCount, service.deployments.length], [second, 3, 1]);
assert.deepEqual(await all(ecs.paginateListServices({ client: e, pageSize: 1 }, { cluster: "qa" }), "serviceArns"), [service.serviceArn]);

// What the newest model knows and older clients don't.
const deployments = await e.send(new ecs.ListServiceDeploymentsCommand({ cluster: "qa", service: "web" }));
assert.equal(deployments.serviceDeployments.length, 2);
const { serviceDeployments: [latest] } = await e.send(new ecs.DescribeServiceDeploymentsCommand({
  serviceDeploymentArns: [deployments.serviceDeployments[0].serviceDeploymentArn],
}));
whole(latest, "status", "targetServiceRevision", "sourceServiceRevisions", "deploymentConfiguration", "createdAt");

// Its tasks, page by page.
const tasks = await all(ecs.paginateListTasks({ client: e, pageSize: 2 }, { cluster: "qa", serviceName: "web" }), "taskArns");
assert.equal(new Set(tasks).size, 3);
await ecs.waitUntilTasksRunning({ client: e, ...soon }, { cluster: "qa", tasks });
for (const t of (await e.send(new ecs.DescribeTasksCommand({ cluster: "qa", tasks }))).tasks) {
  whole(t, "attachments", "attributes", "containers", "overrides", "lastStatus", "startedBy", "group", "version", "startedAt");
  whole(t.containers[0], "networkInterfaces", "networkBindings", "healthStatus", "lastStatus");
}

// Tags.
await e.send(new ecs.TagResourceCommand({ resourceArn: service.serviceArn, tags: [{ key: "stage", value: "qa" }] }));
await e.send(new ecs.UntagResourceCommand({ resourceArn: service.serviceArn, tagKeys: ["team"] }));
assert.deepEqual((await e.send(new ecs.ListTagsForResourceCommand({ resourceArn: service.serviceArn }))).tags, [{ key: "stage", value: "qa" }]);

// One task by itself, until it is stopped.
const { tasks: [{ taskArn: alone }], failures } = await e.send(new ecs.RunTaskCommand({ cluster: "qa", taskDefinition: "web" }));
assert.deepEqual(failures, []);
await ecs.waitUntilTasksRunning({ client: e, ...soon }, { cluster: "qa", tasks: [alone] });
await e.send(new ecs.StopTaskCommand({ cluster: "qa", task: alone, reason: "enough" }));
await ecs.waitUntilTasksStopped({ client: e, ...soon }, { cluster: "qa", tasks: [alone] });
const { tasks: [stopped] } = await e.send(new ecs.DescribeTasksCommand({ cluster: "qa", tasks: [alone] }));
assert.deepEqual([stopped.stoppedReason, stopped.stopCode, stopped.containers[0].exitCode], ["enough", "UserInitiated", 0]);

// What the containers said.
const said = await all(logs.paginateFilterLogEvents({ client: g, pageSize: 2 }, { logGroupName: "/ecs/web" }), "events");
assert.deepEqual([...new Set(said.map((event) => event.message))].sort(), ["first", "second"]);

// Errors are the service's own.
await assert.rejects(e.send(new ecs.UpdateServiceCommand({ cluster: "qa", service: "nothing", desiredCount: 1 })), ecs.ServiceNotFoundException);

// And back.
await e.send(new ecs.DeleteServiceCommand({ cluster: "qa", service: "web", force: true }));
await ecs.waitUntilServicesInactive({ client: e, ...soon }, { cluster: "qa", services: ["web"] });
for (const taskDefinition of (await e.send(new ecs.ListTaskDefinitionsCommand({ familyPrefix: "web" }))).taskDefinitionArns) {
  await e.send(new ecs.DeregisterTaskDefinitionCommand({ taskDefinition }));
}
await l.send(new elb.DeleteListenerCommand({ ListenerArn: listener.ListenerArn }));
await l.send(new elb.DeleteLoadBalancerCommand({ LoadBalancerArn: balancer.LoadBalancerArn }));
await elb.waitUntilLoadBalancersDeleted({ client: l, ...soon }, { LoadBalancerArns: [balancer.LoadBalancerArn] });
await l.send(new elb.DeleteTargetGroupCommand({ TargetGroupArn: group.TargetGroupArn }));
await r.send(new ecr.DeleteRepositoryCommand({ repositoryName: "web", force: true }));
await g.send(new logs.DeleteLogGroupCommand({ logGroupName: "/ecs/web" }));
assert.equal((await e.send(new ecs.DeleteClusterCommand({ cluster: "qa" }))).cluster.status, "INACTIVE");
console.log("AWS SDK for JavaScript: done");
