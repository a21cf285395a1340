package terminal

import (
	"strings"
)

// Table is rows of cells in aligned columns. The last column is not padded, so long texts may run on.
type Table struct {
	Head []string
	Rows [][]string
}

// Add appends a row.
func (t *Table) Add(cells ...string) { t.Rows = append(t.Rows, cells) }

// Table writes a table as data. The head is left out when there are no rows.
func (t *Terminal) Table(table Table) {
	if len(table.Rows) == 0 {
		return
	}
	rows := table.Rows
	if len(table.Head) > 0 {
		head := make([]string, len(table.Head))
		for i, h := range table.Head {
			head[i] = t.Style(Faint, h)
		}
		rows = append([][]string{head}, rows...)
	}
	for _, line := range align(rows) {
		t.Printf("%s\n", line)
	}
}

func align(rows [][]string) []string {
	var widths []int
	for _, row := range rows {
		for i, cell := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], Cells(cell))
		}
	}
	lines := make([]string, len(rows))
	for n, row := range rows {
		var b strings.Builder
		for i, cell := range row {
			b.WriteString(cell)
			if i < len(row)-1 {
				b.WriteString(strings.Repeat(" ", widths[i]-Cells(cell)+2))
			}
		}
		lines[n] = strings.TrimRight(b.String(), " ")
	}
	return lines
}
