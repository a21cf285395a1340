// Package config reads slipway.yaml, with every problem's place in it, and merges the values that templates use.
package config

import (
	"time"

	"github.com/slipway-cd/slipway/fault"
	"github.com/slipway-cd/slipway/version"
)

// FileName is the name of the file that makes a directory a project.
const FileName = "slipway.yaml"

// ProjectName names a project: a letter or digit, then letters, digits, _ and -, at most 100 characters. It has no
// dots, so that a published file's name can be taken apart again.
type ProjectName string

// EnvironmentName names an environment, by the same rules. Empty is the one environment of a project that configures
// none.
type EnvironmentName string

// Scheduler is what runs an environment's containers.
type Scheduler string

// The schedulers.
const (
	ECS   Scheduler = "ecs" // the default
	Nomad Scheduler = "nomad"
)

// Project is what slipway.yaml says, with every default in place.
type Project struct {
	Name         ProjectName
	Version      VersionSource
	Branches     version.Template // default: master RELEASE, development MILESTONE
	Image        Image
	Descriptors  Descriptors
	Artifacts    StoreURL // default: dir:artifacts
	Values       Values
	Environments []Environment // in the order of the file; see Environment for a project that has none
	Checks       []Check       // what has to pass after a rollout, in the order of the file
	Policy       Policy        // what environments have that say nothing else
	PassUnknown  bool          // let members pass that the SDK's types don't know, as they stand
	File         string        // the file that was read, as it was called
}

// VersionSource is where the version's number comes from. Exactly one of the three is set.
type VersionSource struct {
	Literal *version.Number
	File    Text // a path relative to the project
	GitTag  Text // a pattern of git tags, for example v*
}

// Image is the container image that the project yields.
type Image struct {
	Repository Text // a template, for example ${registry}/hid-generator
	Build      *Build
}

// Build is how the image is made. Either Go or Dockerfile is set.
type Build struct {
	Context    Text            // the directory that the Dockerfile's COPY sees; default: .
	Dockerfile Text            // default: Dockerfile
	Args       map[string]Text // templates: the Dockerfile's build arguments
	Go         Text            // the main package of a Go program, for example ./cmd/hid-generator
	LDFlags    Text            // a template: the Go linker's flags, for example -X main.version=${version}
	Env        map[string]Text // templates: environment variables baked into a Go program's image
}

// Descriptors are the templates' paths, relative to the project. TaskDefinition is always there.
type Descriptors struct {
	TaskDefinition    Text
	ServiceDefinition Text
	ServiceUpdate     Text // without it, it is derived from the definition
	Autoscaling       Text // of the service: target, policies, scheduled actions
	ScheduledTasks    Text // rules that run the task definition at times
}

// StoreURL says where versions are published: dir:path, s3://bucket/prefix, artifactory+https://host/repository/path
// or oci://host/repository.
type StoreURL string

// Environment is a named place to deploy to.
type Environment struct {
	Name       EnvironmentName
	Scheduler  Scheduler
	Region     string   // empty: what AWS's own configuration says
	DeployFrom []string // patterns of the branches that deploy here by themselves
	Values     Values   // win over the project's
	Policy     Policy
	Position   fault.Position
}

// Policy is how a rollout is done.
type Policy struct {
	Timeout  time.Duration // how long a rollout may take; default: 20m
	Bake     time.Duration // how long it must stay proven before it counts; default: 0s
	Rollback bool          // whether a failed rollout is undone; default: true
	SetCount bool          // whether a service update that is derived sets desiredCount; default: false
}

// Check is what has to hold after a rollout: a request that must be answered so, a command that must succeed, or alarms that
// must not sound. Exactly one of the three is set.
type Check struct {
	HTTP     Text          // a template of the URL to get; may use ${loadBalancer}, which only a rollout knows
	Status   int           // the status expected; default: 200
	Body     Text          // a template of what the body must contain; empty: anything
	Command  []Text        // templates: a program and its arguments, which may use ${loadBalancer}, too
	Alarms   []Text        // templates: the names of alarms
	Timeout  time.Duration // how long one answer may take, or the command; default: 5s, 1m for a command
	Position fault.Position
}

// Text is a string of the file with its place, so that what is found wrong with it later can be told precisely.
type Text struct {
	Text     string
	Position fault.Position
}

// IsZero reports whether the file says nothing here.
func (t Text) IsZero() bool { return t.Text == "" }

// String returns the text alone.
func (t Text) String() string { return t.Text }
