package acceptance

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/ecs"

	"github.com/slipway-cd/slipway/app"
	"github.com/slipway-cd/slipway/config"
	"github.com/slipway-cd/slipway/descriptor"
	"github.com/slipway-cd/slipway/rollout"
	"github.com/slipway-cd/slipway/target/targettest"
)

// scripts are what the containers of a behaviour do on the engine's scripted runtime.
var scripts = map[targettest.Behaviour]string{
	targettest.Crashes:  `error "cannot open the database"; run 2s; exit 3`,
	targettest.Sick:     `unhealthy`,
	targettest.Greedy:   `run 2s; oom`,
	targettest.Misbuilt: `start fails "exec /app: exec format error"`,
}

// TestTheECSTargetOnTheEngine runs what every target must pass against the embedded engine, over HTTP.
func TestTheECSTargetOnTheEngine(t *testing.T) {
	t.Parallel()
	engine, err := app.NewEngine(t.Context(), app.EngineOptions{Listen: "127.0.0.1:0", Dir: t.TempDir(), Runtime: app.Scripted, Speed: 40})
	if err != nil {
		t.Fatal(err)
	}
	if err := engine.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := engine.Stop(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	})
	options := app.TargetOptions{Endpoint: engine.Endpoint()}
	cfg, err := app.AWSConfig(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ecs.NewFromConfig(cfg).CreateCluster(t.Context(), &ecs.CreateClusterInput{ClusterName: aws.String("qa")}); err != nil {
		t.Fatal(err)
	}
	target, err := app.Target(t.Context(), config.ECS, options)
	if err != nil {
		t.Fatal(err)
	}
	logs := cloudwatchlogs.NewFromConfig(cfg)
	targettest.Run(t, targettest.Env{Target: target, Documents: documents(t), Supply: supply(logs), Patience: time.Minute})
}

// supply makes and deletes the log group that a version writes to which cannot start without it.
func supply(logs *cloudwatchlogs.Client) func(*testing.T, rollout.ServiceName, bool) {
	return func(t *testing.T, service rollout.ServiceName, there bool) {
		t.Helper()
		group := aws.String("/needed/" + string(service))
		if !there {
			if _, err := logs.DeleteLogGroup(t.Context(), &cloudwatchlogs.DeleteLogGroupInput{LogGroupName: group}); err != nil {
				t.Fatal(err)
			}
			return
		}
		if _, err := logs.CreateLogGroup(t.Context(), &cloudwatchlogs.CreateLogGroupInput{LogGroupName: group}); err != nil {
			t.Fatal(err)
		}
	}
}

// documents returns what a project publishes for a service that behaves in a way.
func documents(t *testing.T) func(rollout.ServiceName, targettest.Behaviour) (rollout.ServiceRef, rollout.Documents) {
	type object = map[string]any
	return func(service rollout.ServiceName, b targettest.Behaviour) (rollout.ServiceRef, rollout.Documents) {
		labels := object{"release": b}
		if script := scripts[b]; script != "" {
			labels["slipway.script"] = script
		}
		memory := 64
		if b == targettest.Oversized {
			memory = 1 << 20
		}
		options := object{"awslogs-group": "/ecs/" + string(service), "awslogs-region": "us-east-1", "awslogs-stream-prefix": "web"}
		if b == targettest.Needy {
			options["awslogs-group"] = "/needed/" + string(service) // that no other version makes
		} else {
			options["awslogs-create-group"] = "true"
		}
		container := object{
			"name": "web", "image": "127.0.0.1:1/web:" + string(b), "memory": memory, "dockerLabels": labels, "essential": true,
			"healthCheck":      object{"command": []string{"CMD", "true"}, "interval": 5, "retries": 1},
			"logConfiguration": object{"logDriver": "awslogs", "options": options},
		}
		deployment := object{"maximumPercent": 200, "minimumHealthyPercent": 50}
		ref := rollout.ServiceRef{Cluster: "qa", Service: service, Family: rollout.Family(service)}
		return ref, rollout.Documents{
			descriptor.TaskDefinition: write(t, object{"family": service, "containerDefinitions": []any{container}}),
			descriptor.ServiceDefinition: write(t, object{
				"cluster": "qa", "serviceName": service, "taskDefinition": service, "desiredCount": 2,
				"clientToken": string(service), "deploymentConfiguration": deployment,
			}),
			descriptor.ServiceUpdate: write(t, object{
				"cluster": "qa", "service": service, "taskDefinition": service, "desiredCount": 2, "deploymentConfiguration": deployment,
			}),
		}
	}
}

func write(t *testing.T, v any) []byte {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
