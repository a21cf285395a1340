package api_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/google/go-cmp/cmp"
)

// put writes lines a millisecond apart to a stream, which it creates.
func (h *house) put(group, stream string, from time.Time, lines ...string) {
	h.Helper()
	_, err := h.logs.CreateLogStream(h.Context(), &cloudwatchlogs.CreateLogStreamInput{LogGroupName: &group, LogStreamName: &stream})
	must(h, 0, err)
	in := &cloudwatchlogs.PutLogEventsInput{LogGroupName: &group, LogStreamName: &stream}
	for i, line := range lines {
		in.LogEvents = append(in.LogEvents, types.InputLogEvent{Message: &line, Timestamp: aws.Int64(from.UnixMilli() + int64(i))})
	}
	_, err = h.logs.PutLogEvents(h.Context(), in)
	must(h, 0, err)
}

func TestLinesOfSeveralStreamsAreFilteredInTheOrderOfTheirTimes(t *testing.T) {
	t.Parallel()
	h := newStillHouse(t)
	group, now := aws.String("/ecs/web"), time.UnixMilli(1_700_000_000_000)
	_, err := h.logs.CreateLogGroup(t.Context(), &cloudwatchlogs.CreateLogGroupInput{LogGroupName: group})
	must(h, 0, err)
	h.put(*group, "web/app/1", now, "a0 ok", "a1 ERROR", "a2 ok")
	h.put(*group, "web/app/2", now, "b0 ERROR", "b1 ok", "b2 ok")
	all := func(in cloudwatchlogs.FilterLogEventsInput) string {
		in.LogGroupName = group
		var got []string
		pages := cloudwatchlogs.NewFilterLogEventsPaginator(h.logs, &in)
		for pages.HasMorePages() {
			page, err := pages.NextPage(t.Context())
			must(h, page, err)
			for _, e := range page.Events {
				got = append(got, strings.Fields(*e.Message)[0])
			}
		}
		return strings.Join(got, " ")
	}
	for want, in := range map[string]cloudwatchlogs.FilterLogEventsInput{
		"a0 b0 a1 b1 a2 b2": {},
		"b0 a1":             {FilterPattern: aws.String("ERROR")},
		"b0 b1 b2":          {LogStreamNames: []string{"web/app/2"}},
		"a0 a1 a2":          {LogStreamNamePrefix: aws.String("web/app/1")},
		"a1 b1":             {StartTime: aws.Int64(now.UnixMilli() + 1), EndTime: aws.Int64(now.UnixMilli() + 1)},
		"":                  {FilterPattern: aws.String("nothing")},
	} {
		if got := all(in); got != want {
			t.Errorf("%+v: %q, expected %q", in, got, want)
		}
		in.Limit = aws.Int32(1)
		if got := all(in); got != want {
			t.Errorf("line by line: %q, expected %q", got, want)
		}
	}
}

func TestLinesBeyondTheFirstTenThousandAreFound(t *testing.T) {
	t.Parallel()
	h := newStillHouse(t)
	group, now := aws.String("g"), time.UnixMilli(1_700_000_000_000)
	_, err := h.logs.CreateLogGroup(t.Context(), &cloudwatchlogs.CreateLogGroupInput{LogGroupName: group})
	must(h, 0, err)
	lines := make([]string, 9000)
	for i := range lines {
		lines[i] = fmt.Sprint("line ", i)
	}
	h.put(*group, "s", now, lines...)
	in := &cloudwatchlogs.PutLogEventsInput{LogGroupName: group, LogStreamName: aws.String("s")}
	for i := range 9000 {
		in.LogEvents = append(in.LogEvents, types.InputLogEvent{Message: aws.String(fmt.Sprint("more ", i)), Timestamp: aws.Int64(now.UnixMilli() + 9000 + int64(i))})
	}
	_, err = h.logs.PutLogEvents(t.Context(), in)
	must(h, 0, err)
	out, err := h.logs.FilterLogEvents(t.Context(), &cloudwatchlogs.FilterLogEventsInput{LogGroupName: group, FilterPattern: aws.String(`"more 8999"`)})
	if must(h, out, err); len(out.Events) != 1 {
		t.Errorf("%d lines found", len(out.Events))
	}
}

func TestLogGroupsAndStreamsAreDescribed(t *testing.T) {
	t.Parallel()
	h := newStillHouse(t)
	for _, name := range []string{"/ecs/web", "/ecs/job", "/other"} {
		_, err := h.logs.CreateLogGroup(t.Context(), &cloudwatchlogs.CreateLogGroupInput{LogGroupName: &name})
		must(h, 0, err)
	}
	h.put("/ecs/web", "b", time.UnixMilli(1_700_000_000_000), "first", "second")
	h.put("/ecs/web", "a", time.UnixMilli(1_700_000_005_000), "third")
	_, err := h.logs.PutRetentionPolicy(t.Context(), &cloudwatchlogs.PutRetentionPolicyInput{LogGroupName: aws.String("/ecs/web"), RetentionInDays: aws.Int32(7)})
	must(h, 0, err)
	groups, err := h.logs.DescribeLogGroups(t.Context(), &cloudwatchlogs.DescribeLogGroupsInput{LogGroupNamePrefix: aws.String("/ecs/"), Limit: aws.Int32(1)})
	if must(h, groups, err); len(groups.LogGroups) != 1 || *groups.LogGroups[0].LogGroupName != "/ecs/job" || groups.NextToken == nil {
		t.Errorf("groups: %s", h.last.answer())
	}
	groups, err = h.logs.DescribeLogGroups(t.Context(), &cloudwatchlogs.DescribeLogGroupsInput{LogGroupNamePrefix: aws.String("/ecs/"), NextToken: groups.NextToken})
	if must(h, groups, err); *groups.LogGroups[0].RetentionInDays != 7 || !strings.HasSuffix(*groups.LogGroups[0].Arn, ":log-group:/ecs/web:*") {
		t.Errorf("groups: %s", h.last.answer())
	}
	streams, err := h.logs.DescribeLogStreams(t.Context(), &cloudwatchlogs.DescribeLogStreamsInput{LogGroupName: aws.String("/ecs/web"), OrderBy: types.OrderByLastEventTime, Descending: aws.Bool(true)})
	must(h, streams, err)
	var names []string
	for _, s := range streams.LogStreams {
		names = append(names, fmt.Sprint(*s.LogStreamName, *s.LastEventTimestamp-1_700_000_000_000))
	}
	if diff := cmp.Diff([]string{"a5000", "b1"}, names); diff != "" {
		t.Error(diff)
	}
	events, err := h.logs.GetLogEvents(t.Context(), &cloudwatchlogs.GetLogEventsInput{LogGroupName: aws.String("/ecs/web"), LogStreamName: aws.String("b"), Limit: aws.Int32(1)})
	if must(h, events, err); *events.Events[0].Message != "second" {
		t.Errorf("the newest line: %s", h.last.answer())
	}
	for request, want := range map[error]string{
		second(h.logs.GetLogEvents(t.Context(), &cloudwatchlogs.GetLogEventsInput{LogGroupName: aws.String("/nope"), LogStreamName: aws.String("b")})):        "ResourceNotFoundException: The specified log group does not exist.",
		second(h.logs.GetLogEvents(t.Context(), &cloudwatchlogs.GetLogEventsInput{LogGroupName: aws.String("/other"), LogStreamName: aws.String("b")})):       "ResourceNotFoundException: The specified log stream does not exist.",
		second(h.logs.CreateLogGroup(t.Context(), &cloudwatchlogs.CreateLogGroupInput{LogGroupName: aws.String("/other")})):                                   "ResourceAlreadyExistsException: The specified log group already exists",
		second(h.logs.DescribeLogGroups(t.Context(), &cloudwatchlogs.DescribeLogGroupsInput{Limit: aws.Int32(51)})):                                           "InvalidParameterException: 1 validation error detected: Value '51' at 'limit' failed to satisfy constraint: Member must have value less than or equal to 50",
		second(h.logs.FilterLogEvents(t.Context(), &cloudwatchlogs.FilterLogEventsInput{LogGroupName: aws.String("/other"), FilterPattern: aws.String("{")})): "InvalidParameterException: Filter patterns over JSON, columns and regular expressions are not served by this engine. Use terms.",
	} {
		if got := code(request); got != want {
			t.Errorf("%s, expected %s", got, want)
		}
	}
}
