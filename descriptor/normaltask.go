package descriptor

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
)

// readOnly are the members that only AWS writes.
var readOnly = returned

// taskRules are what AWS fills in and reorders in a task definition. ("RegisterTaskDefinition" and the types under it in
// the ECS API reference; answers of DescribeTaskDefinition.)
var taskRules = rules{
	"cpu":    {rewrite: sizeText(CPUUnits)},
	"memory": {rewrite: sizeText(MemoryMiB)},

	"taskRoleArn":      {rewrite: roleName},
	"executionRoleArn": {rewrite: roleName},
	"networkMode":      {otherwise: "bridge"},

	"runtimePlatform.cpuArchitecture":       {otherwise: "X86_64"},
	"runtimePlatform.operatingSystemFamily": {otherwise: "LINUX"},

	"requiresCompatibilities":                              {key: []string{""}},
	"placementConstraints":                                 {key: []string{"type", "expression"}},
	"inferenceAccelerators":                                {key: []string{"deviceName"}},
	"volumes[].dockerVolumeConfiguration.driverOpts":       {verbatim: true},
	"volumes[].dockerVolumeConfiguration.labels":           {verbatim: true},
	"containerDefinitions[].dockerLabels":                  {verbatim: true},
	"containerDefinitions[].logConfiguration.options":      {verbatim: true},
	"containerDefinitions[].firelensConfiguration.options": {verbatim: true},
	"tags":                          {key: []string{"key"}},
	"proxyConfiguration.type":       {otherwise: "APPMESH"},
	"proxyConfiguration.properties": {key: []string{"name"}},
	"volumes":                       {key: []string{"name"}},
	"volumes[].dockerVolumeConfiguration.scope":                    {otherwise: "task"},
	"volumes[].dockerVolumeConfiguration.driver":                   {otherwise: "local"},
	"volumes[].efsVolumeConfiguration.rootDirectory":               {otherwise: "/"},
	"volumes[].efsVolumeConfiguration.transitEncryption":           {otherwise: "DISABLED"},
	"volumes[].efsVolumeConfiguration.authorizationConfig.iam":     {otherwise: "DISABLED"},
	"containerDefinitions":                                         {key: []string{"name"}},
	"containerDefinitions[].cpu":                                   {otherwise: number("0")},
	"containerDefinitions[].essential":                             {otherwise: true, keep: true},
	"containerDefinitions[].environment":                           {key: []string{"name"}},
	"containerDefinitions[].secrets":                               {key: []string{"name"}},
	"containerDefinitions[].mountPoints":                           {key: []string{"containerPath"}},
	"containerDefinitions[].volumesFrom":                           {key: []string{"sourceContainer"}},
	"containerDefinitions[].links":                                 {key: []string{""}},
	"containerDefinitions[].ulimits":                               {key: []string{"name"}},
	"containerDefinitions[].systemControls":                        {key: []string{"namespace"}},
	"containerDefinitions[].extraHosts":                            {key: []string{"hostname", "ipAddress"}},
	"containerDefinitions[].dockerSecurityOptions":                 {key: []string{""}},
	"containerDefinitions[].dependsOn":                             {key: []string{"containerName"}},
	"containerDefinitions[].resourceRequirements":                  {key: []string{"type", "value"}},
	"containerDefinitions[].portMappings":                          {key: []string{"containerPort", "containerPortRange", "protocol"}},
	"containerDefinitions[].healthCheck.interval":                  {otherwise: number("30")},
	"containerDefinitions[].healthCheck.timeout":                   {otherwise: number("5")},
	"containerDefinitions[].healthCheck.retries":                   {otherwise: number("3")},
	"containerDefinitions[].healthCheck.startPeriod":               {otherwise: number("0")},
	"containerDefinitions[].logConfiguration.secretOptions":        {key: []string{"name"}},
	"containerDefinitions[].restartPolicy.ignoredExitCodes":        {key: []string{""}},
	"containerDefinitions[].restartPolicy.restartAttemptPeriod":    {otherwise: number("300")},
	"containerDefinitions[].versionConsistency":                    {otherwise: "enabled"},
	"containerDefinitions[].linuxParameters.capabilities.add":      {key: []string{""}},
	"containerDefinitions[].linuxParameters.capabilities.drop":     {key: []string{""}},
	"containerDefinitions[].linuxParameters.devices":               {key: []string{"hostPath", "containerPath"}},
	"containerDefinitions[].linuxParameters.devices[].permissions": {key: []string{""}},
	"containerDefinitions[].linuxParameters.tmpfs":                 {key: []string{"containerPath"}},
	"containerDefinitions[].linuxParameters.tmpfs[].mountOptions":  {key: []string{""}},
}

// alignTags leaves tags out where AWS did not describe them, and those that only AWS sets.
func alignTags(want, have map[string]any) {
	tags, described := have["tags"].([]any)
	if !described {
		delete(want, "tags")
		return
	}
	have["tags"] = slices.DeleteFunc(tags, func(tag any) bool {
		t, _ := tag.(map[string]any)
		key, _ := t["key"].(string)
		return strings.HasPrefix(key, "aws:")
	})
}

// normaliseTask brings a task definition, wanted or described, into the form in which it is compared.
func normaliseTask(t map[string]any) {
	for _, name := range readOnly {
		delete(t, name)
	}
	fixed := t["networkMode"] == "awsvpc" || t["networkMode"] == "host"
	containers, _ := t["containerDefinitions"].([]any)
	for _, c := range containers {
		if container, ok := c.(map[string]any); ok {
			normaliseContainer(container, fixed)
		}
	}
	taskRules.object("", t)
}

// normaliseContainer treats what a table of paths cannot: values that depend on others.
func normaliseContainer(c map[string]any, fixedPorts bool) {
	if c["essential"] == nil {
		c["essential"] = true
	}
	mappings, _ := c["portMappings"].([]any)
	for _, m := range mappings {
		mapping, ok := m.(map[string]any)
		if !ok {
			continue
		}
		if mapping["protocol"] == nil {
			mapping["protocol"] = "tcp"
		}
		host := mapping["hostPort"]
		if host == nil || same(host, number("0")) || fixedPorts && same(host, mapping["containerPort"]) {
			delete(mapping, "hostPort")
		}
	}
}

// sizeText makes "1 vCPU" and "1024", "2GB" and "2048" compare equal.
func sizeText(read func(string) (int64, bool)) func(any) any {
	return func(v any) any {
		text, ok := v.(string)
		if n, isNumber := v.(json.Number); isNumber {
			text, ok = n.String(), true
		}
		if n, isSize := read(text); ok && isSize {
			return strconv.FormatInt(n, 10)
		}
		return v
	}
}
