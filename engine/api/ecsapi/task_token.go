package ecsapi

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway/engine/api/awsdoc"
	"github.com/slipway-cd/slipway/engine/state"
)

// token is a client token of RunTask and the digest of the request that came with it. The tasks that were started under
// it bear both, so that a repetition is told from another request.
type token struct{ name, request string }

func (t token) String() string { return t.name + state.TokenSeparator + t.request }

// tokenOf returns the zero token for a request without one.
func tokenOf(in *ecs.RunTaskInput) (token, error) {
	name := awsdoc.Or(in.ClientToken, "")
	if name == "" {
		return token{}, nil
	}
	request, err := json.Marshal(in)
	sum := sha256.Sum256(request)
	return token{name, hex.EncodeToString(sum[:])}, err
}

// startedUnder returns the tasks that the same request has started before. [ecs-behaviour 1.9, RunTask]
func startedUnder(snap state.Snapshot, t token) ([]*state.Task, error) {
	if t.name == "" {
		return nil, nil
	}
	var same, other []*state.Task
	for task := range snap.TasksOfToken(t.name) {
		if task.Token == t.String() {
			same = append(same, task)
		} else {
			other = append(other, task)
		}
	}
	if len(other) == 0 {
		return same, nil
	}
	arns := make([]string, len(other))
	for i, task := range other {
		arns[i] = task.ARN
	}
	slices.Sort(arns)
	return nil, &types.ConflictException{ResourceIds: arns, Message: awsdoc.Text(
		"The RunTask request could not be processed due to conflicts. The provided clientToken is already in use with a different request.")}
}

// stamp puts the token on tasks that were just started.
func stamp(tx *state.Tx, tasks []*state.Task, t token) []*state.Task {
	if t.name == "" {
		return tasks
	}
	stamped := make([]*state.Task, len(tasks))
	for i, task := range tasks {
		changed := *task
		changed.Token = t.String()
		tx.Put(&changed)
		stamped[i] = &changed
	}
	return stamped
}
