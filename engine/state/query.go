package state

import "iter"

// Cluster returns the cluster with that name.
func (s Snapshot) Cluster(name ClusterName) (*Cluster, bool) {
	return get[*Cluster](s, KindCluster, string(name))
}

// Clusters returns all clusters, by name.
func (s Snapshot) Clusters() iter.Seq[*Cluster] { return all[*Cluster](s, KindCluster, "") }

// Instance returns the container instance with that id.
func (s Snapshot) Instance(id InstanceID) (*Instance, bool) {
	return get[*Instance](s, KindInstance, string(id))
}

// Instances returns the container instances of a cluster, by id.
func (s Snapshot) Instances(cluster ClusterName) iter.Seq[*Instance] {
	return all[*Instance](s, KindInstance, byCluster, string(cluster))
}

// AllInstances returns the container instances of all clusters.
func (s Snapshot) AllInstances() iter.Seq[*Instance] { return all[*Instance](s, KindInstance, "") }

// TaskDefinition returns the revision of a family.
func (s Snapshot) TaskDefinition(id TaskDefinitionID) (*TaskDefinition, bool) {
	return get[*TaskDefinition](s, KindTaskDefinition, id.key())
}

// TaskDefinitions returns the revisions of a family, oldest first; all families when family is empty.
func (s Snapshot) TaskDefinitions(family string) iter.Seq[*TaskDefinition] {
	if family == "" {
		return all[*TaskDefinition](s, KindTaskDefinition, "")
	}
	return all[*TaskDefinition](s, KindTaskDefinition, byFamily, family)
}

// Service returns the service with that key, whatever its status.
func (s Snapshot) Service(key ServiceKey) (*Service, bool) {
	return get[*Service](s, KindService, key.String())
}

// Services returns the services of a cluster, by name.
func (s Snapshot) Services(cluster ClusterName) iter.Seq[*Service] {
	return all[*Service](s, KindService, byCluster, string(cluster))
}

// AllServices returns the services of all clusters.
func (s Snapshot) AllServices() iter.Seq[*Service] { return all[*Service](s, KindService, "") }

// Events returns the events of a service, newest first.
func (s Snapshot) Events(key ServiceKey) *Events {
	if e, ok := get[*Events](s, KindEvents, key.String()); ok {
		return e
	}
	return &Events{Service: key}
}

// Deployment returns the deployment with that id.
func (s Snapshot) Deployment(id DeploymentID) (*Deployment, bool) {
	return get[*Deployment](s, KindDeployment, string(id))
}

// Deployments returns the deployments of a service, INACTIVE ones included, by id.
func (s Snapshot) Deployments(key ServiceKey) iter.Seq[*Deployment] {
	return all[*Deployment](s, KindDeployment, byService, key.String())
}

// ServiceDeployment returns the service deployment with that ARN.
func (s Snapshot) ServiceDeployment(arn string) (*ServiceDeployment, bool) {
	return get[*ServiceDeployment](s, KindServiceDeployment, arn)
}

// ServiceDeployments returns the service deployments of a service, by ARN.
func (s Snapshot) ServiceDeployments(key ServiceKey) iter.Seq[*ServiceDeployment] {
	return all[*ServiceDeployment](s, KindServiceDeployment, byService, key.String())
}

// Revision returns the service revision with that ARN.
func (s Snapshot) Revision(arn string) (*Revision, bool) {
	return get[*Revision](s, KindRevision, arn)
}

// Revisions returns the service revisions of a service, by ARN.
func (s Snapshot) Revisions(key ServiceKey) iter.Seq[*Revision] {
	return all[*Revision](s, KindRevision, byService, key.String())
}

// Task returns the task with that id.
func (s Snapshot) Task(id TaskID) (*Task, bool) { return get[*Task](s, KindTask, string(id)) }

// Tasks returns the tasks of a cluster, stopped ones included, by id.
func (s Snapshot) Tasks(cluster ClusterName) iter.Seq[*Task] {
	return all[*Task](s, KindTask, byCluster, string(cluster))
}

// AllTasks returns the tasks of all clusters.
func (s Snapshot) AllTasks() iter.Seq[*Task] { return all[*Task](s, KindTask, "") }

// TasksOfService returns the tasks of a service, stopped ones included, by id.
func (s Snapshot) TasksOfService(key ServiceKey) iter.Seq[*Task] {
	return all[*Task](s, KindTask, byService, key.String())
}

// TasksOfDeployment returns the tasks of a deployment, stopped ones included, by id.
func (s Snapshot) TasksOfDeployment(id DeploymentID) iter.Seq[*Task] {
	return all[*Task](s, KindTask, byDeployment, string(id))
}

// TasksOnInstance returns the tasks placed on a container instance, stopped ones included, by id.
func (s Snapshot) TasksOnInstance(id InstanceID) iter.Seq[*Task] {
	return all[*Task](s, KindTask, byInstance, string(id))
}

// ClassicBalancer returns the classic load balancer with that name.
func (s Snapshot) ClassicBalancer(name string) (*ClassicBalancer, bool) {
	return get[*ClassicBalancer](s, KindClassicBalancer, name)
}

// ClassicBalancers returns all classic load balancers, by name.
func (s Snapshot) ClassicBalancers() iter.Seq[*ClassicBalancer] {
	return all[*ClassicBalancer](s, KindClassicBalancer, "")
}

// Balancer returns the load balancer (application, network) with that ARN.
func (s Snapshot) Balancer(arn string) (*Balancer, bool) {
	return get[*Balancer](s, KindBalancer, arn)
}

// Balancers returns all load balancers (application, network), by ARN.
func (s Snapshot) Balancers() iter.Seq[*Balancer] { return all[*Balancer](s, KindBalancer, "") }

// Listener returns the listener with that ARN.
func (s Snapshot) Listener(arn string) (*Listener, bool) {
	return get[*Listener](s, KindListener, arn)
}

// Listeners returns the listeners of a load balancer, by ARN.
func (s Snapshot) Listeners(balancer string) iter.Seq[*Listener] {
	return all[*Listener](s, KindListener, byOwner, balancer)
}

// AllListeners returns the listeners of all load balancers.
func (s Snapshot) AllListeners() iter.Seq[*Listener] { return all[*Listener](s, KindListener, "") }

// Rule returns the listener rule with that ARN.
func (s Snapshot) Rule(arn string) (*Rule, bool) { return get[*Rule](s, KindRule, arn) }

// Rules returns the rules of a listener, its default rule included, by ARN.
func (s Snapshot) Rules(listener string) iter.Seq[*Rule] {
	return all[*Rule](s, KindRule, byOwner, listener)
}

// AllRules returns the rules of all listeners.
func (s Snapshot) AllRules() iter.Seq[*Rule] { return all[*Rule](s, KindRule, "") }

// TargetGroup returns the target group with that ARN.
func (s Snapshot) TargetGroup(arn string) (*TargetGroup, bool) {
	return get[*TargetGroup](s, KindTargetGroup, arn)
}

// TargetGroups returns all target groups, by ARN.
func (s Snapshot) TargetGroups() iter.Seq[*TargetGroup] {
	return all[*TargetGroup](s, KindTargetGroup, "")
}

// Target returns the target with that key (see Target.Key).
func (s Snapshot) Target(key string) (*Target, bool) { return get[*Target](s, KindTarget, key) }

// Targets returns the targets of a target group (by ARN) or of a classic load balancer (by ClassicGroup).
func (s Snapshot) Targets(group string) iter.Seq[*Target] {
	return all[*Target](s, KindTarget, byOwner, group)
}

// AllTargets returns the targets of all groups.
func (s Snapshot) AllTargets() iter.Seq[*Target] { return all[*Target](s, KindTarget, "") }

// TargetsOfTask returns the targets that a task serves, in all groups.
func (s Snapshot) TargetsOfTask(id TaskID) iter.Seq[*Target] {
	return all[*Target](s, KindTarget, byTask, string(id))
}

// Repository returns the image repository with that name.
func (s Snapshot) Repository(name string) (*Repository, bool) {
	return get[*Repository](s, KindRepository, name)
}

// Repositories returns all image repositories, by name.
func (s Snapshot) Repositories() iter.Seq[*Repository] {
	return all[*Repository](s, KindRepository, "")
}

// LogGroup returns the log group with that name.
func (s Snapshot) LogGroup(name string) (*LogGroup, bool) {
	return get[*LogGroup](s, KindLogGroup, name)
}

// LogGroups returns all log groups, by name.
func (s Snapshot) LogGroups() iter.Seq[*LogGroup] { return all[*LogGroup](s, KindLogGroup, "") }

// LogStreams returns the streams of a log group, by name.
func (s Snapshot) LogStreams(group string) iter.Seq[*LogStream] {
	return all[*LogStream](s, KindLogStream, byOwner, group)
}
