package state

import (
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ecr/types"
)

// Repository is an image repository. Doc is what ECR describes; the images are in the registry.
type Repository struct {
	Name string
	Doc  types.Repository
	Tags []types.Tag

	Policy    string // who may do what, as JSON; empty: none
	Lifecycle string // which images expire, as JSON; empty: none
	Evaluated time.Time
	Preview   string // another lifecycle policy that is tried out; empty: none
}

func (r *Repository) Kind() Kind  { return KindRepository }
func (r *Repository) Key() string { return r.Name }

// LogGroup is a set of log streams.
type LogGroup struct {
	Name          string
	ARN           string
	Created       time.Time
	RetentionDays int // 0: for ever
	Tags          map[string]string
}

func (g *LogGroup) Kind() Kind  { return KindLogGroup }
func (g *LogGroup) Key() string { return g.Name }

// LogStream is the output of one container. Its lines are in a file beside the state.
type LogStream struct {
	Group, Name string
	ARN         string
	Created     time.Time
	Task        TaskID // the task whose container writes it; empty when it was created by hand
	Container   string
}

func (s *LogStream) Kind() Kind  { return KindLogStream }
func (s *LogStream) Key() string { return s.Group + "|" + s.Name }

// LogStream returns the stream of that group and name.
func (s Snapshot) LogStream(group, name string) (*LogStream, bool) {
	return get[*LogStream](s, KindLogStream, (&LogStream{Group: group, Name: name}).Key())
}
