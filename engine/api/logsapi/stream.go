package logsapi

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"

	"github.com/slipway-cd/slipway/engine/api/awsdoc"
	"github.com/slipway-cd/slipway/engine/state"
)

func stream(snap state.Snapshot, group, name string) (*state.LogStream, error) {
	for s := range snap.LogStreams(group) {
		if s.Name == name {
			return s, nil
		}
	}
	return nil, &types.ResourceNotFoundException{Message: awsdoc.Text("The specified log stream does not exist.")}
}

// CreateLogStream makes a stream in a group.
func (s *Server) CreateLogStream(_ context.Context, in *cloudwatchlogs.CreateLogStreamInput) (*cloudwatchlogs.CreateLogStreamOutput, error) {
	name := awsdoc.Or(in.LogStreamName, "")
	if name == "" || len(name) > 512 || strings.ContainsAny(name, ":*") {
		return nil, invalid("1 validation error detected: Value '%s' at 'logStreamName' failed to satisfy constraint: Member must satisfy regular expression pattern: [^:*]*", name)
	}
	err := s.engine.DB().Write(func(tx *state.Tx) error {
		g, err := group(tx.Snapshot, in.LogGroupName, nil)
		if err != nil {
			return err
		}
		if _, err := stream(tx.Snapshot, g.Name, name); err == nil {
			return &types.ResourceAlreadyExistsException{Message: awsdoc.Text("The specified log stream already exists")}
		}
		tx.Put(&state.LogStream{Group: g.Name, Name: name, ARN: fmt.Sprintf("%s:log-stream:%s", g.ARN, name), Created: s.engine.Now()})
		return nil
	})
	return &cloudwatchlogs.CreateLogStreamOutput{}, err
}

// DeleteLogStream deletes a stream with its lines.
func (s *Server) DeleteLogStream(_ context.Context, in *cloudwatchlogs.DeleteLogStreamInput) (*cloudwatchlogs.DeleteLogStreamOutput, error) {
	err := s.engine.DB().Write(func(tx *state.Tx) error {
		g, err := group(tx.Snapshot, in.LogGroupName, nil)
		if err != nil {
			return err
		}
		found, err := stream(tx.Snapshot, g.Name, awsdoc.Or(in.LogStreamName, ""))
		if err != nil {
			return err
		}
		tx.Delete(found)
		return s.engine.Logs().Delete(g.Name, found.Name)
	})
	return &cloudwatchlogs.DeleteLogStreamOutput{}, err
}

// DescribeLogStreams describes the streams of a group by name, or by the time of their last line.
func (s *Server) DescribeLogStreams(_ context.Context, in *cloudwatchlogs.DescribeLogStreamsInput) (*cloudwatchlogs.DescribeLogStreamsOutput, error) {
	if in.OrderBy == types.OrderByLastEventTime && in.LogStreamNamePrefix != nil {
		return nil, invalid("Cannot order by LastEventTime with a logStreamNamePrefix.")
	}
	snap := s.engine.DB().Read()
	g, err := group(snap, in.LogGroupName, in.LogGroupIdentifier)
	if err != nil {
		return nil, err
	}
	byKey, keys := map[string]types.LogStream{}, []string{}
	for stream := range snap.LogStreams(g.Name) {
		if !strings.HasPrefix(stream.Name, awsdoc.Or(in.LogStreamNamePrefix, "")) {
			continue
		}
		doc, err := s.describeStream(stream)
		if err != nil {
			return nil, err
		}
		key := stream.Name
		if in.OrderBy == types.OrderByLastEventTime {
			key = fmt.Sprintf("%020d%s", awsdoc.Or(doc.LastEventTimestamp, 0), stream.Name)
		}
		byKey[key], keys = doc, append(keys, key)
	}
	order := awsdoc.Ascending
	if awsdoc.Or(in.Descending, false) {
		order = awsdoc.Descending
	}
	keys, next, err := pageInOrder(keys, order, in.NextToken, in.Limit)
	if err != nil {
		return nil, err
	}
	out := &cloudwatchlogs.DescribeLogStreamsOutput{LogStreams: []types.LogStream{}, NextToken: next}
	for _, key := range keys {
		out.LogStreams = append(out.LogStreams, byKey[key])
	}
	return out, nil
}

func (s *Server) describeStream(stream *state.LogStream) (types.LogStream, error) {
	info, err := s.engine.Logs().Info(stream.Group, stream.Name)
	none := int64(0) // always 0 on AWS since 2019 [API reference: LogStream]
	return types.LogStream{
		LogStreamName: &stream.Name, Arn: &stream.ARN, CreationTime: millis(stream.Created), StoredBytes: &none, //nolint:staticcheck // AWS still sends it, always 0
		FirstEventTimestamp: millis(info.First), LastEventTimestamp: millis(info.Last), LastIngestionTime: millis(info.Ingested),
		UploadSequenceToken: awsdoc.Text("49039859593"),
	}, err
}

// streamNames are the streams that a filter looks into, sorted.
func streamNames(snap state.Snapshot, g *state.LogGroup, in *cloudwatchlogs.FilterLogEventsInput) []string {
	var names []string
	for stream := range snap.LogStreams(g.Name) {
		if (len(in.LogStreamNames) == 0 || slices.Contains(in.LogStreamNames, stream.Name)) &&
			strings.HasPrefix(stream.Name, awsdoc.Or(in.LogStreamNamePrefix, "")) {
			names = append(names, stream.Name)
		}
	}
	slices.SortFunc(names, cmp.Compare[string])
	return names
}
