package ecs

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsarn "github.com/aws/aws-sdk-go-v2/aws/arn"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/slipway-cd/slipway/rollout"
)

// rightsSubject is what findings about the caller's own rights are about.
const rightsSubject = "the caller's rights"

// rights asks IAM to simulate what the caller is going to do. Where it cannot, that is said: some policies (of an organization, of
// a session) it doesn't know, so that only the call itself can tell.
func (v *verification) rights(ctx context.Context) {
	out, err := v.target.identity.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil {
		v.unsure(asks{}, rightsSubject, v.target.failed("find out who calls", err))
		return
	}
	caller, ok := principal(aws.ToString(out.Arn))
	switch {
	case !ok:
		v.unchecked(asks{}, rightsSubject, "not checked: IAM cannot simulate those of "+aws.ToString(out.Arn), "")
		return
	case caller == "":
		return // the root user of an account may do everything
	}
	for _, ask := range v.simulations(aws.ToString(out.Account)) {
		ask.PolicySourceArn = &caller
		answer, err := v.target.iam.SimulatePrincipalPolicy(ctx, &ask)
		if err != nil {
			v.unchecked(asks{}, rightsSubject, "not checked: "+v.target.failed("simulate the policies of "+last(caller), err).Error(),
				"let the caller use iam:SimulatePrincipalPolicy on itself, or rely on what AWS answers during the rollout")
			return
		}
		for _, r := range answer.EvaluationResults {
			v.decision(last(caller), r)
		}
	}
}

// principal returns the user or role whose policies a caller's ARN is under: of the session of a role, the role; "" for the root
// user. A role's path is not in its session's ARN, so one with a path is not found. [IAM: SimulatePrincipalPolicy]
func principal(caller string) (name string, ok bool) {
	a, err := awsarn.Parse(caller)
	if err != nil {
		return "", false
	}
	kind, rest, _ := strings.Cut(a.Resource, "/")
	switch {
	case a.Service == "iam" && a.Resource == "root":
		return "", true
	case a.Service == "iam" && (kind == "user" || kind == "role"):
		return caller, true
	case a.Service == "sts" && kind == "assumed-role":
		role, _, _ := strings.Cut(rest, "/")
		a.Service, a.Resource = "iam", "role/"+role
		return a.String(), true
	}
	return "", false
}

// simulations are what a rollout asks of AWS, by the resource that it is asked about.
func (v *verification) simulations(account string) []iam.SimulatePrincipalPolicyInput {
	partition := "aws"
	if v.cluster != nil {
		if a, err := awsarn.Parse(aws.ToString(v.cluster.ClusterArn)); err == nil {
			partition = a.Partition
		}
	}
	service := fmt.Sprintf("arn:%s:ecs:%s:%s:service/%s/%s", partition, v.target.region, account, v.want.Ref.Cluster, v.want.Ref.Service)
	change := "ecs:CreateService"
	if v.current != nil {
		change = "ecs:UpdateService"
	}
	all := []iam.SimulatePrincipalPolicyInput{
		{ActionNames: []string{"ecs:DescribeServices", change, "ecs:ListServiceDeployments"}, ResourceArns: []string{service}},
		{ActionNames: []string{"ecs:RegisterTaskDefinition", "ecs:DescribeTaskDefinition"}},
	}
	var roles []string
	uses := v.usedRoles()
	for _, name := range slices.Sorted(maps.Keys(uses)) {
		if strings.HasPrefix(name, "arn:") && uses[name].by == assumedByTasks {
			roles = append(roles, name)
		}
	}
	if len(roles) > 0 {
		all = append(all, iam.SimulatePrincipalPolicyInput{
			ActionNames: []string{"iam:PassRole"}, ResourceArns: roles,
			ContextEntries: []iamtypes.ContextEntry{{
				ContextKeyName: aws.String("iam:PassedToService"), ContextKeyType: iamtypes.ContextKeyTypeEnumString, ContextKeyValues: []string{assumedByTasks},
			}},
		})
	}
	return all
}

func (v *verification) decision(caller string, r iamtypes.EvaluationResult) {
	what := aws.ToString(r.EvalActionName)
	if on := aws.ToString(r.EvalResourceName); on != "" && on != "*" {
		what += " on " + on
	}
	switch {
	case r.EvalDecision == iamtypes.PolicyEvaluationDecisionTypeAllowed:
	case len(r.MissingContextValues) > 0:
		v.unchecked(asks{}, rightsSubject, fmt.Sprintf("whether %s may do %s depends on %s", caller, what, strings.Join(r.MissingContextValues, ", ")), "")
	default:
		v.problem(asks{}, rightsSubject, fmt.Sprintf("%s may not do %s", caller, what), "allow it in a policy of "+caller)
	}
}

// network compares the network mode with the service's network, and says what is not looked at.
func (v *verification) network(context.Context) {
	at, subject := v.member("networkConfiguration"), "networkConfiguration"
	awsvpc := v.task.NetworkMode == types.NetworkModeAwsvpc
	n := v.service.NetworkConfiguration
	switch {
	case awsvpc && (n == nil || n.AwsvpcConfiguration == nil):
		v.problem(at, subject, "it is missing: the task definition's network mode is awsvpc", "name subnets and security groups in the service update")
	case !awsvpc && n != nil && n.AwsvpcConfiguration != nil:
		v.problem(at, subject, "the service has one, and the task definition's network mode is "+v.networkMode(),
			"keep networkMode awsvpc, or create the service anew")
	case awsvpc:
		names := slices.Concat(n.AwsvpcConfiguration.Subnets, n.AwsvpcConfiguration.SecurityGroups)
		v.unchecked(at, subject, "whether "+strings.Join(names, ", ")+" exist, and lead to the registry, is not checked", "")
	}
	if len(v.service.ServiceRegistries) > 0 {
		v.unchecked(v.member("serviceRegistries"), "serviceRegistries", "whether the service's registries exist in Cloud Map is not checked", "")
	}
}

// alarms asks whether the alarms exist that end a deployment, and those that the project's checks look at.
func (v *verification) alarms(ctx context.Context) {
	places := map[string]asks{}
	for _, c := range v.want.Checks {
		for _, name := range c.Alarms {
			places[name] = asks{}
		}
	}
	if a := v.service.DeploymentConfiguration.Alarms; a != nil && a.Enable {
		for _, name := range a.AlarmNames {
			places[name] = v.member("deploymentConfiguration.alarms.alarmNames")
		}
	}
	if len(places) == 0 {
		return
	}
	names := slices.Sorted(maps.Keys(places))
	known, err := v.target.Alarms(ctx, names)
	for _, name := range names {
		alarm, ok := known[name]
		switch {
		case err != nil:
			v.unsure(places[name], "alarm "+name, err)
		case !ok:
			v.problem(places[name], "alarm "+name, "there is no such alarm", "create the alarm, or correct its name")
		case alarm.Sounds:
			v.alarmed(places[name], name, alarm)
		}
	}
}

// alarmed warns of an alarm that sounds already: ECS doesn't count it, but it cannot be seen to fire, either.
func (v *verification) alarmed(at asks, name string, alarm rollout.Alarm) {
	text := "it sounds already"
	if alarm.Why != "" {
		text += ": " + alarm.Why
	}
	v.warning(at, "alarm "+name, text, "see to what it tells of first")
}
