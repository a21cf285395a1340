package terminal

import (
	"bytes"
	"encoding/json"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-cd/slipway/fault"
)

func testTerminal(color bool) (t *Terminal, out, talk *bytes.Buffer) {
	out, talk = &bytes.Buffer{}, &bytes.Buffer{}
	return &Terminal{Out: out, Err: talk, Color: color, Env: func(string) string { return "" }}, out, talk
}

func TestTableAlignsColumnsWhateverTheirStyle(t *testing.T) {
	t.Parallel()
	term, out, _ := testTerminal(false)
	table := Table{Head: []string{"NAME", "STATE", "NOTE"}}
	table.Add("web", "running", "long text runs on")
	table.Add("hid-generator", "ok", "")
	term.Table(table)
	want := "NAME           STATE    NOTE\n" +
		"web            running  long text runs on\n" +
		"hid-generator  ok\n"
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Error(diff)
	}
}

func TestNothingIsStyledWithoutColour(t *testing.T) {
	t.Parallel()
	term, _, _ := testTerminal(false)
	for tone := Plain; tone <= Strong; tone++ {
		if got := term.Style(tone, "x"); got != "x" {
			t.Errorf("tone %d: %q", tone, got)
		}
	}
	term.Color = true
	if got := term.Style(Good, "x"); !strings.Contains(got, "\x1b[") || Cells(got) != 1 {
		t.Errorf("styled: %q", got)
	}
}

func TestFailTellsEveryProblemWithItsPositionAndRemedy(t *testing.T) {
	t.Parallel()
	term, _, talk := testTerminal(false)
	var ps fault.Problems
	ps.Add(fault.Position{File: "slipway.yaml", Line: 3, Column: 5}, "did you mean image?", "unknown member imgae")
	ps.Add(fault.Position{File: "slipway.yaml", Line: 9}, "", "version is missing")
	term.Fail(ps.Err())
	want := "error: slipway.yaml:3:5: unknown member imgae\n       did you mean image?\n" +
		"error: slipway.yaml:9: version is missing\n"
	if diff := cmp.Diff(want, talk.String()); diff != "" {
		t.Error(diff)
	}
}

// screen plays what a Live wrote on lines of text, as a terminal would.
func screen(written string) []string {
	lines, row := []string{""}, 0
	for written != "" {
		switch {
		case strings.HasPrefix(written, "\x1b["):
			end := strings.IndexAny(written[2:], "AKJhl") + 2
			switch written[end] {
			case 'A':
				row -= int(written[2] - '0')
			case 'K':
				// what follows on the line was written before: these tests write lines from their start
			case 'J':
				lines = lines[:row+1]
				lines[row] = ""
			}
			written = written[end+1:]
		case written[0] == '\r':
			written = written[1:]
		case written[0] == '\n':
			row++
			if row == len(lines) {
				lines = append(lines, "")
			}
			written = written[1:]
		default:
			end := strings.IndexAny(written, "\x1b\n\r")
			if end < 0 {
				end = len(written)
			}
			lines[row] = written[:end]
			written = written[end:]
		}
	}
	return lines[:len(lines)-1]
}

func TestLiveDrawsInPlaceAndKeepsLastingLinesAbove(t *testing.T) {
	t.Parallel()
	term, _, talk := testTerminal(false)
	l := NewLive(term)
	l.Show([]string{"old 1", "old 2"})
	l.Say("event A")
	l.Show([]string{"new 1", "new 2", "new 3"})
	l.Say("event B")
	l.Show([]string{"last"})
	if diff := cmp.Diff([]string{"event A", "event B", "last"}, screen(talk.String())); diff != "" {
		t.Error(diff)
	}
	drawn := talk.Len()
	l.Show([]string{"last"})
	if talk.Len() != drawn {
		t.Error("the same block was drawn again")
	}
}

func TestLiveDrawsNoMoreLinesThanTheTerminalHas(t *testing.T) {
	t.Parallel()
	for rows, want := range map[int]int{0: 5, 1: 5, 3: 2, 5: 4, 6: 5} {
		var b bytes.Buffer
		term := &Terminal{Err: &b, Env: func(string) string { return "" }, High: func() int { return rows }}
		NewLive(term).Show([]string{"1", "2", "3", "4", "5"})
		if got := strings.Count(b.String(), "\n"); got != want {
			t.Errorf("%d rows: %d lines, want %d", rows, got, want)
		}
	}
}

func TestLiveCutsLinesAtTheTerminalsWidth(t *testing.T) {
	t.Parallel()
	term, _, talk := testTerminal(false)
	term.Wide = func() int { return 10 }
	NewLive(term).Show([]string{"0123456789abcdef"})
	if got := screen(talk.String()); got[0] != "01234567…" {
		t.Errorf("got %q", got)
	}
}

func TestDocumentsHaveNoNullListsAndAreElseAsEncodingJSONWritesThem(t *testing.T) {
	t.Parallel()
	type inner struct {
		List []string `json:"list"`
		Gone []string `json:"gone,omitempty"`
	}
	type document struct {
		Inner  inner           `json:"inner"`
		Map    map[string]int  `json:"map"`
		Counts map[string]int  `json:"counts"`
		Raw    json.RawMessage `json:"raw"`
		Took   time.Duration   `json:"took"`
		At     time.Time       `json:"at,omitzero"`
		Begun  time.Time       `json:"begun"`
		No     bool            `json:"no,omitempty"`
		Text   string          `json:"text"`
		Kind   fault.Kind      `json:"kind,omitempty"`
		Part   float64         `json:"part"`
		Next   *document       `json:"next,omitempty"`
	}
	d := document{
		Counts: map[string]int{"b": 1, "a": 2}, Raw: json.RawMessage(`{"z": [1,  2.50], "a": "<\u00e9>"}`), Took: 1500 * time.Microsecond,
		Begun: time.Date(2026, 1, 2, 3, 4, 5, 6000, time.UTC), Text: "<a & b> é\u2028", Part: 1e21,
	}
	var whole, line bytes.Buffer
	terminal := &Terminal{Out: &whole}
	if err := terminal.JSON(d); err != nil {
		t.Fatal(err)
	}
	terminal.Out = &line
	if err := terminal.JSONLine(d); err != nil {
		t.Fatal(err)
	}
	d.Inner.List, d.Map = []string{}, map[string]int{}
	for name, tc := range map[string]struct {
		got    string
		indent string
	}{"document": {whole.String(), "  "}, "line": {line.String(), ""}} {
		var want bytes.Buffer
		e := json.NewEncoder(&want)
		e.SetEscapeHTML(false)
		e.SetIndent("", tc.indent)
		if err := e.Encode(d); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want.String(), tc.got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestDataHasNoColoursWhereNobodyLooksAtIt(t *testing.T) {
	t.Parallel()
	for _, looked := range []bool{false, true} {
		var out strings.Builder
		term := &Terminal{Out: &out, Err: io.Discard, ErrTTY: true, OutTTY: looked, Color: true}
		term.Printf("%s\n", term.Style(Good, "proven"))
		if got := out.String(); strings.Contains(got, "\x1b") != looked || !strings.Contains(got, "proven") {
			t.Errorf("somebody looks: %t: %q", looked, got)
		}
	}
}
