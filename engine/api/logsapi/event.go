package logsapi

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"

	"github.com/slipway-cd/slipway/engine/api/awsdoc"
	"github.com/slipway-cd/slipway/engine/logs"
)

func at(ms *int64) time.Time {
	if ms == nil {
		return time.Time{}
	}
	return time.UnixMilli(*ms)
}

// GetLogEvents returns lines of one stream, the newest ones unless asked for the oldest.
func (s *Server) GetLogEvents(_ context.Context, in *cloudwatchlogs.GetLogEventsInput) (*cloudwatchlogs.GetLogEventsOutput, error) {
	snap := s.engine.DB().Read()
	g, err := group(snap, in.LogGroupName, in.LogGroupIdentifier)
	if err != nil {
		return nil, err
	}
	if _, err := stream(snap, g.Name, awsdoc.Or(in.LogStreamName, "")); err != nil {
		return nil, err
	}
	limit := awsdoc.Or(in.Limit, mostEvents)
	if limit < 1 || limit > mostEvents {
		return nil, badLimit(limit, mostEvents)
	}
	page, err := s.engine.Logs().Events(logs.Query{
		Group: g.Name, Stream: *in.LogStreamName, Start: at(in.StartTime), End: at(in.EndTime),
		Limit: int(limit), FromHead: awsdoc.Or(in.StartFromHead, false), Token: awsdoc.Or(in.NextToken, ""),
	})
	if err != nil {
		return nil, invalid("The specified nextToken is invalid.")
	}
	out := &cloudwatchlogs.GetLogEventsOutput{Events: []types.OutputLogEvent{}, NextForwardToken: &page.Forward, NextBackwardToken: &page.Backward}
	for _, e := range page.Events {
		out.Events = append(out.Events, types.OutputLogEvent{Message: &e.Text, Timestamp: millis(e.Time), IngestionTime: millis(e.Ingested)})
	}
	return out, nil
}

// mostEvents is how many lines one answer holds at most. [API reference: GetLogEvents, limit]
const mostEvents = 10000

// PutLogEvents appends lines to a stream.
func (s *Server) PutLogEvents(_ context.Context, in *cloudwatchlogs.PutLogEventsInput) (*cloudwatchlogs.PutLogEventsOutput, error) {
	snap := s.engine.DB().Read()
	g, err := group(snap, in.LogGroupName, nil)
	if err != nil {
		return nil, err
	}
	if _, err := stream(snap, g.Name, awsdoc.Or(in.LogStreamName, "")); err != nil {
		return nil, err
	}
	if len(in.LogEvents) == 0 || len(in.LogEvents) > mostEvents {
		return nil, invalid("Between 1 and %d log events can be put at once.", mostEvents)
	}
	now, events := s.engine.Now(), make([]logs.Event, len(in.LogEvents))
	for i, e := range in.LogEvents {
		events[i] = logs.Event{Time: at(e.Timestamp), Ingested: now, Text: awsdoc.Or(e.Message, "")}
		if i > 0 && events[i].Time.Before(events[i-1].Time) {
			return nil, invalid("Log events in a single PutLogEvents request must be in chronological order.")
		}
	}
	if err := s.engine.Logs().Put(g.Name, *in.LogStreamName, events); err != nil {
		return nil, err
	}
	return &cloudwatchlogs.PutLogEventsOutput{NextSequenceToken: awsdoc.Text("49039859593")}, nil
}
