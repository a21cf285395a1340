package logs

import (
	"bytes"
	"fmt"
	"iter"
	"os"
	"slices"
	"time"

	"github.com/slipway-cd/slipway/fault"
)

// Query asks for lines of one stream.
type Query struct {
	Group, Stream string
	Start, End    time.Time // from Start, before End; zero: no bound
	Limit         int       // at most so many lines; 0: 10,000, as CloudWatch Logs gives at most
	FromHead      bool      // the oldest lines first; without it the newest ones. Order is always oldest first
	Token         string    // of the page before; FromHead and the token's direction are the same question
	Match         func(text string) bool
}

// Page is the answer. Both tokens always lead on: Forward to newer lines, Backward to older ones; at the end of the
// stream a token leads to an empty page with the same token, as CloudWatch Logs has it.
type Page struct {
	Events            []Event
	Forward, Backward string
}

const maxEvents = 10000

// position is where a line begins: the number of its file, and the offset in it.
type position struct {
	file   int
	offset int64
}

func (p position) before(other position) bool {
	return p.file < other.file || p.file == other.file && p.offset < other.offset
}

type placed struct {
	Event
	at, end position
}

// Events returns lines of a stream. A stream without lines has an empty page.
func (s *Store) Events(q Query) (Page, error) {
	if q.Limit <= 0 || q.Limit > maxEvents {
		q.Limit = maxEvents
	}
	forward, from, err := start(q)
	if err != nil {
		return Page{}, err
	}
	st, err := s.stream(q.Group, q.Stream)
	if err != nil {
		return Page{}, err
	}
	st.mu.Lock()
	defer st.mu.Unlock()
	if err := st.load(); err != nil {
		return Page{}, err
	}
	var found []placed
	for e, err := range st.lines(forward, from) {
		if err != nil {
			return Page{}, err
		}
		if !q.wants(e.Event) {
			continue
		}
		if found = append(found, e); len(found) == q.Limit {
			break
		}
	}
	return page(found, forward, from, st), nil
}

// start tells in which direction to read, and from where.
func start(q Query) (forward bool, from position, err error) {
	if q.Token == "" {
		if q.FromHead {
			return true, position{}, nil
		}
		return false, position{file: 1 << 62}, nil
	}
	var direction rune
	if _, err := fmt.Sscanf(q.Token, "%c/%d/%d", &direction, &from.file, &from.offset); err != nil || direction != 'f' && direction != 'b' {
		return false, from, fault.New(fault.Invalid, "the token %q was not given out", q.Token)
	}
	return direction == 'f', from, nil
}

func (q Query) wants(e Event) bool {
	return (q.Start.IsZero() || !e.Time.Before(q.Start)) &&
		(q.End.IsZero() || e.Time.Before(q.End)) &&
		(q.Match == nil || q.Match(e.Text))
}

func page(found []placed, forward bool, from position, s *stream) Page {
	first, last := from, from
	if len(found) == 0 && !forward && from.file == 1<<62 {
		end := s.end()
		first, last = end, end
	}
	if !forward {
		slices.Reverse(found)
	}
	p := Page{Events: make([]Event, len(found))}
	for i, e := range found {
		p.Events[i] = e.Event
	}
	if len(found) > 0 {
		first, last = found[0].at, found[len(found)-1].end
	}
	p.Forward = fmt.Sprintf("f/%d/%d", last.file, last.offset)
	p.Backward = fmt.Sprintf("b/%d/%d", first.file, first.offset)
	return p
}

func (s *stream) end() position {
	if len(s.files) == 0 {
		return position{}
	}
	return position{s.files[len(s.files)-1], s.size}
}

// lines yields the lines from a position on, oldest first, or those before it, newest first.
func (s *stream) lines(forward bool, from position) iter.Seq2[placed, error] {
	files := slices.Clone(s.files)
	if !forward {
		slices.Reverse(files)
	}
	return func(yield func(placed, error) bool) {
		for _, n := range files {
			if forward && n < from.file || !forward && n > from.file {
				continue
			}
			data, err := os.ReadFile(s.file(n))
			if err != nil {
				yield(placed{}, fault.New(fault.Internal, "cannot read logs: %w", err))
				return
			}
			list := parse(data)
			if !forward {
				slices.Reverse(list)
			}
			for _, e := range list {
				e.at.file, e.end.file = n, n
				if forward == e.at.before(from) { // not asked for
					continue
				}
				if !yield(e, nil) {
					return
				}
			}
		}
	}
}

// parse returns the whole lines of a file; what is no line of ours is passed over.
func parse(data []byte) []placed {
	var list []placed
	offset := int64(0)
	for line := range bytes.Lines(data) {
		begin := offset
		offset += int64(len(line))
		text, whole := bytes.CutSuffix(line, []byte{'\n'})
		if !whole {
			break
		}
		if e, err := parseLine(text); err == nil {
			list = append(list, placed{Event: e, at: position{offset: begin}, end: position{offset: offset}})
		}
	}
	return list
}
