package state

import "fmt"

// The kinds of records.
const (
	KindCluster           Kind = "cluster"
	KindInstance          Kind = "instance"
	KindTaskDefinition    Kind = "task-definition"
	KindService           Kind = "service"
	KindEvents            Kind = "events"
	KindDeployment        Kind = "deployment"
	KindServiceDeployment Kind = "service-deployment"
	KindRevision          Kind = "service-revision"
	KindTask              Kind = "task"
	KindTaskSet           Kind = "task-set"
	KindCapacityProvider  Kind = "capacity-provider"
	KindSetting           Kind = "account-setting"
	KindClassicBalancer   Kind = "classic-load-balancer"
	KindBalancer          Kind = "load-balancer"
	KindListener          Kind = "listener"
	KindRule              Kind = "rule"
	KindTargetGroup       Kind = "target-group"
	KindTarget            Kind = "target"
	KindRepository        Kind = "repository"
	KindLogGroup          Kind = "log-group"
	KindLogStream         Kind = "log-stream"
	KindSecret            Kind = "secret"
	KindParameter         Kind = "parameter"
	KindAlarm             Kind = "alarm"
	KindAlarmHistory      Kind = "alarm-history"
	KindEventRule         Kind = "event-rule"
	KindAPIDestination    Kind = "api-destination"
	KindRole              Kind = "role"
	KindSession           Kind = "session"
	KindScalableTarget    Kind = "scalable-target"
	KindScalingPolicy     Kind = "scaling-policy"
	KindScheduledAction   Kind = "scheduled-action"
	KindScalingActivities Kind = "scaling-activities"
	KindLostZone          Kind = "lost-zone"
	KindNamespace         Kind = "namespace"
	KindRegistry          Kind = "registry"
	KindRegistered        Kind = "registered-instance"
	KindOperation         Kind = "operation"
)

// The names of the indexes, for records that belong to another one.
const (
	byCluster    = "cluster"
	byFamily     = "family"
	byService    = "service"
	byDeployment = "deployment"
	byInstance   = "instance"
	byTask       = "task"
	byUnsettled  = "unsettled" // as byService, without stopped tasks that are Settled
	byDaemons    = "daemons"   // cluster of ACTIVE services that run on every container instance
	byGroup      = "group"     // cluster and group of tasks that have not come to their end
	byARN        = "arn"
	byToken      = "token"    // client token
	byAddress    = "address"  // of tasks that have one of their own
	byRegistry   = "registry" // revision → the registry of its tasks
	byOwner      = "owner"    // listener → load balancer, rule → listener, target → group, stream → group
)

// New record kinds are added here and in Decode.
func schema() map[string]tableSchema {
	return map[string]tableSchema{
		string(KindCluster):  table[*Cluster](KindCluster, nil),
		string(KindInstance): table(KindInstance, indexes[*Instance]{byCluster: func(r *Instance) string { return string(r.Cluster) }}),
		string(KindTaskDefinition): table(KindTaskDefinition, indexes[*TaskDefinition]{
			byFamily: func(r *TaskDefinition) string { return r.Family },
		}),
		string(KindService): table(KindService, indexes[*Service]{
			byCluster: func(r *Service) string { return string(r.ID.Cluster) },
			byDaemons: daemonKey,
			byToken:   func(r *Service) string { return r.Token },
		}),
		string(KindEvents):     table[*Events](KindEvents, nil),
		string(KindDeployment): table(KindDeployment, indexes[*Deployment]{byService: func(r *Deployment) string { return r.Service.String() }}),
		string(KindServiceDeployment): table(KindServiceDeployment, indexes[*ServiceDeployment]{
			byService: func(r *ServiceDeployment) string { return r.Service.String() },
		}),
		string(KindRevision): table(KindRevision, indexes[*Revision]{
			byService: func(r *Revision) string { return r.Service.String() }, byRegistry: registryOfRevision,
		}),
		string(KindTask): table(KindTask, indexes[*Task]{
			byCluster:    func(r *Task) string { return string(r.Cluster) },
			byService:    func(r *Task) string { return r.Service.String() },
			byDeployment: func(r *Task) string { return string(r.Deployment) },
			byInstance:   func(r *Task) string { return string(r.Instance) },
			byUnsettled:  unsettledKey,
			byGroup:      aliveGroupKey,
			byToken:      tokenOfTask,
			byAddress:    ownAddressKey,
		}),
		string(KindTaskSet):          table(KindTaskSet, indexes[*TaskSet]{byService: func(r *TaskSet) string { return r.Service.String() }}),
		string(KindCapacityProvider): table[*CapacityProvider](KindCapacityProvider, nil),
		string(KindSetting):          table[*Setting](KindSetting, nil),
		string(kindUsage):            usageTable(),
		string(KindClassicBalancer):  table[*ClassicBalancer](KindClassicBalancer, nil),
		string(KindBalancer):         table[*Balancer](KindBalancer, nil),
		string(KindListener):         table(KindListener, indexes[*Listener]{byOwner: func(r *Listener) string { return r.Balancer }}),
		string(KindRule):             table(KindRule, indexes[*Rule]{byOwner: func(r *Rule) string { return r.Listener }}),
		string(KindTargetGroup):      table[*TargetGroup](KindTargetGroup, nil),
		string(KindTarget): table(KindTarget, indexes[*Target]{
			byOwner: func(r *Target) string { return r.Group },
			byTask:  func(r *Target) string { return string(r.Task) },
		}),
		string(KindRepository):        table[*Repository](KindRepository, nil),
		string(KindLogGroup):          table[*LogGroup](KindLogGroup, nil),
		string(KindLogStream):         table(KindLogStream, indexes[*LogStream]{byOwner: func(r *LogStream) string { return r.Group }}),
		string(KindSecret):            table(KindSecret, indexes[*Secret]{byARN: func(r *Secret) string { return *r.Doc.ARN }}),
		string(KindParameter):         table[*Parameter](KindParameter, nil),
		string(KindAlarm):             table[*Alarm](KindAlarm, nil),
		string(KindAlarmHistory):      table[*AlarmHistory](KindAlarmHistory, nil),
		string(KindEventRule):         table[*EventRule](KindEventRule, nil),
		string(KindAPIDestination):    table[*APIDestination](KindAPIDestination, nil),
		string(KindRole):              table[*Role](KindRole, nil),
		string(KindSession):           table[*Session](KindSession, nil),
		string(KindScalableTarget):    table[*ScalableTarget](KindScalableTarget, nil),
		string(KindScalingPolicy):     table(KindScalingPolicy, indexes[*ScalingPolicy]{byOwner: func(r *ScalingPolicy) string { return r.Resource }}),
		string(KindScheduledAction):   table(KindScheduledAction, indexes[*ScheduledAction]{byOwner: func(r *ScheduledAction) string { return r.Resource }}),
		string(KindScalingActivities): table[*ScalingActivities](KindScalingActivities, nil),
		string(KindLostZone):          table[*LostZone](KindLostZone, nil),
		string(KindNamespace):         table[*Namespace](KindNamespace, nil),
		string(KindRegistry):          table(KindRegistry, indexes[*Registry]{byOwner: func(r *Registry) string { return r.Namespace }}),
		string(KindRegistered):        table(KindRegistered, indexes[*Registered]{byOwner: func(r *Registered) string { return r.Registry }}),
		string(KindOperation):         table[*Operation](KindOperation, nil),
	}
}

// Decode makes the record of that kind from what stored it: unmarshal fills the pointer it is given.
func Decode(kind Kind, unmarshal func(any) error) (Record, error) {
	var r Record
	switch kind {
	case KindCluster:
		r = &Cluster{}
	case KindInstance:
		r = &Instance{}
	case KindTaskDefinition:
		r = &TaskDefinition{}
	case KindService:
		r = &Service{}
	case KindEvents:
		r = &Events{}
	case KindDeployment:
		r = &Deployment{}
	case KindServiceDeployment:
		r = &ServiceDeployment{}
	case KindRevision:
		r = &Revision{}
	case KindTask:
		r = &Task{}
	case KindTaskSet:
		r = &TaskSet{}
	case KindCapacityProvider:
		r = &CapacityProvider{}
	case KindSetting:
		r = &Setting{}
	case KindClassicBalancer:
		r = &ClassicBalancer{}
	case KindBalancer:
		r = &Balancer{}
	case KindListener:
		r = &Listener{}
	case KindRule:
		r = &Rule{}
	case KindTargetGroup:
		r = &TargetGroup{}
	case KindTarget:
		r = &Target{}
	case KindRepository:
		r = &Repository{}
	case KindLogGroup:
		r = &LogGroup{}
	case KindLogStream:
		r = &LogStream{}
	case KindSecret:
		r = &Secret{}
	case KindParameter:
		r = &Parameter{}
	case KindAlarm:
		r = &Alarm{}
	case KindAlarmHistory:
		r = &AlarmHistory{}
	case KindEventRule:
		r = &EventRule{}
	case KindAPIDestination:
		r = &APIDestination{}
	case KindRole:
		r = &Role{}
	case KindSession:
		r = &Session{}
	case KindScalableTarget:
		r = &ScalableTarget{}
	case KindScalingPolicy:
		r = &ScalingPolicy{}
	case KindScheduledAction:
		r = &ScheduledAction{}
	case KindScalingActivities:
		r = &ScalingActivities{}
	case KindLostZone:
		r = &LostZone{}
	case KindNamespace:
		r = &Namespace{}
	case KindRegistry:
		r = &Registry{}
	case KindRegistered:
		r = &Registered{}
	case KindOperation:
		r = &Operation{}
	default:
		return nil, fmt.Errorf("unknown kind of record %q", kind)
	}
	return r, unmarshal(r)
}
