#!/usr/bin/env bash
# A full life of a service, as users of the AWS CLI write it: from an empty engine, and back.
set -euo pipefail

endpoint=$1
cli=${AWS_CLI:-/usr/bin/aws}

# say runs a command of the CLI. What it prints has no null: AWS sends a list even when it is empty.
say() {
  local out
  out=$("$cli" --endpoint-url "$endpoint" --region us-east-1 --output json "$@")
  if grep -q '\bnull\b' <<<"$out"; then
    printf 'aws %s prints null:\n%s\n' "$*" "$out" >&2
    exit 1
  fi
  printf '%s\n' "$out"
}
text() { say "$@" --output text; }
must() { # WANT GOT WHAT
  [ "$1" = "$2" ] || { printf '%s: %s, want %s\n' "$3" "$2" "$1" >&2; exit 1; }
}

define() {
  text ecs register-task-definition --family web --query taskDefinition.taskDefinitionArn --container-definitions '[{
    "name": "web", "image": "web:1", "memory": 64, "portMappings": [{"containerPort": 8080, "hostPort": 0}],
    "dockerLabels": {"slipway.script": "log \"'"$1"'\""},
    "logConfiguration": {"logDriver": "awslogs", "options": {
      "awslogs-group": "/ecs/web", "awslogs-region": "us-east-1", "awslogs-stream-prefix": "web"}}}]'
}

say ecs create-cluster --cluster-name qa >/dev/null
say logs create-log-group --log-group-name /ecs/web
balancer=$(text elbv2 create-load-balancer --name web --subnets subnet-1 subnet-2 --query 'LoadBalancers[0].LoadBalancerArn')
group=$(text elbv2 create-target-group --name web --protocol HTTP --port 80 --vpc-id vpc-1 --health-check-interval-seconds 10 --healthy-threshold-count 2 --query 'TargetGroups[0].TargetGroupArn')
say elbv2 modify-target-group-attributes --target-group-arn "$group" --attributes Key=deregistration_delay.timeout_seconds,Value=0 >/dev/null
say elbv2 create-listener --load-balancer-arn "$balancer" --protocol HTTP --port 80 --default-actions "Type=forward,TargetGroupArn=$group" >/dev/null

first=$(define first)
second=$(define second)
say ecs create-service --cluster qa --service-name web --task-definition "$first" --desired-count 2 \
  --load-balancers "targetGroupArn=$group,containerName=web,containerPort=8080" >/dev/null
say ecs wait services-stable --cluster qa --services web
service=$(text ecs update-service --cluster qa --service web --task-definition "$second" --query service.serviceArn)
say ecs wait services-stable --cluster qa --services web
must "$second" "$(text ecs describe-services --cluster qa --services web --query 'services[0].taskDefinition')" 'the service runs'

read -r -a tasks <<<"$(text ecs list-tasks --cluster qa --service-name web --page-size 1 --query 'taskArns[]' | tr '\n' ' ')"
must 2 "${#tasks[@]}" 'tasks, one on a page'
say ecs wait tasks-running --cluster qa --tasks "${tasks[@]}"
say ecs describe-tasks --cluster qa --tasks "${tasks[@]}" >/dev/null

say ecs tag-resource --resource-arn "$service" --tags key=stage,value=qa
must qa "$(text ecs list-tags-for-resource --resource-arn "$service" --query 'tags[0].value')" 'the tag'

alone=$(text ecs run-task --cluster qa --task-definition web --query 'tasks[0].taskArn')
say ecs wait tasks-running --cluster qa --tasks "$alone"
say ecs stop-task --cluster qa --task "$alone" --reason enough >/dev/null
say ecs wait tasks-stopped --cluster qa --tasks "$alone"
must enough "$(text ecs describe-tasks --cluster qa --tasks "$alone" --query 'tasks[0].stoppedReason')" 'the reason'
must 'first second' "$(text logs filter-log-events --log-group-name /ecs/web --query 'events[].[message]' | sort -u | tr '\n' ' ' | sed 's/ $//')" 'what was said'

say ecs delete-service --cluster qa --service web --force >/dev/null
say ecs wait services-inactive --cluster qa --services web
say elbv2 delete-load-balancer --load-balancer-arn "$balancer"
say elbv2 delete-target-group --target-group-arn "$group"
say logs delete-log-group --log-group-name /ecs/web
must INACTIVE "$(text ecs delete-cluster --cluster qa --query cluster.status)" 'the cluster'
echo 'AWS CLI: done'
