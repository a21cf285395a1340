package engine

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway/engine/schedule"
	"github.com/slipway-cd/slipway/engine/state"
)

// tasksPrincipal is who must be trusted by a role of tasks. [ECS Developer Guide, "Amazon ECS task IAM role"]
const tasksPrincipal = "ecs-tasks.amazonaws.com"

// ChecksRoles reports whether roles that are named must exist.
func (e *Engine) ChecksRoles() bool { return e.options.CheckRoles }

// MissingRole says, in ECS's words, which of the roles of a task ECS cannot assume; nothing when it can, or when roles are
// not checked.
func (e *Engine) MissingRole(snap state.Snapshot, definition *state.TaskDefinition, overrides *types.TaskOverride) string {
	if !e.options.CheckRoles {
		return ""
	}
	named := []*string{definition.Doc.ExecutionRoleArn, definition.Doc.TaskRoleArn}
	if overrides != nil {
		named = append(named, overrides.ExecutionRoleArn, overrides.TaskRoleArn)
	}
	for _, arn := range named {
		if aws.ToString(arn) != "" && !trusts(snap, ResourceName(*arn), tasksPrincipal) {
			return fmt.Sprintf("ECS was unable to assume the role '%s' that was provided for this task. Please verify that the role "+
				"being passed has the proper trust relationship and permissions and that your IAM user has permissions to pass this role.", *arn)
		}
	}
	return ""
}

// trusts reports whether a role exists and lets a service assume it.
func trusts(snap state.Snapshot, role, service string) bool {
	r, ok := snap.Role(role)
	if !ok {
		return false
	}
	var policy struct{ Statement statements }
	if err := json.Unmarshal([]byte(aws.ToString(r.Doc.AssumeRolePolicyDocument)), &policy); err != nil {
		return false
	}
	return slices.ContainsFunc(policy.Statement, func(s statement) bool {
		return s.Effect == "Allow" && slices.Contains(s.Principal.Service, service) &&
			slices.ContainsFunc(s.Action, func(a string) bool { return a == "sts:AssumeRole" || a == "sts:*" || a == "*" })
	})
}

// statement is what matters of a statement of a trust policy. Where JSON has a list, one element may stand for itself.
type statement struct {
	Effect    string
	Action    texts
	Principal principal
}

type (
	statements []statement
	texts      []string
	principal  struct{ Service texts }
)

func (s *statements) UnmarshalJSON(data []byte) error {
	var one statement
	if json.Unmarshal(data, &one) == nil {
		*s = statements{one}
		return nil
	}
	return json.Unmarshal(data, (*[]statement)(s))
}

func (t *texts) UnmarshalJSON(data []byte) error {
	var one string
	if json.Unmarshal(data, &one) == nil {
		*t = texts{one}
		return nil
	}
	return json.Unmarshal(data, (*[]string)(t))
}

// UnmarshalJSON also takes "*", which stands for everybody, but is no service.
func (p *principal) UnmarshalJSON(data []byte) error {
	if strings.HasPrefix(string(data), `"`) {
		return nil
	}
	type plain principal
	return json.Unmarshal(data, (*plain)(p))
}

// keepRoles takes the starts out of a plan if ECS cannot assume a role of the tasks, tells so, and has the scheduler look
// again: roles are made late now and then.
func (e *Engine) keepRoles(tx *state.Tx, key state.ServiceKey, p schedule.Plan, now time.Time) schedule.Plan {
	for _, s := range p.Start {
		d, ok := tx.Deployment(s.Deployment)
		if !ok {
			continue
		}
		definition, ok := tx.TaskDefinition(d.TaskDefinition)
		if !ok {
			continue
		}
		missing := e.MissingRole(tx.Snapshot, definition, nil)
		if missing == "" {
			continue
		}
		p = p.WithoutStarts()
		text := fmt.Sprintf("(service %s) failed to launch a task with (error %s).", key.Name, missing)
		if list := tx.Events(key).List; len(list) == 0 || aws.ToString(list[0].Message) != text {
			p.Events = append(p.Events, text)
		}
		if again := now.Add(e.pace.BackOff); p.Again.IsZero() || p.Again.After(again) {
			p.Again = again
		}
		return p
	}
	return p
}
