package terminal

import (
	"fmt"
	"strings"
	"sync"

	"github.com/charmbracelet/x/ansi"
)

// Live is a block of lines at the bottom of a terminal that is drawn again in its place, with lasting lines above it.
// It draws with one write, and only what has changed, so nothing flickers. It is safe for concurrent use.
type Live struct {
	t     *Terminal
	mu    sync.Mutex
	shown []string
}

// NewLive returns an empty block. Use it only when ErrTTY is true.
func NewLive(t *Terminal) *Live { return &Live{t: t} }

// Show draws the block anew. Lines that are too long for the terminal are cut.
func (l *Live) Show(lines []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.draw(nil, l.cut(lines))
}

// Say writes lasting lines above the block.
func (l *Live) Say(lines ...string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.draw(lines, l.shown)
}

// Close leaves the block as it was last shown and puts the cursor below it.
func (l *Live) Close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.shown = nil
}

// Clear removes the block.
func (l *Live) Clear() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.draw(nil, nil)
}

func (l *Live) cut(lines []string) []string {
	if l.t.High != nil {
		if rows := l.t.High(); rows > 1 && len(lines) >= rows { // what has scrolled away cannot be drawn over
			lines = lines[:rows-1]
		}
	}
	width := l.t.Width() - 1 // a full last column would wrap on some terminals
	cut := make([]string, len(lines))
	for i, line := range lines {
		cut[i] = ansi.Truncate(line, width, "…")
	}
	return cut
}

// draw puts lasting lines where the block was, and the block below them.
func (l *Live) draw(lasting, block []string) {
	if len(lasting) == 0 && equal(l.shown, block) {
		return
	}
	var b strings.Builder
	b.WriteString("\x1b[?2026h") // hold the screen until all is written; terminals that don't know it ignore it
	if n := len(l.shown); n > 0 {
		fmt.Fprintf(&b, "\x1b[%dA\r", n)
	}
	for _, line := range lasting {
		fmt.Fprintf(&b, "%s\x1b[K\n", line)
	}
	for _, line := range block {
		fmt.Fprintf(&b, "%s\x1b[K\n", line)
	}
	b.WriteString("\x1b[J\x1b[?2026l")
	fmt.Fprint(l.t.Err, b.String())
	l.shown = block
}

func equal(a, b []string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}
