package ecs

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsarn "github.com/aws/aws-sdk-go-v2/aws/arn"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/slipway-cd/slipway/fault"
)

// The services of AWS that roles have to let assume them. [ECS: task execution IAM role; infrastructure IAM role]
const (
	assumedByTasks = "ecs-tasks.amazonaws.com"
	assumedByECS   = "ecs.amazonaws.com"
)

// roleUse is what a role is needed for.
type roleUse struct {
	at asks
	by string // the service of AWS that must be allowed to assume it
}

// usedRoles returns every role that the documents name, with what it is for.
func (v *verification) usedRoles() map[string]roleUse {
	uses := map[string]roleUse{}
	add := func(role *string, use roleUse) {
		if name := aws.ToString(role); name != "" {
			uses[name] = use
		}
	}
	add(v.task.TaskRoleArn, roleUse{at: inTask("taskRoleArn"), by: assumedByTasks})
	add(v.task.ExecutionRoleArn, roleUse{at: inTask("executionRoleArn"), by: assumedByTasks})
	for i, b := range v.service.LoadBalancers {
		if b.AdvancedConfiguration != nil {
			path := fmt.Sprintf("loadBalancers[%d].advancedConfiguration.roleArn", i)
			add(b.AdvancedConfiguration.RoleArn, roleUse{at: v.member(path), by: assumedByECS})
		}
	}
	return uses
}

// roles asks whether every role exists, and may be assumed by what needs it.
func (v *verification) roles() []func(context.Context) {
	uses := v.usedRoles()
	var checks []func(context.Context)
	for _, name := range slices.Sorted(maps.Keys(uses)) {
		checks = append(checks, func(ctx context.Context) { v.role(ctx, name, uses[name]) })
	}
	return checks
}

// roleless reports that what answers here is not AWS, and keeps no roles: an engine that nobody has told of any.
func (v *verification) roleless(ctx context.Context) bool {
	if v.target.endpoint == "" {
		return false
	}
	out, err := v.target.iam.ListRoles(ctx, &iam.ListRolesInput{MaxItems: aws.Int32(1)})
	return err == nil && len(out.Roles) == 0
}

func (v *verification) role(ctx context.Context, name string, use roleUse) {
	subject := "role " + last(name)
	out, err := v.target.iam.GetRole(ctx, &iam.GetRoleInput{RoleName: aws.String(last(name))})
	if err != nil {
		err = v.target.failed("look at role "+last(name), err)
		if fault.KindOf(err) == fault.NotFound && v.roleless(ctx) {
			v.unchecked(use.at, subject, "there are no roles at all at "+v.target.endpoint, "an engine looks at roles when it is started with --check-roles")
			return
		}
		if fault.KindOf(err) == fault.NotFound {
			v.problem(use.at, subject, "there is no such role", "create the role, or correct its name")
			return
		}
		v.unsure(use.at, subject, err)
		return
	}
	if have := aws.ToString(out.Role.Arn); strings.HasPrefix(name, "arn:") && have != name {
		if accountOf(have) != accountOf(name) {
			v.unchecked(use.at, subject, "it belongs to another account", "")
			return
		}
		v.problem(use.at, subject, "the role of that name is "+have, "correct the ARN: a role's path is part of it")
		return
	}
	policy, err := url.PathUnescape(aws.ToString(out.Role.AssumeRolePolicyDocument))
	allowed, readable := trusts([]byte(policy), use.by)
	switch {
	case err != nil || !readable:
		v.unchecked(use.at, subject, "its trust policy cannot be read", "")
	case !allowed:
		v.problem(use.at, subject, "its trust policy does not let "+use.by+" assume it",
			"allow sts:AssumeRole to the service principal "+use.by+" in the role's trust policy")
	}
}

func accountOf(name string) string {
	a, err := awsarn.Parse(name)
	if err != nil {
		return ""
	}
	return a.AccountID
}

// several is a member of a policy that is one text or a list of them.
type several []string

// UnmarshalJSON reads either.
func (s *several) UnmarshalJSON(text []byte) error {
	var one string
	if json.Unmarshal(text, &one) == nil {
		*s = several{one}
		return nil
	}
	return json.Unmarshal(text, (*[]string)(s))
}

// statement is a part of a trust policy. [IAM: JSON policy elements]
type statement struct {
	Effect    string
	Action    several
	Principal json.RawMessage
}

// trusts reports whether a trust policy lets a service of AWS assume the role. Conditions are taken to be met: they narrow down
// for which tasks, and who deploys cannot tell those. A statement that denies it wins.
func trusts(policy []byte, service string) (allowed, readable bool) {
	var document struct{ Statement json.RawMessage }
	if json.Unmarshal(policy, &document) != nil {
		return false, false
	}
	var all []statement
	if json.Unmarshal(document.Statement, &all) != nil {
		var one statement
		if json.Unmarshal(document.Statement, &one) != nil {
			return false, false
		}
		all = []statement{one}
	}
	for _, s := range all {
		if !s.names(service) || !slices.ContainsFunc(s.Action, assumes) {
			continue
		}
		if s.Effect == "Deny" {
			return false, true
		}
		allowed = allowed || s.Effect == "Allow"
	}
	return allowed, true
}

func assumes(action string) bool {
	switch strings.ToLower(action) {
	case "*", "sts:*", "sts:assumerole", "sts:assume*":
		return true
	}
	return false
}

// names reports whether a service of AWS is among those that the statement is about.
func (s statement) names(service string) bool {
	if string(s.Principal) == `"*"` {
		return true
	}
	var principal struct{ Service several }
	return json.Unmarshal(s.Principal, &principal) == nil &&
		slices.ContainsFunc(principal.Service, func(name string) bool { return name == service || name == "*" })
}
