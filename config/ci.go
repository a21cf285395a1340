package config

import (
	"strings"
)

// ciSystem is a continuous-integration system: how it is recognised, and which of its variables become which values.
type ciSystem struct {
	name   string
	marker string // the environment variable that is set wherever this system runs
	prefix string // what begins the variables that its users define; the rest of the name is the value's name
	values map[string]string
}

// ciSystems are the systems known, with the variables that their documentation names. The first that is recognised
// counts. Only Bamboo passes its users' own plan variables under a prefix; elsewhere they are plain environment
// variables, and SLIPWAY_VALUE_name says which of them are meant.
var ciSystems = []ciSystem{
	{"Bamboo", "bamboo_buildKey", "bamboo_", ci("bamboo_buildNumber", "bamboo_buildResultKey", "bamboo_resultsUrl")},
	{"Bamboo", "bamboo_agentId", "bamboo_", ci("bamboo_buildNumber", "bamboo_buildResultKey", "bamboo_resultsUrl")},
	{"GitHub Actions", "GITHUB_ACTIONS", "", ci("GITHUB_RUN_NUMBER", "GITHUB_RUN_ID", "")},
	{"GitLab CI", "GITLAB_CI", "", ci("CI_PIPELINE_IID", "CI_PIPELINE_ID", "CI_PIPELINE_URL")},
	{"AWS CodeBuild", "CODEBUILD_BUILD_ID", "", ci("CODEBUILD_BUILD_NUMBER", "CODEBUILD_BUILD_ID", "CODEBUILD_BUILD_URL")},
	{"Jenkins", "JENKINS_URL", "", ci("BUILD_NUMBER", "BUILD_TAG", "BUILD_URL")},
}

func ci(number, id, url string) map[string]string {
	return map[string]string{"buildNumber": number, "buildId": id, "buildUrl": url}
}

// CIValues returns the values that the CI system's variables give: buildNumber, buildId and buildUrl where the system
// tells them, and every bamboo_NAME as NAME. Names that slipway itself sets are left alone. Each element of environ is
// NAME=value; outside CI there are no values.
func CIValues(environ []string) Values {
	env := map[string]string{}
	for _, e := range environ {
		if name, text, ok := strings.Cut(e, "="); ok {
			env[name] = text
		}
	}
	for _, s := range ciSystems {
		if env[s.marker] != "" {
			return s.read(env)
		}
	}
	return Values{}
}

func (s ciSystem) read(env map[string]string) Values {
	values := Values{}
	set := func(name, variable string) {
		if text, ok := env[variable]; ok && IsValueName(name) && !IsBuiltIn(name) {
			values[name] = Value{text, Origin{Layer: FromCI, Name: variable + " (" + s.name + ")"}}
		}
	}
	for variable := range env {
		if rest, ok := strings.CutPrefix(variable, s.prefix); ok && s.prefix != "" {
			set(rest, variable)
		}
	}
	for name, variable := range s.values {
		set(name, variable)
	}
	return values
}
