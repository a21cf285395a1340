package ecs

import (
	"cmp"
	"context"
	"errors"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	logtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"

	"github.com/slipway-cd/slipway/fault"
	"github.com/slipway-cd/slipway/rollout"
)

// streamsAtOnce is how many streams one call searches. [API reference, FilterLogEvents, logStreamNames]
const streamsAtOnce = 100

// place in CloudWatch Logs of what is read in one call.
type logGroup struct{ region, name string }

// batch of streams of a group that are searched together.
type logBatch struct {
	group logGroup
	of    map[string]rollout.LogOf // by stream
}

// ReadLogs yields what containers have written since a time, the oldest first. A stream that is not there yet has no lines.
// A log group that is missing is told, as an error, once for each call, and what else there is follows.
func (t *Target) ReadLogs(ctx context.Context, from []rollout.LogOf, since time.Time) iter.Seq2[rollout.OutputLine, error] {
	return func(yield func(rollout.OutputLine, error) bool) {
		var batches []logBatch
		for _, b := range batched(from) {
			found, err := t.present(ctx, b, since)
			if err != nil && !yield(rollout.OutputLine{}, err) {
				return
			}
			batches = append(batches, found...)
		}
		t.merge(ctx, batches, since, yield)
	}
}

// merge yields the lines of all batches by their time, with one page of each in memory.
func (t *Target) merge(ctx context.Context, batches []logBatch, since time.Time, yield func(rollout.OutputLine, error) bool) {
	type head struct {
		line rollout.OutputLine
		next func() (rollout.OutputLine, error, bool)
	}
	var heads []*head
	for _, b := range batches {
		next, stop := iter.Pull2(t.lines(ctx, b, since))
		defer stop()
		heads = append(heads, &head{next: next})
	}
	advance := func(h *head) bool {
		line, err, ok := h.next()
		if !ok || err != nil {
			heads = slices.DeleteFunc(heads, func(other *head) bool { return other == h })
			return err == nil || yield(rollout.OutputLine{}, err)
		}
		h.line = line
		return true
	}
	for _, h := range slices.Clone(heads) {
		if !advance(h) {
			return
		}
	}
	for len(heads) > 0 {
		oldest := slices.MinFunc(heads, func(a, b *head) int { return a.line.Time.Compare(b.line.Time) })
		if !yield(oldest.line, nil) || !advance(oldest) {
			return
		}
	}
}

// batched puts together what one call can search.
func batched(from []rollout.LogOf) []logBatch {
	groups := map[logGroup][]rollout.LogOf{}
	for _, l := range from {
		if l.Source.Readable() && l.Source.Stream != "" {
			g := logGroup{l.Source.Region, l.Source.Group}
			groups[g] = append(groups[g], l)
		}
	}
	var all []logBatch
	for g, list := range groups {
		slices.SortFunc(list, func(a, b rollout.LogOf) int { return cmp.Compare(a.Source.Stream, b.Source.Stream) })
		for some := range slices.Chunk(list, streamsAtOnce) {
			b := logBatch{group: g, of: map[string]rollout.LogOf{}}
			for _, l := range some {
				b.of[l.Source.Stream] = l
			}
			all = append(all, b)
		}
	}
	slices.SortFunc(all, func(a, b logBatch) int {
		return cmp.Or(cmp.Compare(a.group.name, b.group.name), cmp.Compare(a.streams()[0], b.streams()[0]))
	})
	return all
}

func (b logBatch) streams() []string {
	var names []string
	for name := range b.of {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// halves splits a batch.
func (b logBatch) halves() []logBatch {
	var all []logBatch
	names := b.streams()
	for _, some := range [][]string{names[:len(names)/2], names[len(names)/2:]} {
		half := logBatch{group: b.group, of: map[string]rollout.LogOf{}}
		for _, name := range some {
			half.of[name] = b.of[name]
		}
		all = append(all, half)
	}
	return all
}

// present returns the batch without the streams that don't exist yet: one of them has the whole call refused. Which ones
// these are is found by halves, and not asked again of those that were there once.
func (t *Target) present(ctx context.Context, b logBatch, since time.Time) ([]logBatch, error) {
	known, unknown := t.knownStreams(b)
	var there []logBatch
	if len(known.of) > 0 {
		there = append(there, known)
	}
	for ask := []logBatch{unknown}; len(ask) > 0; ask = ask[1:] {
		if len(ask[0].of) == 0 {
			continue
		}
		_, err := t.filter(ctx, ask[0], since, nil, 1)
		switch {
		case err == nil:
			t.noteStreams(ask[0])
			there = append(there, ask[0])
		case noGroup(err):
			return there, fault.New(fault.NotFound, "the log group %s does not exist", b.group.name)
		case !missing(err):
			return there, t.failed("read the log group "+b.group.name, err)
		case len(ask[0].of) > 1:
			ask = append(ask, ask[0].halves()...)
		}
	}
	return there, nil
}

func (t *Target) knownStreams(b logBatch) (known, unknown logBatch) {
	known, unknown = logBatch{b.group, map[string]rollout.LogOf{}}, logBatch{b.group, map[string]rollout.LogOf{}}
	t.mu.Lock()
	defer t.mu.Unlock()
	for name, of := range b.of {
		if t.streams[b.group.name+"\n"+name] {
			known.of[name] = of
		} else {
			unknown.of[name] = of
		}
	}
	return known, unknown
}

// mostStreams is how many streams are remembered to be there. Asking again costs a call, no more.
const mostStreams = 10000

func (t *Target) noteStreams(b logBatch) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.streams == nil || len(t.streams) > mostStreams {
		t.streams = map[string]bool{}
	}
	for name := range b.of {
		t.streams[b.group.name+"\n"+name] = true
	}
}

func (t *Target) forgetStreams() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.streams = nil
}

// lines yields the lines of a batch, page by page.
func (t *Target) lines(ctx context.Context, b logBatch, since time.Time) iter.Seq2[rollout.OutputLine, error] {
	return func(yield func(rollout.OutputLine, error) bool) {
		var token *string
		for {
			out, err := t.filter(ctx, b, since, token, 0)
			if missing(err) { // what was there is gone: the next look finds out what else is not
				t.forgetStreams()
				return
			}
			if err != nil {
				yield(rollout.OutputLine{}, t.failed("read the log group "+b.group.name, err))
				return
			}
			for _, e := range out.Events {
				of := b.of[aws.ToString(e.LogStreamName)]
				line := rollout.OutputLine{
					Time: time.UnixMilli(aws.ToInt64(e.Timestamp)), Task: of.Task, Container: of.Container,
					Text: aws.ToString(e.Message), ID: aws.ToString(e.EventId),
				}
				if !yield(line, nil) {
					return
				}
			}
			if token = out.NextToken; token == nil {
				return
			}
		}
	}
}

func (t *Target) filter(ctx context.Context, b logBatch, since time.Time, token *string, limit int32) (*cloudwatchlogs.FilterLogEventsOutput, error) {
	in := &cloudwatchlogs.FilterLogEventsInput{LogGroupName: &b.group.name, LogStreamNames: b.streams(), NextToken: token}
	if !since.IsZero() {
		in.StartTime = aws.Int64(since.UnixMilli())
	}
	if limit > 0 {
		in.Limit = &limit
	}
	return t.logs.FilterLogEvents(ctx, in, inRegion(b.group.region))
}

// TailLogs returns the last lines that one container has written since a time, n of them at the most.
func (t *Target) TailLogs(ctx context.Context, of rollout.LogOf, since time.Time, n int) ([]rollout.OutputLine, error) {
	s := of.Source
	in := &cloudwatchlogs.GetLogEventsInput{LogGroupName: &s.Group, LogStreamName: &s.Stream, Limit: aws.Int32(int32(min(n, mostTailed)))}
	if !since.IsZero() {
		in.StartTime = aws.Int64(since.UnixMilli())
	}
	out, err := t.logs.GetLogEvents(ctx, in, inRegion(s.Region))
	switch {
	case noGroup(err):
		return nil, fault.New(fault.NotFound, "the log group %s does not exist", s.Group)
	case missing(err):
		return nil, nil // it has written nothing yet
	case err != nil:
		return nil, t.failed("read the log of container "+of.Container, err)
	}
	var lines []rollout.OutputLine
	for _, e := range out.Events {
		lines = append(lines, rollout.OutputLine{
			Time: time.UnixMilli(aws.ToInt64(e.Timestamp)), Task: of.Task, Container: of.Container, Text: aws.ToString(e.Message),
		})
	}
	return lines, nil
}

// mostTailed is how many lines one call returns. [API reference, GetLogEvents, limit]
const mostTailed = 10000

func inRegion(region string) func(*cloudwatchlogs.Options) {
	return func(o *cloudwatchlogs.Options) {
		if region != "" {
			o.Region = region
		}
	}
}

func missing(err error) bool {
	_, not := errors.AsType[*logtypes.ResourceNotFoundException](err)
	return not
}

// noGroup tells a group that is missing from a stream that is: CloudWatch Logs has the same error for both.
func noGroup(err error) bool {
	not, ok := errors.AsType[*logtypes.ResourceNotFoundException](err)
	return ok && strings.Contains(strings.ToLower(not.ErrorMessage()), "log group")
}
