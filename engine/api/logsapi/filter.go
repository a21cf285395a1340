package logsapi

import (
	"context"
	"fmt"
	"hash/fnv"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"

	"github.com/slipway-cd/slipway/engine/api/awsdoc"
	"github.com/slipway-cd/slipway/engine/logs"
	"github.com/slipway-cd/slipway/engine/state"
)

// FilterLogEvents returns the lines of several streams, oldest first, that match a pattern.
func (s *Server) FilterLogEvents(_ context.Context, in *cloudwatchlogs.FilterLogEventsInput) (*cloudwatchlogs.FilterLogEventsOutput, error) {
	match, err := pattern(awsdoc.Or(in.FilterPattern, ""))
	if err != nil {
		return nil, err
	}
	limit := awsdoc.Or(in.Limit, mostEvents)
	if limit < 1 || limit > mostEvents {
		return nil, badLimit(limit, mostEvents)
	}
	if len(in.LogStreamNames) > 0 && in.LogStreamNamePrefix != nil {
		return nil, invalid("You can specify either logStreamNames or logStreamNamePrefix, but not both.")
	}
	snap := s.engine.DB().Read()
	g, err := group(snap, in.LogGroupName, in.LogGroupIdentifier)
	if err != nil {
		return nil, err
	}
	if err := known(snap, g, in.LogStreamNames); err != nil {
		return nil, err
	}
	found, err := s.search(snap, g, in, match)
	if err != nil {
		return nil, err
	}
	return cutPage(found, in.NextToken, int(limit))
}

// known refuses the names of streams that don't exist. [API reference: FilterLogEvents, ResourceNotFoundException]
func known(snap state.Snapshot, g *state.LogGroup, names []string) error {
	if len(names) > mostStreams {
		return invalid("1 validation error detected: Value at 'logStreamNames' failed to satisfy constraint: Member must have length less than or equal to %d", mostStreams)
	}
	for _, name := range names {
		if _, err := stream(snap, g.Name, name); err != nil {
			return err
		}
	}
	return nil
}

// mostStreams is how many streams can be named. [API reference: FilterLogEvents, logStreamNames]
const mostStreams = 100

func cutPage(found map[string]types.FilteredLogEvent, token *string, limit int) (*cloudwatchlogs.FilterLogEventsOutput, error) {
	keys := make([]string, 0, len(found))
	for key := range found {
		keys = append(keys, key)
	}
	keys, next, ok := awsdoc.Page(keys, awsdoc.Ascending, token, limit)
	if !ok {
		return nil, invalid("The specified nextToken is invalid.")
	}
	out := &cloudwatchlogs.FilterLogEventsOutput{Events: []types.FilteredLogEvent{}, SearchedLogStreams: []types.SearchedLogStream{}, NextToken: next}
	for _, key := range keys {
		out.Events = append(out.Events, found[key])
	}
	return out, nil
}

// search returns the lines that match, each under a key that sorts by time and stays the same from call to call.
func (s *Server) search(
	snap state.Snapshot, g *state.LogGroup, in *cloudwatchlogs.FilterLogEventsInput, match func(string) bool,
) (map[string]types.FilteredLogEvent, error) {
	found := map[string]types.FilteredLogEvent{}
	for _, name := range streamNames(snap, g, in) {
		q := logs.Query{Group: g.Name, Stream: name, Start: later(at(in.StartTime), oldest(g, s.engine.Now())), End: through(in.EndTime), FromHead: true}
		same := map[time.Time]int{} // how many lines of the stream bear a time
		for page, err := range s.pages(q) {
			if err != nil {
				return nil, err
			}
			for _, e := range page {
				same[e.Time]++
				if match == nil || match(e.Text) {
					key := fmt.Sprintf("%020d %s %08d", e.Time.UnixNano(), name, same[e.Time])
					found[key] = describeEvent(name, e, key)
				}
			}
		}
	}
	return found, nil
}

// pages yields all lines that a query asks for, a page at a time.
func (s *Server) pages(q logs.Query) func(func([]logs.Event, error) bool) {
	return func(yield func([]logs.Event, error) bool) {
		for {
			page, err := s.engine.Logs().Events(q)
			if !yield(page.Events, err) || err != nil || len(page.Events) == 0 {
				return
			}
			q.Token = page.Forward
		}
	}
}

// through is an end that is part of the span. [API reference: FilterLogEvents, endTime]
func through(ms *int64) time.Time {
	if ms == nil {
		return time.Time{}
	}
	return at(ms).Add(time.Millisecond)
}

func describeEvent(stream string, e logs.Event, key string) types.FilteredLogEvent {
	h := fnv.New64a()
	_, _ = h.Write([]byte(key)) // never fails
	return types.FilteredLogEvent{
		LogStreamName: &stream, Message: &e.Text, Timestamp: millis(e.Time), IngestionTime: millis(e.Ingested),
		EventId: awsdoc.Text("%d%020d", e.Time.UnixMilli(), h.Sum64()),
	}
}
