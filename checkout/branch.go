package checkout

import "strings"

// branchVariable is an environment variable in which a CI system tells the branch that it builds.
type branchVariable struct {
	name   string
	system string
	unless string // a variable that, where it has this value or any, says that name holds a tag
	value  string
}

// branchVariables are tried in this order. Each is named in the system's own documentation.
var branchVariables = []branchVariable{
	{name: "bamboo_planRepository_branchName", system: "Bamboo"},
	{name: "bamboo_planRepository_branch", system: "Bamboo"},
	{name: "GITHUB_REF_NAME", system: "GitHub Actions", unless: "GITHUB_REF_TYPE", value: "tag"},
	{name: "BRANCH_NAME", system: "Jenkins", unless: "TAG_NAME"},
	{name: "CI_COMMIT_REF_NAME", system: "GitLab CI", unless: "CI_COMMIT_TAG"},
	{name: "GIT_BRANCH", system: "Jenkins"},
	{name: "CODEBUILD_WEBHOOK_HEAD_REF", system: "AWS CodeBuild"},
	{name: "BITBUCKET_BRANCH", system: "Bitbucket Pipelines"},
	{name: "BUILDKITE_BRANCH", system: "Buildkite", unless: "BUILDKITE_TAG"},
	{name: "CIRCLE_BRANCH", system: "CircleCI"},
	{name: "TRAVIS_BRANCH", system: "Travis CI", unless: "TRAVIS_TAG"},
	{name: "DRONE_BRANCH", system: "Drone", unless: "DRONE_TAG"},
}

// ciBranch returns the branch that a CI system tells, and the variable that told it. Each element of environ is
// NAME=value.
func ciBranch(environ []string) (branch, origin string) {
	env := map[string]string{}
	for _, e := range environ {
		name, value, _ := strings.Cut(e, "=")
		env[name] = value
	}
	for _, v := range branchVariables {
		isTag := v.unless != "" && env[v.unless] != "" && (v.value == "" || env[v.unless] == v.value)
		if b := bareBranch(env[v.name]); b != "" && !isTag {
			return b, v.name + " (" + v.system + ")"
		}
	}
	return "", ""
}

// bareBranch takes off what systems put before a branch's name. What names a tag is no branch.
func bareBranch(ref string) string {
	if strings.HasPrefix(ref, "refs/tags/") {
		return ""
	}
	ref = strings.TrimPrefix(ref, "refs/heads/")
	return strings.TrimPrefix(ref, "origin/") // Jenkins' git plugin
}
