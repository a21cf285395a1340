package ecsapi

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway/engine"
	"github.com/slipway-cd/slipway/engine/api/awsdoc"
	"github.com/slipway-cd/slipway/engine/state"
	"github.com/slipway-cd/slipway/fault"
)

// Sessions open sessions in which somebody talks with a command in a container.
type Sessions interface {
	// Open returns the session's id, and the token that whoever begins it must show.
	Open(task state.TaskID, container, command string) (id, token string, err error)
}

// executor is what ExecuteCommand needs.
type executor struct {
	sessions Sessions
	url      func(id string) string // where a session is served
}

// WithSessions has ExecuteCommand open sessions, each of which is served at a URL.
func (s *Server) WithSessions(sessions Sessions, url func(id string) string) *Server {
	s.execute = &executor{sessions, url}
	return s
}

// ExecuteCommand opens a session for a command in a running container, which the caller then talks with.
func (s *Server) ExecuteCommand(_ context.Context, in *ecs.ExecuteCommandInput) (*ecs.ExecuteCommandOutput, error) {
	if s.execute == nil {
		return nil, unsupported("ExecuteCommand is not served by this engine.")
	}
	snap := s.engine.DB().Read()
	c, err := activeCluster(snap, in.Cluster)
	if err != nil {
		return nil, err
	}
	if err := sameCluster(c, awsdoc.Or(in.Task, "")); err != nil {
		return nil, err
	}
	t, ok := snap.Task(state.TaskID(engine.ResourceName(awsdoc.Or(in.Task, ""))))
	if !ok || t.Cluster != c.Name {
		return nil, invalid("The referenced task was not found.")
	}
	container, err := executable(t, in)
	if err != nil {
		return nil, err
	}
	id, token, err := s.execute.sessions.Open(t.ID, container.Name, awsdoc.Or(in.Command, ""))
	if err != nil && fault.KindOf(err) == fault.Invalid {
		return nil, invalid("%v", err)
	}
	if err != nil {
		return nil, err
	}
	return &ecs.ExecuteCommandOutput{
		ClusterArn: c.Doc.ClusterArn, TaskArn: &t.ARN, ContainerArn: &container.ARN, ContainerName: &container.Name, Interactive: true,
		Session: &types.Session{SessionId: &id, TokenValue: &token, StreamUrl: awsdoc.Text("%s", s.execute.url(id))},
	}, nil
}

// executable finds the container that a command is to run in. [API reference, ExecuteCommand, Errors]
func executable(t *state.Task, in *ecs.ExecuteCommandInput) (state.Container, error) {
	name := awsdoc.Or(in.Container, "")
	if name == "" && len(t.Containers) == 1 {
		name = t.Containers[0].Name
	}
	container, ok := t.Container(name)
	switch {
	case !in.Interactive:
		return container, invalid("Interactive is the only mode supported currently.")
	case strings.TrimSpace(awsdoc.Or(in.Command, "")) == "":
		return container, invalid("The command cannot be empty.")
	case !t.EnableExecuteCommand || t.Last != state.Running:
		return container, invalid("The execute command failed because execute command was not enabled when the task was run or the execute command agent isn’t running. " +
			"Wait and try again or run a new task with execute command enabled and try again.")
	case name == "":
		return container, invalid("The container name must be given, because the task has several containers.")
	case !ok:
		return container, invalid("The container %s does not exist in the task.", name)
	case container.Last != state.Running:
		return container, &types.TargetNotConnectedException{Message: awsdoc.Text(
			"The execute command failed due to an internal error. Container %s is not running. Try again later.", name)}
	}
	return container, nil
}

// agents are the agents in a container: the one that ExecuteCommand talks with, where that is enabled.
func agents(t *state.Task, c state.Container) []types.ManagedAgent {
	if !t.EnableExecuteCommand || c.StartedAt.IsZero() {
		return nil
	}
	return []types.ManagedAgent{{
		Name: types.ManagedAgentNameExecuteCommandAgent, LastStatus: awsdoc.Text("%s", c.Last), LastStartedAt: timeOrNil(c.StartedAt),
	}}
}
