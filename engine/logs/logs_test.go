package logs

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/slipway-cd/slipway/fault"
)

var epoch = time.Unix(1_700_000_000, 0).UTC()

func lines(texts ...string) []Event {
	list := make([]Event, len(texts))
	for i, text := range texts {
		list[i] = Event{Time: epoch.Add(time.Duration(i) * time.Second), Ingested: epoch.Add(time.Hour), Text: text}
	}
	return list
}

func open(t *testing.T, dir string) *Store {
	t.Helper()
	s, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func put(t *testing.T, s *Store, events []Event) {
	t.Helper()
	if err := s.Put("/web", "ecs/app/1", events); err != nil {
		t.Fatal(err)
	}
}

func ask(t *testing.T, s *Store, q Query) Page {
	t.Helper()
	q.Group, q.Stream = "/web", "ecs/app/1"
	p, err := s.Events(q)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func texts(p Page) string {
	var list []string
	for _, e := range p.Events {
		list = append(list, e.Text)
	}
	return strings.Join(list, " ")
}

func TestEventsAnswerWhatIsAskedFor(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir())
	put(t, s, lines("a", "b", "c", "d", "e"))
	for name, tc := range map[string]struct {
		query Query
		want  string
	}{
		"everything":          {Query{}, "a b c d e"},
		"the newest":          {Query{Limit: 2}, "d e"},
		"the oldest":          {Query{Limit: 2, FromHead: true}, "a b"},
		"from a time":         {Query{Start: epoch.Add(3 * time.Second)}, "d e"},
		"before a time":       {Query{End: epoch.Add(2 * time.Second)}, "a b"},
		"between two times":   {Query{Start: epoch.Add(time.Second), End: epoch.Add(3 * time.Second)}, "b c"},
		"the newest before":   {Query{End: epoch.Add(3 * time.Second), Limit: 1}, "c"},
		"what matches":        {Query{Match: func(text string) bool { return text > "c" }}, "d e"},
		"newest that matches": {Query{Limit: 1, Match: func(text string) bool { return text < "c" }}, "b"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := texts(ask(t, s, tc.query)); got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}

func TestTokensLeadOnInBothDirections(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir())
	put(t, s, lines("a", "b", "c", "d", "e"))
	first := ask(t, s, Query{Limit: 2, FromHead: true})
	second := ask(t, s, Query{Limit: 2, Token: first.Forward})
	third := ask(t, s, Query{Limit: 2, Token: second.Forward})
	end := ask(t, s, Query{Limit: 2, Token: third.Forward})
	if got := texts(second) + "|" + texts(third) + "|" + texts(end); got != "c d|e|" {
		t.Errorf("forward: %s", got)
	}
	if end.Forward != third.Forward {
		t.Error("at the end the token changes")
	}
	if got := texts(ask(t, s, Query{Limit: 1, Token: second.Backward})); got != "b" {
		t.Errorf("backward: %s", got)
	}
	if err := s.Put("/web", "ecs/app/1", lines("f")); err != nil {
		t.Fatal(err)
	}
	if got := texts(ask(t, s, Query{Token: end.Forward})); got != "f" {
		t.Errorf("what came later: %q", got)
	}
}

func TestTokenOfAnEmptyStreamLeadsToItsFirstLines(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir())
	for _, fromHead := range []bool{true, false} {
		p := ask(t, s, Query{FromHead: fromHead})
		put(t, s, lines("a"))
		if got := texts(ask(t, s, Query{Token: p.Forward})); got != "a" {
			t.Errorf("got %q", got)
		}
		if err := s.DeleteGroup("/web"); err != nil {
			t.Fatal(err)
		}
	}
}

func TestForeignTokenIsRefused(t *testing.T) {
	t.Parallel()
	_, err := open(t, t.TempDir()).Events(Query{Group: "g", Stream: "s", Token: "x/1/2"})
	if fault.KindOf(err) != fault.Invalid {
		t.Errorf("got %v", err)
	}
}

func TestStreamIsBoundedAndKeepsItsNewestLines(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, dir)
	long := strings.Repeat("x", 100<<10)
	n := 0
	for range 40 {
		var batch []Event
		for range 10 {
			batch = append(batch, Event{Time: epoch.Add(time.Duration(n)), Text: fmt.Sprint(n, " ", long)})
			n++
		}
		put(t, s, batch)
	}
	files, err := filepath.Glob(filepath.Join(dir, "*", "*", "*.log"))
	if err != nil || len(files) != maxFiles {
		t.Errorf("%d files, %v", len(files), err)
	}
	p := ask(t, s, Query{Limit: 3})
	if len(p.Events) != 3 || !strings.HasPrefix(p.Events[2].Text, fmt.Sprint(n-1, " ")) {
		t.Errorf("the newest lines are gone")
	}
	info, _ := s.Info("/web", "ecs/app/1")
	if size := diskUse(t, files); size != info.Bytes || size > (maxFiles+1)*fileSize {
		t.Errorf("%d bytes on disk, %d said", size, info.Bytes)
	}
}

func diskUse(t *testing.T, files []string) (size int64) {
	t.Helper()
	for _, f := range files {
		st, err := os.Stat(f)
		if err != nil {
			t.Fatal(err)
		}
		size += st.Size()
	}
	return size
}

func TestStoreThatIsOpenedAgainKnowsWhereItWas(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, dir)
	put(t, s, lines("a", "b"))
	put(t, s, lines("a", "b")[1:])
	before, _ := s.Info("/web", "ecs/app/1")
	if before.AtLast != 2 || !before.Last.Equal(epoch.Add(time.Second)) {
		t.Errorf("info %+v", before)
	}
	files, _ := filepath.Glob(filepath.Join(dir, "*", "*", "*.log"))
	f, err := os.OpenFile(files[0], os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = f.WriteString("1700000002000000000 17") // killed in the middle of a line
	_ = f.Close()

	again := open(t, dir)
	after, err := again.Info("/web", "ecs/app/1")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(before, after); diff != "" {
		t.Error(diff)
	}
	put(t, again, lines("c"))
	if got := texts(ask(t, again, Query{})); got != "a b b c" {
		t.Errorf("got %q", got)
	}
}

func TestDeleteRemovesAStreamAndNoOther(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir())
	put(t, s, lines("a"))
	for _, name := range []string{"ecs/app/2", "..", "", "ecs/app", strings.Repeat("long/", 100)} {
		if err := s.Put("/web", name, lines("x")); err != nil {
			t.Fatal(err)
		}
		if err := s.Delete("/web", name); err != nil {
			t.Fatal(err)
		}
		if p, err := s.Events(Query{Group: "/web", Stream: name}); err != nil || len(p.Events) != 0 {
			t.Errorf("%q: %v %v", name, p, err)
		}
	}
	if got := texts(ask(t, s, Query{})); got != "a" {
		t.Errorf("got %q", got)
	}
}

func TestClosedStoreTakesNothing(t *testing.T) {
	t.Parallel()
	s := open(t, t.TempDir())
	_ = s.Close()
	if err := s.Put("g", "s", lines("a")); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("got %v", err)
	}
}

func TestEveryTextIsKeptAsItIs(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		e := Event{
			Time:     time.Unix(0, rapid.Int64().Draw(t, "time")).UTC(),
			Ingested: time.Unix(0, rapid.Int64().Draw(t, "ingested")).UTC(),
			Text:     rapid.OneOf(rapid.String(), rapid.Map(rapid.SliceOf(rapid.Byte()), func(b []byte) string { return string(b) })).Draw(t, "text"),
		}
		line := appendLine(nil, e)
		got, err := parseLine(line[:len(line)-1])
		if err != nil || got != e {
			t.Fatalf("%q became %+v, %v", line, got, err)
		}
	})
}

func FuzzParseLine(f *testing.F) {
	f.Add([]byte(`1700000000000000000 1700000000000000001 "hello"`))
	f.Add([]byte(`1 2 'a'`))
	f.Fuzz(func(t *testing.T, line []byte) {
		e, err := parseLine(line)
		if err != nil {
			return
		}
		again := appendLine(nil, e)
		if back, err := parseLine(again[:len(again)-1]); err != nil || back != e {
			t.Errorf("%q: %+v became %+v, %v", line, e, back, err)
		}
	})
}
