// Package terminal is where Slipway meets a person or a script: streams, colours, width, tables, live lines and JSON.
package terminal

import (
	"fmt"
	"io"
	"os"
	"strconv"
	"sync"

	"github.com/charmbracelet/x/ansi"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	jsonv1 "github.com/go-json-experiment/json/v1"
	"golang.org/x/term"
)

// Terminal is the streams of one command as a value: data goes to Out, talk goes to Err.
type Terminal struct {
	In       io.Reader
	Out, Err io.Writer
	Env      func(string) string // the environment

	OutTTY, ErrTTY bool       // a person looks at the stream
	Color          bool       // styles are shown
	Wide           func() int // columns of Err; asked for again whenever something is drawn
	High           func() int // rows of Err, 0 when nobody knows; the same
}

const defaultWidth = 80

// System returns the streams of this process. Colours are off where nobody looks, where NO_COLOR is set
// [no-color.org], where TERM is dumb, and in CI.
func System() *Terminal {
	t := &Terminal{
		In: os.Stdin, Out: os.Stdout, Err: os.Stderr, Env: os.Getenv,
		OutTTY: term.IsTerminal(int(os.Stdout.Fd())), ErrTTY: term.IsTerminal(int(os.Stderr.Fd())),
	}
	if t.Env("TERM") == "dumb" || (t.Env("CI") != "" && t.Env("CI") != "false") {
		t.OutTTY, t.ErrTTY = false, false
	}
	t.Color = t.ErrTTY && t.Env("NO_COLOR") == ""
	t.Wide = func() int { return width(os.Stderr, t.Env) }
	t.High = func() int { return height(os.Stderr) }
	return t
}

func width(f *os.File, env func(string) string) int {
	if w, _, err := term.GetSize(int(f.Fd())); err == nil && w > 0 {
		return w
	}
	if w, err := strconv.Atoi(env("COLUMNS")); err == nil && w > 0 {
		return w
	}
	return defaultWidth
}

func height(f *os.File) int {
	_, h, err := term.GetSize(int(f.Fd()))
	if err != nil {
		return 0
	}
	return h
}

// Width returns the columns that talk may take, 80 when nobody knows.
func (t *Terminal) Width() int {
	if t.Wide == nil {
		return defaultWidth
	}
	return t.Wide()
}

// Printf writes data, without styles where nobody looks at it.
func (t *Terminal) Printf(format string, args ...any) {
	fmt.Fprint(t.Out, t.Plain(fmt.Sprintf(format, args...)))
}

// Print writes data as it stands: what others wrote is theirs to style.
func (t *Terminal) Print(data string) { fmt.Fprint(t.Out, data) }

// Plain returns data without styles where nobody looks at it: these are for whoever looks at Err.
func (t *Terminal) Plain(data string) string {
	if t.OutTTY {
		return data
	}
	return ansi.Strip(data)
}

// Say writes a line of talk.
func (t *Terminal) Say(format string, args ...any) { fmt.Fprintf(t.Err, format+"\n", args...) }

// JSON writes one document, indented, with a line's end.
func (t *Terminal) JSON(v any) error { return encode(t.Out, v, "  ") }

// JSONLine writes one document on a line of its own.
func (t *Terminal) JSONLine(v any) error { return encode(t.Out, v, "") }

// documents are encoding/json's rules, but for two: a list or map that is empty is never null, so that programs can go
// through it without asking, and < > & stay as they are.
var documents = sync.OnceValue(func() json.Options {
	return json.JoinOptions(jsonv1.DefaultOptionsV1(),
		json.FormatNilSliceAsNull(false), json.FormatNilMapAsNull(false), jsontext.EscapeForHTML(false))
})

func encode(w io.Writer, v any, indent string) error {
	options := []json.Options{documents()}
	if indent != "" {
		options = append(options, jsontext.WithIndent(indent))
	}
	text, err := json.Marshal(v, options...)
	if err != nil {
		return err
	}
	_, err = w.Write(append(text, '\n'))
	return err
}
