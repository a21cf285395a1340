package api

// leftOut names the lists that AWS leaves out of an answer when there is nothing in them, as opposed to those that it
// sends as []. Sources: answers of AWS recorded in 2026 to CreateService, UpdateService, CreateCluster and
// RegisterTaskDefinition, and the examples of the AWS CLI's command reference for RunTask, DescribeTasks,
// DescribeServiceDeployments, DescribeServiceRevisions and DescribeListeners.
//
// Everything else is sent as []: of a container definition environment, mountPoints, portMappings, systemControls and
// volumesFrom; of a task definition volumes, placementConstraints, requiresAttributes and compatibilities; of a service
// loadBalancers, serviceRegistries, deployments, events, placementConstraints and placementStrategy; failures.
func leftOut() []string {
	lists := []string{
		"tags", // where AWS sends them empty, the operations give an empty list that is not nil
	}
	for of, members := range map[string][]string{
		// Amazon ECS
		"Cluster":   {"attachments"},
		"Container": {"gpuIds", "managedAgents", "networkBindings", "neuronDeviceIds"},
		"ContainerDefinition": {
			"command", "credentialSpecs", "dependsOn", "dnsSearchDomains", "dnsServers", "dockerSecurityOptions",
			"entryPoint", "environmentFiles", "extraHosts", "links", "resourceRequirements", "secrets", "ulimits",
		},
		"ContainerInstance":           {"gpuDevices"},
		"ContainerOverride":           {"command", "environment", "environmentFiles", "resourceRequirements"},
		"ContainerRestartPolicy":      {"ignoredExitCodes"},
		"Deployment":                  {"capacityProviderStrategy", "serviceConnectResources", "volumeConfigurations", "vpcLatticeConfigurations"},
		"DeploymentConfiguration":     {"lifecycleHooks"},
		"Device":                      {"permissions"},
		"KernelCapabilities":          {"add", "drop"},
		"LinuxParameters":             {"devices", "tmpfs"},
		"LogConfiguration":            {"secretOptions"},
		"MonitoringConfiguration":     {"metricConfigurations"},
		"ProxyConfiguration":          {"properties"},
		"Resource":                    {"stringSetValue"},
		"ResolvedConfiguration":       {"loadBalancers", "vpcLatticeConfigurations"},
		"Service":                     {"capacityProviderStrategy", "taskSets"},
		"ServiceConnectConfiguration": {"containerConfigurations", "services"},
		"ServiceDeployment":           {"lifecycleHookDetails"},
		"ServiceDeploymentAlarms":     {"alarmNames", "triggeredAlarmNames"},
		"ServiceRevision": {
			"capacityProviderStrategy", "gatewayConnectors", "loadBalancers", "serviceRegistries", "volumeConfigurations",
			"vpcLatticeConfigurations",
		},
		"Task":           {"inferenceAccelerators"},
		"TaskDefinition": {"inferenceAccelerators", "requiresCompatibilities"},
		"Tmpfs":          {"mountOptions"},
		// Amazon ECR
		"Repository":                  {"imageTagMutabilityExclusionFilters"},
		"PutImageTagMutabilityOutput": {"imageTagMutabilityExclusionFilters"},
		"ImageDetail":                 {"imageTags"},
		// CloudWatch Logs
		"LogGroup": {"inheritedProperties"},
		// Secrets Manager
		"CreateSecretOutput":   {"ReplicationStatus"},
		"DescribeSecretOutput": {"ExternalSecretRotationMetadata", "ReplicationStatus", "Tags"},
		"SecretListEntry":      {"ExternalSecretRotationMetadata", "Tags"},
		// CloudWatch
		"AlarmHistoryItem":     {"AlarmContributorAttributes"},
		"DescribeAlarmsOutput": {"LogAlarms"},
		"GetMetricDataOutput":  {"Messages"},
		"ListMetricsOutput":    {"OwningAccounts"},
		"MetricAlarm":          {"Metrics"},
		"MetricDataResult":     {"Messages"},
		// Elastic Load Balancing
		"AvailabilityZone": {"LoadBalancerAddresses"},
		"Listener":         {"AlpnPolicy", "Certificates"},
		"Rule":             {"Transforms"},
		"RuleCondition":    {"RegexValues", "Values"},
	} {
		for _, member := range members {
			lists = append(lists, of+"."+member)
		}
	}
	return lists
}
