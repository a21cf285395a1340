package ecsdeploy

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Flag is one flag of the script: each of its spellings, the name of its value, and what it does.
type Flag struct {
	Short, Long string // without dashes; Short may be empty
	Value       string // empty: it takes none
	Usage       string // with the value's name in backquotes
	set         func(*options, string) error
}

// Spellings are how the flag is written: with one dash and with two.
func (f Flag) Spellings() []string {
	if f.Short == "" {
		return []string{"--" + f.Long}
	}
	return []string{"-" + f.Short, "--" + f.Long}
}

// Flags are all flags of the script, in the order of its usage.
var Flags = []Flag{
	text("k", "aws-access-key", "KEY", "access `KEY` of AWS; AWS_ACCESS_KEY_ID unless given", func(o *options) *string { return &o.accessKey }),
	text("s", "aws-secret-key", "SECRET", "`SECRET` access key of AWS; AWS_SECRET_ACCESS_KEY unless given", func(o *options) *string { return &o.secretKey }),
	text("r", "region", "REGION", "AWS `REGION`; AWS_DEFAULT_REGION unless given", func(o *options) *string { return &o.region }),
	text("p", "profile", "NAME", "`NAME` of a profile in AWS's shared configuration; AWS_PROFILE unless given", func(o *options) *string { return &o.profile }),
	text("a", "aws-assume-role", "ARN", "`ARN` of a role to assume first", func(o *options) *string { return &o.role }),
	truth("", "aws-instance-profile", "say that credentials come from the instance, where they are found anyway", func(o *options) *bool { return &o.instanceProfile }),
	text("c", "cluster", "NAME", "`NAME` of the cluster; needed with -n", func(o *options) *string { return &o.cluster }),
	text("n", "service-name", "NAME", "`NAME` of the service to deploy; this or -d", func(o *options) *string { return &o.service }),
	text("d", "task-definition", "NAME", "`NAME` of the task definition to make a new revision of; this or -n", func(o *options) *string { return &o.taskDefinition }),
	{Short: "i", Long: "image", Value: "IMAGE", Usage: "`IMAGE` to deploy: [domain][:port][/repository][/image][:tag|@digest]", set: func(o *options, s string) error {
		o.image, o.imageGiven = s, true
		return nil
	}},
	{Short: "t", Long: "timeout", Value: "SECONDS", Usage: "`SECONDS` for each of the two waits; 90 unless given", set: func(o *options, s string) error {
		n, err := number(s)
		o.timeout = time.Duration(n) * time.Second
		return err
	}},
	count("m", "min", "PERCENT", "`PERCENT` of tasks that stay healthy: the service's minimumHealthyPercent", func(o *options) **int { return &o.min }),
	count("M", "max", "PERCENT", "`PERCENT` of tasks at the most: the service's maximumPercent", func(o *options) **int { return &o.max }),
	count("D", "desired-count", "N", "`N` tasks: the service's desired count", func(o *options) **int { return &o.desired }),
	text("e", "tag-env-var", "NAME", "`NAME` of the environment variable that holds the tag", func(o *options) *string { return &o.tagVariable }),
	text("to", "tag-only", "TAG", "`TAG` for all containers: only the tags change", func(o *options) *string { return &o.tagOnly }),
	text("", "max-definitions", "N", "`N` ACTIVE revisions to keep; 0, which is so unless given, keeps all", func(o *options) *string { return &o.maxDefinitions }),
	text("", "task-definition-file", "FILE", "`FILE` of a task definition to begin with instead of the current one", func(o *options) *string { return &o.file }),
	truth("", "enable-rollback", "go back to the task definition from before when the deployment fails", func(o *options) *bool { return &o.rollback }),
	truth("", "use-latest-task-def", "begin with the newest ACTIVE revision of the family, not with the one that runs", func(o *options) *bool { return &o.useLatest }),
	truth("", "force-new-deployment", "start a new deployment of what runs; no image is needed", func(o *options) *bool { return &o.force }),
	truth("", "skip-deployments-check", "don't wait until the old tasks are gone", func(o *options) *bool { return &o.skipCheck }),
	truth("", "run-task", "run a task of the new revision; with -d", func(o *options) *bool { return &o.runTask }),
	truth("", "wait-for-success", "wait until that task has stopped, and fail unless it succeeded", func(o *options) *bool { return &o.wait }),
	text("", "launch-type", "TYPE", "launch `TYPE` of that task", func(o *options) *string { return &o.launchType }),
	text("", "platform-version", "VERSION", "platform `VERSION` of that task", func(o *options) *string { return &o.platformVersion }),
	text("", "network-configuration", "VALUE", "network configuration of that task: a `VALUE` as for the AWS CLI, JSON, shorthand or file://", func(o *options) *string { return &o.network }),
	truth("", "copy-task-definition-tags", "give the new revision the tags of the one before", func(o *options) *bool { return &o.copyTags }),
	truth("v", "verbose", "tell each call to AWS", func(o *options) *bool { return &o.verbose }),
	truth("", "version", "tell the version", func(o *options) *bool { return &o.version }),
	truth("h", "help", "tell this", func(o *options) *bool { return &o.help }),
}

func text(short, long, value, usage string, at func(*options) *string) Flag {
	return Flag{short, long, value, usage, func(o *options, s string) error {
		*at(o) = s
		return nil
	}}
}

func truth(short, long, usage string, at func(*options) *bool) Flag {
	return Flag{short, long, "", usage, func(o *options, _ string) error {
		*at(o) = true
		return nil
	}}
}

func count(short, long, value, usage string, at func(*options) **int) Flag {
	return Flag{short, long, value, usage, func(o *options, s string) error {
		n, err := number(s)
		*at(o) = &n
		return err
	}}
}

func number(s string) (int, error) {
	n, err := strconv.Atoi(s)
	if err != nil || n < 0 || n > 1<<20 {
		return 0, fmt.Errorf("%q is not a number", s)
	}
	return n, nil
}

// usage says how the script is called.
func usage(name string) string {
	var b strings.Builder
	fmt.Fprintf(&b, `Deploys an image to a service of Amazon ECS, or makes a new revision of a task definition.

Usage:
  %s (-c CLUSTER -n SERVICE | -d TASK-DEFINITION) -i IMAGE [flags]

Examples:
  %[1]s -c production -n web -i registry.example.com/web:1.0.16.RELEASE -t 300 --enable-rollback
  %[1]s -c production -n web --force-new-deployment
  %[1]s -d migrate -i registry.example.com/web:1.0.16.RELEASE --run-task --wait-for-success -c production

Flags:
`, name)
	for _, f := range Flags {
		fmt.Fprintf(&b, "  %-34s %s\n", strings.TrimSpace(strings.Join(f.Spellings(), ", ")+" "+f.Value), strings.ReplaceAll(f.Usage, "`", ""))
	}
	b.WriteString(`
Exit codes: 0 done · 1 it failed · 3 no or unknown argument · 5 neither -n nor -d · 6 both · 7 no -c ·
8 no -i · 9 --max-definitions is no number · 10 --launch-type, 11 --network-configuration or
--wait-for-success, 12 --platform-version without --run-task · 13 -i is no image · 130 interrupted
`)
	return b.String()
}
