package ecs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway/datachannel"
	"github.com/slipway-cd/slipway/fault"
	"github.com/slipway-cd/slipway/rollout"
)

// Execute runs a command in a container, with a terminal on that side, and returns its exit code; -1 where ECS doesn't tell.
// Amazon ECS never does; the embedded engine does.
func (t *Target) Execute(
	ctx context.Context, what rollout.Execution, in io.Reader, out, talk io.Writer, sizes <-chan rollout.WindowSize,
) (int, error) {
	doing := fmt.Sprintf("run a command in container %s of task %s", what.Container, what.Task)
	answer, err := t.ecs.ExecuteCommand(ctx, &ecs.ExecuteCommandInput{
		Cluster: aws.String(string(what.Cluster)), Task: aws.String(string(what.Task)), Container: aws.String(what.Container),
		Command: aws.String(commandLine(what.Command)), Interactive: true,
	})
	if _, cut := errors.AsType[*types.TargetNotConnectedException](err); cut {
		return 0, fault.New(fault.Unavailable, "cannot %s: its agent is not connected", doing).WithHint(
			"wait a moment and try again; let the task's role call ssmmessages:CreateControlChannel, CreateDataChannel, OpenControlChannel and " +
				"OpenDataChannel, and see that the task reaches the endpoint ssmmessages")
	}
	if err != nil {
		return 0, t.failed(doing, err)
	}
	if answer.Session == nil {
		return 0, fault.New(fault.Unavailable, "cannot %s: ECS has opened no session", doing)
	}
	session := datachannel.Talk{
		URL: aws.ToString(answer.Session.StreamUrl), Token: aws.ToString(answer.Session.TokenValue), Stdin: in, Stdout: out, Talk: talk,
	}
	if sizes != nil {
		session.Resize = resized(ctx, sizes)
	}
	return session.Run(ctx)
}

// resized puts sizes into the channel's words, until there are no more.
func resized(ctx context.Context, sizes <-chan rollout.WindowSize) <-chan datachannel.TerminalSize {
	out := make(chan datachannel.TerminalSize)
	go func() {
		for {
			select {
			case <-ctx.Done():
				return
			case s, ok := <-sizes:
				if !ok {
					return
				}
				select {
				case out <- datachannel.TerminalSize{Columns: uint32(s.Columns), Rows: uint32(s.Rows)}: //nolint:gosec // of a terminal
				case <-ctx.Done():
					return
				}
			}
		}
	}()
	return out
}

// commandLine writes words as ECS's agent reads them: by the rules of a shell. One word alone is a command line already, as it
// is for the AWS CLI.
func commandLine(words []string) string {
	if len(words) == 1 {
		return words[0]
	}
	quoted := make([]string, len(words))
	for i, w := range words {
		quoted[i] = shellWord(w)
	}
	return strings.Join(quoted, " ")
}

func shellWord(w string) string {
	const plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./:=@%+,"
	if w != "" && strings.Trim(w, plain) == "" {
		return w
	}
	return "'" + strings.ReplaceAll(w, "'", `'\''`) + "'"
}
