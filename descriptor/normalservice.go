package descriptor

import (
	"maps"
	"strings"
)

// serviceRules are what AWS fills in and reorders in a service. ("CreateService", "UpdateService" and "Service" in the
// ECS API reference; answers of DescribeServices.)
var serviceRules = rules{
	"cluster":                       {rewrite: nameOfARN},
	"service":                       {rewrite: nameOfARN},
	"role":                          {rewrite: roleName},
	"deploymentController.type":     {otherwise: "ECS"},
	"propagateTags":                 {otherwise: "NONE"},
	"schedulingStrategy":            {otherwise: "REPLICA"},
	"platformVersion":               {otherwise: "LATEST"},
	"healthCheckGracePeriodSeconds": {otherwise: number("0")},
	"tags":                          {key: []string{"key"}},

	"deploymentConfiguration.strategy":          {otherwise: "ROLLING"},
	"deploymentConfiguration.bakeTimeInMinutes": {otherwise: number("0")},
	"deploymentConfiguration.alarms.alarmNames": {key: []string{""}},

	"loadBalancers":                     {key: []string{"targetGroupArn", "loadBalancerName", "containerName", "containerPort"}},
	"serviceRegistries":                 {key: []string{"registryArn", "containerName", "port"}},
	"placementConstraints":              {key: []string{"type", "expression"}},
	"placementStrategy[].field":         {rewrite: placementField},
	"capacityProviderStrategy":          {key: []string{"capacityProvider"}},
	"capacityProviderStrategy[].base":   {otherwise: number("0")},
	"capacityProviderStrategy[].weight": {otherwise: number("0")},

	"networkConfiguration.awsvpcConfiguration.subnets":        {key: []string{""}},
	"networkConfiguration.awsvpcConfiguration.securityGroups": {key: []string{""}},
	"networkConfiguration.awsvpcConfiguration.assignPublicIp": {otherwise: "DISABLED"},

	"volumeConfigurations":                                       {key: []string{"name"}},
	"vpcLatticeConfigurations":                                   {key: []string{"targetGroupArn", "portName"}},
	"serviceConnectConfiguration.services":                       {key: []string{"portName"}},
	"serviceConnectConfiguration.logConfiguration.options":       {verbatim: true},
	"serviceConnectConfiguration.logConfiguration.secretOptions": {key: []string{"name"}},
}

// requestOnly are the members that belong to a request and not to the service.
var requestOnly = []string{"clientToken", "forceNewDeployment"}

// onDeployment are the members that AWS describes on the service's deployments instead of on the service.
var onDeployment = []string{"serviceConnectConfiguration", "volumeConfigurations", "vpcLatticeConfigurations"}

// described brings what AWS describes under the names that requests use, and takes out of what is wanted the members
// that belong to a request alone or that AWS did not describe.
func described(want, service map[string]any) map[string]any {
	for _, name := range requestOnly {
		delete(want, name)
	}
	have := maps.Clone(service)
	have["cluster"], have["role"], have["service"] = service["clusterArn"], service["roleArn"], service["serviceName"]
	primary := primaryDeployment(service)
	for _, name := range onDeployment {
		if have[name] == nil {
			have[name] = primary[name]
		}
	}
	alignTags(want, have)
	alignTaskDefinition(want, have)
	return have
}

// primaryDeployment returns the deployment that is being made, or was made last.
func primaryDeployment(service map[string]any) map[string]any {
	deployments, _ := service["deployments"].([]any)
	for _, d := range deployments {
		if deployment, ok := d.(map[string]any); ok && deployment["status"] == "PRIMARY" {
			return deployment
		}
	}
	return nil
}

// alignTaskDefinition writes what the service runs as precisely as what is wanted is written: the family, the family
// and revision, or the whole ARN.
func alignTaskDefinition(want, have map[string]any) {
	w, okWant := want["taskDefinition"].(string)
	h, okHave := have["taskDefinition"].(string)
	if !okWant || !okHave || strings.HasPrefix(w, "arn:") {
		return
	}
	h = lastPart(h)
	if !strings.Contains(w, ":") {
		h = familyOf(h)
	}
	have["taskDefinition"] = h
}

// nameOfARN makes an ARN and the name at its end compare equal.
func nameOfARN(v any) any {
	if s, ok := v.(string); ok {
		return lastPart(s)
	}
	return v
}

// placementField treats the two names of one field alike. ("PlacementStrategy" in the ECS API reference.)
func placementField(v any) any {
	if s, ok := v.(string); ok && strings.EqualFold(s, "host") {
		return "instanceId"
	}
	return v
}
