package state

import (
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// ServiceKey names a service within its cluster. The zero key stands for no service.
type ServiceKey struct {
	Cluster ClusterName
	Name    string
}

// String returns cluster/name, or "" for no service.
func (k ServiceKey) String() string {
	if k.Name == "" {
		return ""
	}
	return string(k.Cluster) + "/" + k.Name
}

// Service is what somebody wants to run and keep running. Doc holds the wish as AWS describes it and the status (ACTIVE,
// DRAINING, INACTIVE); counts, deployments and events are added when asked for.
type Service struct {
	ID      ServiceKey
	Doc     types.Service
	Token   string    // client token of the request that created it
	Request []byte    // that request, to tell a repetition from another request under the same name or token
	Changed time.Time // when the wish last changed

	// What the scheduler remembers between its passes.
	Steady  bool      // the steady state has been announced and nothing has changed since
	Deleted time.Time // when it became INACTIVE

	Balancing bool // tasks were started in some zones, and as many will be stopped in others
}

func (s *Service) Kind() Kind  { return KindService }
func (s *Service) Key() string { return s.ID.String() }

// Desired returns the number of tasks wanted.
func (s *Service) Desired() int { return int(s.Doc.DesiredCount) }

// EventLimit is how many events of a service are kept. [ecs-behaviour 1.8]
const EventLimit = 100

// Events are the newest events of a service, newest first. They are a record of their own because they change often.
type Events struct {
	Service ServiceKey
	List    []types.ServiceEvent
}

func (e *Events) Kind() Kind  { return KindEvents }
func (e *Events) Key() string { return e.Service.String() }

// Add returns the events with one more, the oldest beyond EventLimit dropped.
func (e *Events) Add(id, message string, at time.Time) *Events {
	list := make([]types.ServiceEvent, 0, min(len(e.List)+1, EventLimit))
	list = append(list, types.ServiceEvent{Id: &id, Message: &message, CreatedAt: &at})
	list = append(list, e.List[:min(len(e.List), EventLimit-1)]...)
	return &Events{Service: e.Service, List: list}
}
