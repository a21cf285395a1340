package ecsdeploy

import (
	"fmt"
	"slices"
	"strconv"
	"time"
)

// The exit codes of the script. 4, no AWS CLI or no jq, cannot happen here.
const (
	exitDone            = 0
	exitFailed          = 1
	exitArguments       = 3
	exitNothingNamed    = 5
	exitBothNamed       = 6
	exitNoCluster       = 7
	exitNoImage         = 8
	exitMaxDefinitions  = 9
	exitLaunchType      = 10
	exitRunTaskMember   = 11
	exitPlatformVersion = 12
	exitImage           = 13
	exitInterrupted     = 130
)

// options are what the arguments say.
type options struct {
	accessKey, secretKey, region, profile, role string
	instanceProfile                             bool

	cluster, service, taskDefinition string
	image, tagVariable, tagOnly      string
	imageGiven                       bool
	timeout                          time.Duration
	min, max, desired                *int // nil: not sent
	maxDefinitions, file             string

	rollback, useLatest, force, skipCheck, copyTags bool

	runTask, wait                        bool
	launchType, platformVersion, network string

	verbose, version, help bool
}

// misuse is an error in the arguments, with the script's exit code for it.
type misuse struct {
	code    int
	message string
	usage   bool // the usage tells what to do
}

func (m *misuse) Error() string { return m.message }

func wrong(code int, format string, args ...any) *misuse {
	return &misuse{code: code, message: fmt.Sprintf(format, args...)}
}

// parse reads arguments as the script does: a flag and its value are two words, a later flag wins, and empty words, which
// CI wrappers leave where a variable is empty, are passed over.
func parse(args []string) (options, error) {
	o := options{timeout: 90 * time.Second, maxDefinitions: "0"}
	if len(args) == 0 {
		return o, &misuse{exitArguments, "no arguments", true}
	}
	for i := 0; i < len(args); i++ {
		word, value := args[i], ""
		if word == "" {
			continue
		}
		f := find(word)
		if f == nil {
			return o, &misuse{exitArguments, fmt.Sprintf("unknown argument %q", word), true}
		}
		if f.Value != "" {
			if i++; i == len(args) {
				return o, &misuse{exitArguments, fmt.Sprintf("%s needs a value: %s", word, f.Value), true}
			}
			value = args[i]
		}
		if err := f.set(&o, value); err != nil {
			return o, &misuse{exitArguments, fmt.Sprintf("%s: %v", word, err), true}
		}
	}
	return o, nil
}

func find(word string) *Flag {
	for i := range Flags {
		if slices.Contains(Flags[i].Spellings(), word) {
			return &Flags[i]
		}
	}
	return nil
}

// check returns the first thing that is wrong, in the script's order.
func (o options) check() error {
	_, notANumber := strconv.ParseUint(o.maxDefinitions, 10, 31)
	switch {
	case o.service == "" && o.taskDefinition == "":
		return wrong(exitNothingNamed, "one of -n (service) and -d (task definition) is needed")
	case o.service != "" && o.taskDefinition != "":
		return wrong(exitBothNamed, "only one of -n (service) and -d (task definition) can be given")
	case o.service != "" && o.cluster == "":
		return wrong(exitNoCluster, "a service needs its cluster: -c")
	case !o.imageGiven && !o.force:
		return wrong(exitNoImage, "an image is needed: -i")
	case notANumber != nil:
		return wrong(exitMaxDefinitions, "--max-definitions: %q is not a number", o.maxDefinitions)
	case o.launchType != "" && !o.runTask:
		return wrong(exitLaunchType, "--launch-type is only for --run-task")
	case o.network != "" && !o.runTask:
		return wrong(exitRunTaskMember, "--network-configuration is only for --run-task")
	case o.wait && !o.runTask:
		return wrong(exitRunTaskMember, "--wait-for-success is only for --run-task")
	case o.platformVersion != "" && !o.runTask:
		return wrong(exitPlatformVersion, "--platform-version is only for --run-task")
	case o.force && o.service == "":
		return wrong(exitFailed, "--force-new-deployment is only for a service: -n")
	}
	return nil
}

// keeps returns how many ACTIVE revisions are kept; 0: all.
func (o options) keeps() int {
	n, err := strconv.Atoi(o.maxDefinitions)
	if err != nil {
		return 0
	}
	return n
}

// unused names the flags that do nothing beside the others, so that nobody relies on them.
func (o options) unused() []string {
	var all []string
	for _, f := range []struct {
		given bool
		why   string
	}{
		{o.instanceProfile, "--aws-instance-profile: credentials of an instance are found without it"},
		{o.runTask && o.service != "", "--run-task does nothing with -n"},
		{o.service == "" && o.keeps() > 0, "--max-definitions does nothing with -d"},
		{o.service == "" && o.rollback, "--enable-rollback does nothing with -d"},
		{o.tagOnly != "" && o.tagVariable != "", "-e does nothing with -to"},
	} {
		if f.given {
			all = append(all, f.why)
		}
	}
	return all
}
