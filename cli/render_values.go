package cli

import "github.com/slipway-cd/slipway/cli/terminal"

// showValues writes which value each name has in which document, and where it comes from.
func (p *Program) showValues(docs []renderedDocument) {
	t := terminal.Table{Head: []string{"NAME", "VALUE", "FROM", "USED IN"}}
	type key struct{ environment, name string }
	at := map[key]int{}
	for _, d := range docs {
		for _, v := range d.Values {
			k := key{string(d.Environment), v.Name}
			if row, seen := at[k]; seen {
				t.Rows[row][3] += ", " + string(d.Kind)
				continue
			}
			at[k] = len(t.Rows)
			used := string(d.Kind)
			if d.Environment != "" {
				used = string(d.Environment) + ": " + used
			}
			t.Add(v.Name, v.Value, v.Origin, used)
		}
	}
	p.Table(t)
}
