"""A full life of a service, as users of boto3 write it: from an empty engine, and back. It fails by an exception."""

import sys

import boto3

endpoint, = sys.argv[1:]


def client(name):
    return boto3.client(name, endpoint_url=endpoint, region_name="us-east-1", aws_access_key_id="any", aws_secret_access_key="any")


ecs, elb, logs, ecr = client("ecs"), client("elbv2"), client("logs"), client("ecr")
SOON = {"Delay": 1, "MaxAttempts": 60}


def whole(thing, *names):
    """AWS sends these members, empty or not: programs read them without asking whether they are there."""
    for name in names:
        assert thing.get(name) is not None, f"{name} is missing from {thing}"
    return thing


def wait(waiter, **arguments):
    ecs.get_waiter(waiter).wait(WaiterConfig=SOON, **arguments)


def define(text):
    answer = ecs.register_task_definition(
        family="web",
        networkMode="bridge",
        containerDefinitions=[{
            "name": "web", "image": "web:1", "cpu": 64, "memory": 64, "essential": True,
            "portMappings": [{"containerPort": 8080, "hostPort": 0}],
            "dockerLabels": {"slipway.script": f'log "{text}"'},
            "logConfiguration": {"logDriver": "awslogs", "options": {
                "awslogs-group": "/ecs/web", "awslogs-region": "us-east-1", "awslogs-stream-prefix": "web"}},
        }],
        tags=[{"key": "team", "value": "shop"}],
    )
    definition = whole(answer["taskDefinition"], "volumes", "placementConstraints", "requiresAttributes", "compatibilities", "revision", "status")
    whole(definition["containerDefinitions"][0], "environment", "mountPoints", "volumesFrom", "portMappings", "systemControls")
    return definition["taskDefinitionArn"]


def described():
    answer = ecs.describe_services(cluster="qa", services=["web"], include=["TAGS"])
    assert answer["failures"] == []
    service = whole(answer["services"][0], "loadBalancers", "serviceRegistries", "events", "deployments", "placementConstraints",
                    "placementStrategy", "runningCount", "pendingCount", "desiredCount", "tags", "schedulingStrategy")
    for deployment in service["deployments"]:
        whole(deployment, "id", "failedTasks", "runningCount", "pendingCount", "desiredCount", "rolloutState", "rolloutStateReason")
    return service


# The cluster.
cluster = whole(ecs.create_cluster(clusterName="qa", tags=[{"key": "team", "value": "shop"}])["cluster"],
                "settings", "capacityProviders", "defaultCapacityProviderStrategy", "statistics", "tags",
                "runningTasksCount", "pendingTasksCount", "activeServicesCount", "registeredContainerInstancesCount")
assert cluster["status"] == "ACTIVE" and cluster["registeredContainerInstancesCount"] == 4, cluster
assert [c["clusterName"] for c in ecs.describe_clusters(clusters=["qa"])["clusters"]] == ["qa"]
instances = [arn for page in ecs.get_paginator("list_container_instances").paginate(cluster="qa", PaginationConfig={"PageSize": 3})
             for arn in page["containerInstanceArns"]]
assert len(set(instances)) == 4, instances

# What it needs: a log group, a repository, a load balancer.
logs.create_log_group(logGroupName="/ecs/web")
repository = ecr.create_repository(repositoryName="web")["repository"]
whole(repository, "repositoryUri", "createdAt", "imageTagMutability")
balancer = elb.create_load_balancer(Name="web", Subnets=["subnet-1", "subnet-2"])["LoadBalancers"][0]
group = elb.create_target_group(Name="web", Protocol="HTTP", Port=80, VpcId="vpc-1", TargetType="instance",
                                HealthCheckIntervalSeconds=10, HealthyThresholdCount=2)["TargetGroups"][0]
listener = elb.create_listener(LoadBalancerArn=balancer["LoadBalancerArn"], Protocol="HTTP", Port=80,
                               DefaultActions=[{"Type": "forward", "TargetGroupArn": group["TargetGroupArn"]}])["Listeners"][0]
elb.get_waiter("load_balancer_available").wait(LoadBalancerArns=[balancer["LoadBalancerArn"]], WaiterConfig=SOON)

# The service: created, stable, updated, stable.
first, second = define("first"), define("second")
assert second.endswith("web:2"), second
created = ecs.create_service(
    cluster="qa", serviceName="web", taskDefinition=first, desiredCount=2, propagateTags="SERVICE",
    loadBalancers=[{"targetGroupArn": group["TargetGroupArn"], "containerName": "web", "containerPort": 8080}],
    tags=[{"key": "team", "value": "shop"}])["service"]
assert created["status"] == "ACTIVE" and created["desiredCount"] == 2 and created["tags"], created
wait("services_stable", cluster="qa", services=["web"])
assert described()["taskDefinition"] == first
elb.get_waiter("target_in_service").wait(TargetGroupArn=group["TargetGroupArn"], WaiterConfig=SOON)
ecs.update_service(cluster="qa", service="web", taskDefinition=second, desiredCount=3)
wait("services_stable", cluster="qa", services=["web"])
service = described()
assert service["taskDefinition"] == second and service["runningCount"] == 3 and len(service["deployments"]) == 1, service
assert len(elb.describe_target_health(TargetGroupArn=group["TargetGroupArn"])["TargetHealthDescriptions"]) >= 3
names = [arn for page in ecs.get_paginator("list_services").paginate(cluster="qa", PaginationConfig={"PageSize": 1})
         for arn in page["serviceArns"]]
assert names == [service["serviceArn"]], names

# Its tasks, page by page.
tasks = [arn for page in ecs.get_paginator("list_tasks").paginate(cluster="qa", serviceName="web", PaginationConfig={"PageSize": 2})
         for arn in page["taskArns"]]
assert len(set(tasks)) == 3, tasks
wait("tasks_running", cluster="qa", tasks=tasks)
for task in ecs.describe_tasks(cluster="qa", tasks=tasks, include=["TAGS"])["tasks"]:
    whole(task, "attachments", "attributes", "containers", "overrides", "tags", "lastStatus", "startedBy", "group", "version", "startedAt")
    assert {"key": "team", "value": "shop"} in task["tags"], task
    whole(task["containers"][0], "networkInterfaces", "networkBindings", "healthStatus", "lastStatus", "cpu")

# Tags.
ecs.tag_resource(resourceArn=service["serviceArn"], tags=[{"key": "stage", "value": "qa"}])
ecs.untag_resource(resourceArn=service["serviceArn"], tagKeys=["team"])
assert ecs.list_tags_for_resource(resourceArn=service["serviceArn"])["tags"] == [{"key": "stage", "value": "qa"}]

# One task by itself, until it is stopped.
answer = ecs.run_task(cluster="qa", taskDefinition="web", startedBy="boto3")
assert answer["failures"] == []
alone = answer["tasks"][0]["taskArn"]
wait("tasks_running", cluster="qa", tasks=[alone])
assert ecs.list_tasks(cluster="qa", startedBy="boto3")["taskArns"] == [alone]
ecs.stop_task(cluster="qa", task=alone, reason="enough")
wait("tasks_stopped", cluster="qa", tasks=[alone])
stopped = ecs.describe_tasks(cluster="qa", tasks=[alone])["tasks"][0]
assert stopped["stoppedReason"] == "enough" and stopped["stopCode"] == "UserInitiated", stopped
whole(stopped["containers"][0], "exitCode")

# What the containers said.
said = {event["message"] for page in logs.get_paginator("filter_log_events").paginate(logGroupName="/ecs/web", PaginationConfig={"PageSize": 2})
        for event in page["events"]}
assert said == {"first", "second"}, said
streams = [s for page in logs.get_paginator("describe_log_streams").paginate(logGroupName="/ecs/web") for s in page["logStreams"]]
assert len(streams) >= 6, streams

# Errors are the service's own.
try:
    ecs.update_service(cluster="qa", service="nothing", desiredCount=1)
    raise SystemExit("a service that isn't there was updated")
except ecs.exceptions.ServiceNotFoundException as error:
    assert error.response["ResponseMetadata"]["HTTPStatusCode"] == 400
assert ecs.describe_services(cluster="qa", services=["nothing"])["failures"][0]["reason"] == "MISSING"

# And back.
ecs.update_service(cluster="qa", service="web", desiredCount=0)
wait("services_stable", cluster="qa", services=["web"])
ecs.delete_service(cluster="qa", service="web")
wait("services_inactive", cluster="qa", services=["web"])
for definition in ecs.list_task_definitions(familyPrefix="web", sort="DESC")["taskDefinitionArns"]:
    assert ecs.deregister_task_definition(taskDefinition=definition)["taskDefinition"]["status"] == "INACTIVE"
elb.delete_listener(ListenerArn=listener["ListenerArn"])
elb.delete_load_balancer(LoadBalancerArn=balancer["LoadBalancerArn"])
elb.get_waiter("load_balancers_deleted").wait(LoadBalancerArns=[balancer["LoadBalancerArn"]], WaiterConfig=SOON)
elb.delete_target_group(TargetGroupArn=group["TargetGroupArn"])
ecr.delete_repository(repositoryName="web", force=True)
logs.delete_log_group(logGroupName="/ecs/web")
assert ecs.delete_cluster(cluster="qa")["cluster"]["status"] == "INACTIVE"
print(f"boto3 {boto3.__version__}: done")
