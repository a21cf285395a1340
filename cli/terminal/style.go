package terminal

import (
	"image/color"

	"charm.land/lipgloss/v2"
)

// Tone is what a piece of text means; how that looks is decided here alone. The sixteen basic colours are used because
// every terminal's owner has chosen them to be readable.
type Tone int

// The tones.
const (
	Plain Tone = iota
	Good
	Bad
	Warn
	Busy
	Faint
	Strong
)

var colours = map[Tone]color.Color{Good: lipgloss.Green, Bad: lipgloss.Red, Warn: lipgloss.Yellow, Busy: lipgloss.Cyan}

// Style returns the text in a tone; unchanged when colours are off.
func (t *Terminal) Style(tone Tone, text string) string {
	if !t.Color || tone == Plain || text == "" {
		return text
	}
	s := lipgloss.NewStyle().Inline(true)
	switch tone {
	case Faint:
		s = s.Faint(true)
	case Strong:
		s = s.Bold(true)
	case Bad:
		s = s.Foreground(colours[tone]).Bold(true)
	default:
		s = s.Foreground(colours[tone])
	}
	return s.Render(text)
}

// hues tell things apart that mean nothing by their colour: none of them is that of an error or a warning.
var hues = []color.Color{
	lipgloss.Cyan, lipgloss.Green, lipgloss.Magenta, lipgloss.Blue, lipgloss.BrightCyan, lipgloss.BrightGreen, lipgloss.BrightMagenta,
	lipgloss.BrightBlue,
}

// Hue returns the text in the nth of the colours that tell things apart; unchanged when colours are off.
func (t *Terminal) Hue(n int, text string) string {
	if !t.Color || text == "" {
		return text
	}
	return lipgloss.NewStyle().Inline(true).Foreground(hues[n%len(hues)]).Render(text)
}

// Cells returns how many columns a text takes, styles not counted.
func Cells(text string) int { return lipgloss.Width(text) }
