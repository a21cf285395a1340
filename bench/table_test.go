package bench

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// table is what a run came to, for people.
type table struct{ rows []row }

// row is one thing measured, what it is measured against, and how they relate. A row of one cell begins a section, or is a
// detail when it is indented.
type row []string

func (t *table) section(format string, args ...any) {
	t.rows = append(t.rows, row{fmt.Sprintf(format, args...)})
}

func (t *table) add(what, ours, baseline string, ratio float64) {
	t.rows = append(t.rows, row{"  " + what, ours, baseline, fmt.Sprintf("%.*f", digits(ratio), ratio)})
}

// note adds a fact that has no baseline.
func (t *table) note(what, ours string) { t.rows = append(t.rows, row{"  " + what, ours, "", ""}) }

// detail adds a line that is longer than a column.
func (t *table) detail(text string) { t.rows = append(t.rows, row{"    " + text}) }

func digits(ratio float64) int {
	switch {
	case ratio < 2:
		return 3
	case ratio < 10:
		return 2
	default:
		return 0
	}
}

// write draws the table in aligned columns.
func (t *table) write(to io.Writer) {
	rows := slices.Concat([]row{{"measured", "ours", "baseline of the same run", "ours ÷ baseline"}}, t.rows)
	var widths [4]int
	for _, r := range rows {
		for i, cell := range r {
			if len(r) > 1 {
				widths[i] = max(widths[i], utf8.RuneCountInString(cell))
			}
		}
	}
	for _, r := range rows {
		var line strings.Builder
		if len(r) == 1 && !strings.HasPrefix(r[0], " ") {
			line.WriteString("\n")
		}
		for i, cell := range r {
			line.WriteString(cell + strings.Repeat(" ", max(0, widths[i]-utf8.RuneCountInString(cell))+3))
		}
		fmt.Fprintln(to, strings.TrimRight(line.String(), " "))
	}
}

// median returns the middle one of some values, which must not be empty.
func median[T int | int64 | float64 | time.Duration](values []T) T {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[len(sorted)/2]
}

func ratio[T int | int64 | float64 | time.Duration](ours, baseline T) float64 {
	return float64(ours) / float64(baseline)
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.2f s", d.Seconds()) }

func millis(d time.Duration) string {
	return fmt.Sprintf("%.1f ms", float64(d)/float64(time.Millisecond))
}

func micros(d time.Duration) string {
	return fmt.Sprintf("%.1f µs", float64(d)/float64(time.Microsecond))
}

func mib(bytes int64) string { return fmt.Sprintf("%.1f MiB", float64(bytes)/(1<<20)) }
