package logsapi

import (
	"context"
	"slices"
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
		Group: g.Name, Stream: *in.LogStreamName, Start: later(at(in.StartTime), oldest(g, s.engine.Now())), End: at(in.EndTime),
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

// What one call can put, and how far from now its lines may have been printed. [API reference: PutLogEvents]
const (
	mostBytes   = 1 << 20
	extraBytes  = 26 // counted for each line beside its own
	longestSpan = 24 * time.Hour
	tooOld      = 14 * 24 * time.Hour
	tooNew      = 2 * time.Hour
)

// PutLogEvents appends lines to a stream. Those that are too old or too far in the future are left out, and told.
func (s *Server) PutLogEvents(_ context.Context, in *cloudwatchlogs.PutLogEventsInput) (*cloudwatchlogs.PutLogEventsOutput, error) {
	snap := s.engine.DB().Read()
	g, err := group(snap, in.LogGroupName, nil)
	if err != nil {
		return nil, err
	}
	if _, err := stream(snap, g.Name, awsdoc.Or(in.LogStreamName, "")); err != nil {
		return nil, err
	}
	if err := checkEvents(in.LogEvents); err != nil {
		return nil, err
	}
	now, out := s.engine.Now(), &cloudwatchlogs.PutLogEventsOutput{NextSequenceToken: awsdoc.Text("49039859593")}
	taken, rejected := within(in.LogEvents, now, oldest(g, now))
	out.RejectedLogEventsInfo = rejected
	events := make([]logs.Event, len(taken))
	for i, e := range taken {
		events[i] = logs.Event{Time: at(e.Timestamp), Ingested: now, Text: awsdoc.Or(e.Message, "")}
	}
	return out, s.engine.Logs().Put(g.Name, *in.LogStreamName, events)
}

// checkEvents refuses lines that AWS would not look at.
func checkEvents(events []types.InputLogEvent) error {
	if len(events) == 0 || len(events) > mostEvents {
		return invalid("Between 1 and %d log events can be put at once.", mostEvents)
	}
	size := 0
	for i, e := range events {
		size += len(awsdoc.Or(e.Message, "")) + extraBytes
		if i > 0 && at(e.Timestamp).Before(at(events[i-1].Timestamp)) {
			return invalid("Log events in a single PutLogEvents request must be in chronological order.")
		}
	}
	if size > mostBytes {
		return invalid("Upload too large: %d bytes exceeds limit of %d", size, mostBytes)
	}
	if at(events[len(events)-1].Timestamp).Sub(at(events[0].Timestamp)) > longestSpan {
		return invalid("The batch of log events in a single PutLogEvents request cannot span more than 24 hours.")
	}
	return nil
}

// within returns the lines that are taken, and which ones are not: older than the group keeps them, older than two weeks, or
// of a future more than two hours away.
func within(events []types.InputLogEvent, now, kept time.Time) ([]types.InputLogEvent, *types.RejectedLogEventsInfo) {
	before := func(limit time.Time) int32 {
		n := slices.IndexFunc(events, func(e types.InputLogEvent) bool { return !at(e.Timestamp).Before(limit) })
		if n < 0 {
			n = len(events)
		}
		return int32(n) //nolint:gosec // at most 10,000
	}
	expired, old, end := before(kept), before(now.Add(-tooOld)), before(now.Add(tooNew))
	var rejected types.RejectedLogEventsInfo
	if expired > 0 {
		rejected.ExpiredLogEventEndIndex = &expired
	}
	if old > 0 {
		rejected.TooOldLogEventEndIndex = &old
	}
	if int(end) < len(events) {
		rejected.TooNewLogEventStartIndex = &end
	}
	from := max(expired, old)
	if rejected == (types.RejectedLogEventsInfo{}) {
		return events, nil
	}
	return events[min(from, end):end], &rejected
}
