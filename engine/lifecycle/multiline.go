package lifecycle

import (
	"context"
	"fmt"
	"iter"
	"regexp"
	"strings"
	"time"

	"github.com/slipway-cd/slipway/engine/logs"
)

// The options of the log driver awslogs that make one event of several lines. [Amazon ECS Developer Guide, "Send Amazon ECS logs to
// CloudWatch"; Docker, "Amazon CloudWatch Logs logging driver"]
const (
	optionDatetime  = "awslogs-datetime-format"
	optionMultiline = "awslogs-multiline-pattern"
)

// Bounds of an event of several lines, those of Docker's driver.
const (
	longestEvent = 256<<10 - 26    // bytes
	patient      = 5 * time.Second // an event is sent so long after its first line, however many more may come
)

// firstLine returns what the first line of each event matches; nil when every line is an event. The error is in the words of
// Docker's driver.
func firstLine(options map[string]string) (*regexp.Regexp, error) {
	format, hasFormat := options[optionDatetime]
	pattern, hasPattern := options[optionMultiline]
	switch {
	case hasFormat && hasPattern:
		return nil, fmt.Errorf("you cannot configure log opt '%s' and '%s' at the same time", optionDatetime, optionMultiline)
	case hasFormat:
		pattern = datetimePattern(format)
	case !hasPattern:
		return nil, nil //nolint:nilnil // every line is an event
	}
	compiled, err := regexp.Compile(pattern)
	if err != nil {
		return nil, fmt.Errorf("awslogs could not parse multiline pattern key %q: %w", pattern, err)
	}
	return compiled, nil
}

// conversions are the parts of a date and time that a format may name, as regular expressions. [Docker's awslogs driver]
var conversions = map[string]string{
	"%a": `(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)`,
	"%A": `(?:Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday)`,
	"%w": `[0-6]`,
	"%d": `(?:0[1-9]|[12][0-9]|3[01])`,
	"%b": `(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)`,
	"%B": `(?:January|February|March|April|May|June|July|August|September|October|November|December)`,
	"%m": `(?:0[1-9]|1[0-2])`,
	"%Y": `\d{4}`,
	"%y": `\d{2}`,
	"%H": `(?:[01][0-9]|2[0-3])`,
	"%I": `(?:0[0-9]|1[0-2])`,
	"%p": `[AP]M`,
	"%M": `[0-5][0-9]`,
	"%S": `[0-5][0-9]`,
	"%f": `\d{6}`,
	"%z": `[+-]\d{4}`,
	"%Z": `[A-Z]{1,4}T`,
	"%j": `(?:[012][0-9]{2}|3[0-5][0-9]|36[0-6])`,
	"%L": `\.\d{3}`,
}

var conversion = regexp.MustCompile(`%.`)

// datetimePattern turns a format of strftime into a regular expression. What is no conversion in it is one already.
func datetimePattern(format string) string {
	return conversion.ReplaceAllStringFunc(format, func(s string) string { return conversions[s] })
}

// gather makes one event of each line that matches and those that follow it, each with its line's end. The event bears the
// time of its first line. What is gathered is given on when it is older than patience, and when there are no more lines, but not
// when the context ends: then it is read again by whoever follows the container next.
func gather(ctx context.Context, lines <-chan logs.Event, first *regexp.Regexp, patience time.Duration) iter.Seq[logs.Event] {
	return func(yield func(logs.Event) bool) {
		var whole logs.Event
		var text strings.Builder
		var expired <-chan time.Time
		flush := func() bool {
			if text.Len() == 0 {
				return true
			}
			whole.Text = text.String()
			text.Reset()
			expired = nil
			return yield(whole)
		}
		for {
			select {
			case <-expired:
				if !flush() {
					return
				}
			case line, more := <-lines:
				if !more {
					if ctx.Err() == nil {
						flush()
					}
					return
				}
				if first.MatchString(line.Text) || text.Len()+len(line.Text) >= longestEvent {
					if !flush() {
						return
					}
				}
				if text.Len() == 0 {
					whole, expired = line, time.After(patience)
				}
				text.WriteString(line.Text + "\n")
			}
		}
	}
}

// linesOf counts the lines that the newest events of a stream, so many of them, were made of.
func linesOf(store *logs.Store, group, stream string, events int) (int, error) {
	if events == 0 {
		return 0, nil
	}
	page, err := store.Events(logs.Query{Group: group, Stream: stream, Limit: events})
	if err != nil {
		return 0, err
	}
	n := 0
	for _, e := range page.Events {
		n += strings.Count(e.Text, "\n")
	}
	return n, nil
}
