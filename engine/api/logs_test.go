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

// recently is a time that lines may have been printed at.
var recently = time.Now().Add(-time.Hour).Truncate(time.Millisecond)

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
	group, now := aws.String("/ecs/web"), recently
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

func TestStreamsThatAreNamedHaveToExist(t *testing.T) {
	t.Parallel()
	h := newStillHouse(t)
	_, err := h.logs.CreateLogGroup(t.Context(), &cloudwatchlogs.CreateLogGroupInput{LogGroupName: aws.String("g")})
	must(h, 0, err)
	h.put("g", "there", recently, "text")
	_, err = h.logs.FilterLogEvents(t.Context(), &cloudwatchlogs.FilterLogEventsInput{LogGroupName: aws.String("g"), LogStreamNames: []string{"there", "not"}})
	if got := refusalOf(err); got != "ResourceNotFoundException: The specified log stream does not exist." {
		t.Errorf("got %s", got)
	}
	_, err = h.logs.FilterLogEvents(t.Context(), &cloudwatchlogs.FilterLogEventsInput{LogGroupName: aws.String("g"), LogStreamNames: make([]string, 101)})
	if got := refusalOf(err); !strings.HasPrefix(got, "InvalidParameterException: ") {
		t.Errorf("got %s", got)
	}
}

func TestLinesBeyondTheFirstTenThousandAreFound(t *testing.T) {
	t.Parallel()
	h := newStillHouse(t)
	group, now := aws.String("g"), recently
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
	h.put("/ecs/web", "b", recently, "first", "second")
	h.put("/ecs/web", "a", recently.Add(5*time.Second), "third")
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
		names = append(names, fmt.Sprint(*s.LogStreamName, *s.LastEventTimestamp-recently.UnixMilli()))
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
		second(h.logs.FilterLogEvents(t.Context(), &cloudwatchlogs.FilterLogEventsInput{LogGroupName: aws.String("/other"), FilterPattern: aws.String("{")})): "InvalidParameterException: Invalid filter pattern: a selector such as $.name is missing at its end",
	} {
		if got := code(request); got != want {
			t.Errorf("%s, expected %s", got, want)
		}
	}
}

func TestRetentionActsAndOldLinesAreNotTaken(t *testing.T) {
	t.Parallel()
	h := newStillHouse(t)
	group := aws.String("g")
	_, err := h.logs.CreateLogGroup(t.Context(), &cloudwatchlogs.CreateLogGroupInput{LogGroupName: group})
	must(h, 0, err)
	h.put(*group, "s", time.Now().Add(-48*time.Hour), "two days old")
	h.put(*group, "t", recently, "new")
	count := func() int {
		out, err := h.logs.FilterLogEvents(t.Context(), &cloudwatchlogs.FilterLogEventsInput{LogGroupName: group})
		return len(must(h, out, err).Events)
	}
	retain := func(days int32) error {
		_, err := h.logs.PutRetentionPolicy(t.Context(), &cloudwatchlogs.PutRetentionPolicyInput{LogGroupName: group, RetentionInDays: &days})
		return err
	}
	if n := count(); n != 2 {
		t.Errorf("%d lines without a policy", n)
	}
	must(h, 0, retain(3))
	if n := count(); n != 2 {
		t.Errorf("%d lines of three days", n)
	}
	must(h, 0, retain(1))
	if n := count(); n != 1 {
		t.Errorf("%d lines of one day", n)
	}
	old, err := h.logs.GetLogEvents(t.Context(), &cloudwatchlogs.GetLogEventsInput{LogGroupName: group, LogStreamName: aws.String("s")})
	if must(h, old, err); len(old.Events) != 0 {
		t.Errorf("lines of a stream that are too old: %s", h.last.answer())
	}
	if got := code(retain(2)); !strings.HasPrefix(got, "InvalidParameterException: 1 validation error detected: Value '2' at 'retentionInDays' failed to satisfy constraint: Member must satisfy enum value set: [1, 3, 5,") {
		t.Error(got)
	}
	put := &cloudwatchlogs.PutLogEventsInput{LogGroupName: group, LogStreamName: aws.String("t"), LogEvents: []types.InputLogEvent{
		{Message: aws.String("expired"), Timestamp: aws.Int64(time.Now().Add(-25 * time.Hour).UnixMilli())},
		{Message: aws.String("taken"), Timestamp: aws.Int64(time.Now().Add(-2 * time.Hour).UnixMilli())},
	}}
	out, err := h.logs.PutLogEvents(t.Context(), put)
	if r := must(h, out, err).RejectedLogEventsInfo; r == nil || *r.ExpiredLogEventEndIndex != 1 || r.TooOldLogEventEndIndex != nil || count() != 2 {
		t.Errorf("an expired line: %s", h.last.answer())
	}
	put.LogEvents = []types.InputLogEvent{{Message: aws.String("x"), Timestamp: aws.Int64(time.Now().Add(3 * time.Hour).UnixMilli())}}
	out, err = h.logs.PutLogEvents(t.Context(), put)
	if r := must(h, out, err).RejectedLogEventsInfo; r == nil || *r.TooNewLogEventStartIndex != 0 || count() != 2 {
		t.Errorf("a line from the future: %s", h.last.answer())
	}
	large := types.InputLogEvent{Message: aws.String(strings.Repeat("x", 1<<19)), Timestamp: aws.Int64(recently.UnixMilli())}
	put.LogEvents = []types.InputLogEvent{large, large}
	if _, err = h.logs.PutLogEvents(t.Context(), put); code(err) != "InvalidParameterException: Upload too large: 1048628 bytes exceeds limit of 1048576" {
		t.Error(code(err))
	}
}

func TestLogGroupsHaveTags(t *testing.T) {
	t.Parallel()
	h := newStillHouse(t)
	group := aws.String("/ecs/web")
	_, err := h.logs.CreateLogGroup(t.Context(), &cloudwatchlogs.CreateLogGroupInput{LogGroupName: group, Tags: map[string]string{"a": "1"}})
	must(h, 0, err)
	groups, err := h.logs.DescribeLogGroups(t.Context(), &cloudwatchlogs.DescribeLogGroupsInput{})
	arn := must(h, groups, err).LogGroups[0].LogGroupArn
	_, err = h.logs.TagResource(t.Context(), &cloudwatchlogs.TagResourceInput{ResourceArn: arn, Tags: map[string]string{"b": "2", "c": "3"}})
	must(h, 0, err)
	_, err = h.logs.UntagResource(t.Context(), &cloudwatchlogs.UntagResourceInput{ResourceArn: arn, TagKeys: []string{"a"}})
	must(h, 0, err)
	out, err := h.logs.ListTagsForResource(t.Context(), &cloudwatchlogs.ListTagsForResourceInput{ResourceArn: arn})
	if diff := cmp.Diff(map[string]string{"b": "2", "c": "3"}, must(h, out, err).Tags); diff != "" {
		t.Error(diff)
	}
}
