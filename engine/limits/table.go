package limits

import "strings"

// groups are the limits that AWS states, with the operations of each.
// [Amazon ECS API Reference, Request throttling; Elastic Load Balancing User Guide, Request throttling for the ELB API]
var groups = []struct {
	Limit
	operations string
}{
	{Limit{"cluster modify", 20, 1}, "ecs: CreateCluster DeleteCluster UpdateCluster UpdateClusterSettings PutClusterCapacityProviders"},
	{Limit{"cluster read", 50, 20}, "ecs: DescribeClusters ListClusters"},
	{Limit{"task definition modify", 20, 1}, "ecs: RegisterTaskDefinition DeregisterTaskDefinition"},
	{Limit{"task definition read", 50, 20}, "ecs: DescribeTaskDefinition ListTaskDefinitions ListTaskDefinitionFamilies"},
	{Limit{"task definition delete", 5, 1}, "ecs: DeleteTaskDefinitions"},
	{Limit{"capacity provider modify", 10, 1}, "ecs: CreateCapacityProvider UpdateCapacityProvider DeleteCapacityProvider"},
	{Limit{"capacity provider read", 50, 20}, "ecs: DescribeCapacityProviders"},
	{Limit{"resource tags modify", 20, 10}, "ecs: TagResource UntagResource"},
	{Limit{"resource tags read", 50, 20}, "ecs: ListTagsForResource"},
	{Limit{"setting modify", 10, 1}, "ecs: PutAccountSetting PutAccountSettingDefault DeleteAccountSetting"},
	{Limit{"setting read", 50, 20}, "ecs: ListAccountSettings"},
	{
		Limit{"cluster resource modify", 100, 40},
		"ecs: RunTask StartTask StopTask DeregisterContainerInstance UpdateContainerInstancesState UpdateContainerAgent PutAttributes DeleteAttributes",
	},
	{Limit{"cluster resource read", 100, 20}, "ecs: DescribeTasks ListTasks DescribeContainerInstances ListContainerInstances ListAttributes"},
	{Limit{"agent", 200, 120}, "ecs: RegisterContainerInstance DiscoverPollEndpoint SubmitTaskStateChange SubmitContainerStateChange SubmitAttachmentStateChanges"},
	{
		Limit{"cluster service modify", 50, 5},
		"ecs: CreateService UpdateService DeleteService CreateTaskSet UpdateTaskSet DeleteTaskSet UpdateServicePrimaryTaskSet",
	},
	{Limit{"cluster service read", 100, 20}, "ecs: DescribeServices ListServices ListServicesByNamespace DescribeTaskSets"},
	{
		Limit{"service deployment", 50, 20},
		"ecs: DescribeServiceDeployments ListServiceDeployments StopServiceDeployment ContinueServiceDeployment",
	},
	{Limit{"service revision", 50, 20}, "ecs: DescribeServiceRevisions"},
	{Limit{"task protection", 200, 80}, "ecs: GetTaskProtection UpdateTaskProtection"},
	{Limit{"load balancing read, version 1", 40, 10}, "elb: Describe*"},
	{Limit{"load balancing read, version 2", 40, 10}, "elbv2: Describe*"},
}

// byAction has the limit of each operation, and of the beginnings that end with "*".
var byAction = func() map[string]Limit {
	all := map[string]Limit{}
	for _, g := range groups {
		service, names, _ := strings.Cut(g.operations, ":")
		for name := range strings.FieldsSeq(names) {
			all[service+":"+name] = g.Limit
		}
	}
	return all
}()

// Of returns the limit of an operation, SERVICE:OPERATION, and whether AWS states one.
func Of(action string) (Limit, bool) {
	if limit, ok := byAction[action]; ok {
		return limit, true
	}
	service, name, _ := strings.Cut(action, ":")
	if !strings.HasPrefix(name, "Describe") {
		return Limit{}, false
	}
	limit, ok := byAction[service+":Describe*"]
	return limit, ok
}
