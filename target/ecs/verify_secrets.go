package ecs

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsarn "github.com/aws/aws-sdk-go-v2/aws/arn"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/slipway-cd/slipway/fault"
)

// parametersAtOnce is how many names one filter of DescribeParameters takes. [API reference: ParameterStringFilter]
const parametersAtOnce = 50

// secrets asks whether everything that secrets are taken from exists. No value is read.
func (v *verification) secrets() []func(context.Context) {
	stores, parameters := map[string]asks{}, map[string]asks{}
	note := func(from *string, at asks) {
		name := aws.ToString(from)
		if a, err := awsarn.Parse(name); err == nil && a.Service == "secretsmanager" {
			stores[secretARN(name)] = at
		} else if name != "" {
			parameters[name] = at
		}
	}
	for i, c := range v.task.ContainerDefinitions {
		for j, s := range c.Secrets {
			note(s.ValueFrom, inTask("containerDefinitions[%d].secrets[%d].valueFrom", i, j))
		}
		if c.LogConfiguration != nil {
			for j, s := range c.LogConfiguration.SecretOptions {
				note(s.ValueFrom, inTask("containerDefinitions[%d].logConfiguration.secretOptions[%d].valueFrom", i, j))
			}
		}
		if c.RepositoryCredentials != nil {
			note(c.RepositoryCredentials.CredentialsParameter, inTask("containerDefinitions[%d].repositoryCredentials.credentialsParameter", i))
		}
	}
	var checks []func(context.Context)
	for _, name := range slices.Sorted(maps.Keys(stores)) {
		checks = append(checks, func(ctx context.Context) { v.secret(ctx, stores[name], name) })
	}
	if len(parameters) > 0 {
		checks = append(checks, func(ctx context.Context) { v.parameters(ctx, parameters) })
	}
	return checks
}

// secretARN leaves out what follows a secret's ARN in a valueFrom: a key of its JSON, a stage and a version. [ECS: pass Secrets
// Manager secrets through environment variables]
func secretARN(valueFrom string) string {
	parts := strings.Split(valueFrom, ":")
	return strings.Join(parts[:min(len(parts), 7)], ":")
}

func (v *verification) secret(ctx context.Context, at asks, name string) {
	subject := "secret " + secretName(name)
	out, err := v.target.secrets.DescribeSecret(ctx, &secretsmanager.DescribeSecretInput{SecretId: &name}, func(o *secretsmanager.Options) {
		if a, err := awsarn.Parse(name); err == nil && a.Region != "" {
			o.Region = a.Region
		}
	})
	if err != nil {
		err = v.target.failed("look at the "+subject, err)
		if fault.KindOf(err) == fault.NotFound {
			v.problem(at, subject, "there is no such secret", "create the secret, or correct its ARN")
			return
		}
		v.unsure(at, subject, err)
		return
	}
	if out.DeletedDate != nil {
		v.problem(at, subject, "it is scheduled for deletion, and cannot be read", "restore it, or name another one")
	}
}

// secretName returns the name within a secret's ARN, arn:…:secret:NAME-SUFFIX, with the suffix.
func secretName(name string) string { return name[strings.LastIndexByte(name, ':')+1:] }

// parameters asks for all of them at once. One of another region or account, which has to be named by its ARN, is left out.
func (v *verification) parameters(ctx context.Context, at map[string]asks) {
	byName := map[string]string{}
	for _, from := range slices.Sorted(maps.Keys(at)) {
		name := from
		if a, err := awsarn.Parse(from); err == nil {
			if a.Region != v.target.region || a.AccountID != v.account() {
				v.unchecked(at[from], "parameter "+from, "it is in another region or account", "")
				continue
			}
			if name = strings.TrimPrefix(a.Resource, "parameter"); strings.Count(name, "/") == 1 {
				name = name[1:] // the ARN of a name without slashes has one all the same
			}
		}
		name, _, _ = strings.Cut(name, ":") // a version or a label may follow
		byName[name] = from
	}
	for some := range slices.Chunk(slices.Sorted(maps.Keys(byName)), parametersAtOnce) {
		known, err := v.knownParameters(ctx, some)
		for _, name := range some {
			from := byName[name]
			switch {
			case err != nil:
				v.unsure(at[from], "parameter "+name, err)
			case !known[name]:
				v.problem(at[from], "parameter "+name, "there is no such parameter", "create the parameter, or correct its name")
			}
		}
	}
}

func (v *verification) knownParameters(ctx context.Context, names []string) (map[string]bool, error) {
	known := map[string]bool{}
	pages := ssm.NewDescribeParametersPaginator(v.target.parameters, &ssm.DescribeParametersInput{
		ParameterFilters: []ssmtypes.ParameterStringFilter{{Key: aws.String("Name"), Option: aws.String("Equals"), Values: names}},
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, v.target.failed("look at the parameters", err)
		}
		for _, p := range page.Parameters {
			known[aws.ToString(p.Name)] = true
		}
	}
	return known, nil
}

// logGroups asks whether the log groups exist that containers write to and don't make by themselves.
func (v *verification) logGroups() []func(context.Context) {
	var checks []func(context.Context)
	var asked []string
	for i, c := range v.task.ContainerDefinitions {
		l := c.LogConfiguration
		if l == nil || l.LogDriver != types.LogDriverAwslogs || l.Options["awslogs-create-group"] == "true" {
			continue
		}
		group, region := l.Options["awslogs-group"], l.Options["awslogs-region"]
		if group == "" || slices.Contains(asked, region+"/"+group) {
			continue
		}
		asked = append(asked, region+"/"+group)
		at := inTask("containerDefinitions[%d].logConfiguration.options.awslogs-group", i)
		checks = append(checks, func(ctx context.Context) { v.logGroup(ctx, at, group, region) })
	}
	return checks
}

func (v *verification) logGroup(ctx context.Context, at asks, group, region string) {
	subject := "log group " + group
	pages := cloudwatchlogs.NewDescribeLogGroupsPaginator(v.target.logs, &cloudwatchlogs.DescribeLogGroupsInput{LogGroupNamePrefix: &group})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx, func(o *cloudwatchlogs.Options) {
			if region != "" {
				o.Region = region
			}
		})
		if err != nil {
			v.unsure(at, subject, v.target.failed("look at the "+subject, err))
			return
		}
		for _, g := range page.LogGroups {
			if aws.ToString(g.LogGroupName) == group {
				return
			}
		}
	}
	where := ""
	if region != "" {
		where = " in " + region
	}
	v.problem(at, subject, fmt.Sprintf("there is no such log group%s", where), "create it, or set awslogs-create-group to true")
}
