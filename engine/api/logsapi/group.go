// Package logsapi is the CloudWatch Logs API of the engine, over what its containers print.
package logsapi

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"

	"github.com/slipway-cd/slipway/engine"
	"github.com/slipway-cd/slipway/engine/api/awsdoc"
	"github.com/slipway-cd/slipway/engine/state"
)

// Server serves CloudWatch Logs operations: groups and streams are in the engine's state, lines in its log store.
type Server struct{ engine *engine.Engine }

// New returns the CloudWatch Logs API of an engine.
func New(e *engine.Engine) *Server { return &Server{e} }

var groupForm = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[.\-_/#A-Za-z0-9]{1,512}$`) })

func invalid(format string, args ...any) error {
	return &types.InvalidParameterException{Message: awsdoc.Text(format, args...)}
}

// badLimit refuses a limit, with the bound that it breaks.
func badLimit(limit, most int32) error {
	bound := fmt.Sprintf("less than or equal to %d", most)
	if limit < 1 {
		bound = "greater than or equal to 1"
	}
	return invalid("1 validation error detected: Value '%d' at 'limit' failed to satisfy constraint: Member must have value %s", limit, bound)
}

func millis(at time.Time) *int64 {
	if at.IsZero() {
		return nil
	}
	ms := at.UnixMilli()
	return &ms
}

// groupName resolves what clients call a group: a name, or in newer operations its ARN.
func groupName(name, identifier *string) string {
	n := awsdoc.Or(name, awsdoc.Or(identifier, ""))
	if _, after, isARN := strings.Cut(n, ":log-group:"); isARN {
		n = strings.TrimSuffix(after, ":*")
	}
	return n
}

func group(snap state.Snapshot, name, identifier *string) (*state.LogGroup, error) {
	g, ok := snap.LogGroup(groupName(name, identifier))
	if !ok {
		return nil, &types.ResourceNotFoundException{Message: awsdoc.Text("The specified log group does not exist.")}
	}
	return g, nil
}

// CreateLogGroup makes a log group.
func (s *Server) CreateLogGroup(_ context.Context, in *cloudwatchlogs.CreateLogGroupInput) (*cloudwatchlogs.CreateLogGroupOutput, error) {
	name := awsdoc.Or(in.LogGroupName, "")
	if !groupForm().MatchString(name) {
		return nil, invalid("1 validation error detected: Value '%s' at 'logGroupName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\.\\-_/#A-Za-z0-9]+", name)
	}
	if err := checkTags(in.Tags); err != nil {
		return nil, err
	}
	err := s.engine.DB().Write(func(tx *state.Tx) error {
		if _, ok := tx.LogGroup(name); ok {
			return &types.ResourceAlreadyExistsException{Message: awsdoc.Text("The specified log group already exists")}
		}
		tx.Put(&state.LogGroup{Name: name, ARN: s.engine.Identity().ARN("logs", "log-group:"+name), Created: s.engine.Now(), Tags: in.Tags})
		return nil
	})
	return &cloudwatchlogs.CreateLogGroupOutput{}, err
}

// DeleteLogGroup deletes a log group with its streams and lines.
func (s *Server) DeleteLogGroup(_ context.Context, in *cloudwatchlogs.DeleteLogGroupInput) (*cloudwatchlogs.DeleteLogGroupOutput, error) {
	err := s.engine.DB().Write(func(tx *state.Tx) error {
		g, err := group(tx.Snapshot, in.LogGroupName, nil)
		if err != nil {
			return err
		}
		for _, stream := range slices.Collect(tx.LogStreams(g.Name)) {
			tx.Delete(stream)
		}
		tx.Delete(g)
		return s.engine.Logs().DeleteGroup(g.Name)
	})
	return &cloudwatchlogs.DeleteLogGroupOutput{}, err
}

// DescribeLogGroups describes the groups whose names begin with a prefix or contain a pattern.
func (s *Server) DescribeLogGroups(_ context.Context, in *cloudwatchlogs.DescribeLogGroupsInput) (*cloudwatchlogs.DescribeLogGroupsOutput, error) {
	if in.LogGroupNamePrefix != nil && in.LogGroupNamePattern != nil {
		return nil, invalid("LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters.")
	}
	snap := s.engine.DB().Read()
	var names []string
	for g := range snap.LogGroups() {
		if strings.HasPrefix(g.Name, awsdoc.Or(in.LogGroupNamePrefix, "")) && strings.Contains(g.Name, awsdoc.Or(in.LogGroupNamePattern, "")) {
			names = append(names, g.Name)
		}
	}
	names, next, err := page(names, in.NextToken, in.Limit)
	if err != nil {
		return nil, err
	}
	out := &cloudwatchlogs.DescribeLogGroupsOutput{LogGroups: []types.LogGroup{}, NextToken: next}
	for _, name := range names {
		g, _ := snap.LogGroup(name)
		doc, err := s.describeGroup(snap, g)
		if err != nil {
			return nil, err
		}
		out.LogGroups = append(out.LogGroups, doc)
	}
	return out, nil
}

func (s *Server) describeGroup(snap state.Snapshot, g *state.LogGroup) (types.LogGroup, error) {
	var stored int64
	for stream := range snap.LogStreams(g.Name) {
		info, err := s.engine.Logs().Info(g.Name, stream.Name)
		if err != nil {
			return types.LogGroup{}, err
		}
		stored += info.Bytes
	}
	none := int32(0)
	doc := types.LogGroup{
		LogGroupName: &g.Name, Arn: awsdoc.Text("%s:*", g.ARN), LogGroupArn: &g.ARN, CreationTime: millis(g.Created),
		MetricFilterCount: &none, StoredBytes: &stored, LogGroupClass: types.LogGroupClassStandard,
	}
	if g.RetentionDays > 0 {
		days := int32(g.RetentionDays)
		doc.RetentionInDays = &days
	}
	return doc, nil
}

// largestPage is how many groups or streams one answer describes at most. [API reference: DescribeLogStreams, limit]
const largestPage = 50

func page(keys []string, token *string, size *int32) ([]string, *string, error) {
	return pageInOrder(keys, awsdoc.Ascending, token, size)
}

func pageInOrder(keys []string, order func(a, b string) int, token *string, size *int32) ([]string, *string, error) {
	n := int(awsdoc.Or(size, largestPage))
	if n < 1 || n > largestPage {
		return nil, nil, badLimit(awsdoc.Or(size, 0), largestPage)
	}
	cut, next, ok := awsdoc.Page(keys, order, token, n)
	if !ok {
		return nil, nil, invalid("The specified nextToken is invalid.")
	}
	return cut, next, nil
}
