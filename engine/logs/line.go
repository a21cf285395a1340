package logs

import (
	"bytes"
	"errors"
	"strconv"
	"time"
)

// Event is one line of a stream.
type Event struct {
	Time     time.Time // when it was printed
	Ingested time.Time // when it was stored
	Text     string
}

var errLine = errors.New("not a stored line")

// appendLine appends the event as it is stored: two times in Unix nanoseconds, and the text quoted, so that an event is
// always one line whatever it contains.
func appendLine(b []byte, e Event) []byte {
	b = strconv.AppendInt(b, e.Time.UnixNano(), 10)
	b = append(b, ' ')
	b = strconv.AppendInt(b, e.Ingested.UnixNano(), 10)
	b = append(b, ' ')
	b = strconv.AppendQuote(b, e.Text)
	return append(b, '\n')
}

// parseLine reads what appendLine wrote, without the line's end.
func parseLine(line []byte) (Event, error) {
	first, rest, ok := bytes.Cut(line, []byte{' '})
	if !ok {
		return Event{}, errLine
	}
	second, quoted, ok := bytes.Cut(rest, []byte{' '})
	if !ok {
		return Event{}, errLine
	}
	printed, err := strconv.ParseInt(string(first), 10, 64)
	if err != nil {
		return Event{}, errLine
	}
	ingested, err := strconv.ParseInt(string(second), 10, 64)
	if err != nil {
		return Event{}, errLine
	}
	text, err := strconv.Unquote(string(quoted))
	if err != nil || len(quoted) == 0 || quoted[0] != '"' {
		return Event{}, errLine
	}
	return Event{Time: time.Unix(0, printed).UTC(), Ingested: time.Unix(0, ingested).UTC(), Text: text}, nil
}
