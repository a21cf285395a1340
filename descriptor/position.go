package descriptor

import (
	"strconv"
	"strings"

	"github.com/slipway-cd/slipway/fault"
)

// Position returns where a member comes from in the template: path is as containerDefinitions[0].image. Of a member that is
// not there it is the place of what is nearest to it.
func (d *Document) Position(path string) fault.Position {
	w := d.view()
	for part := range strings.SplitSeq(path, ".") {
		name, rest, _ := strings.Cut(part, "[")
		if name != "" {
			w = w.get(name)
		}
		for index := range strings.SplitSeq(rest, "[") {
			n, err := strconv.Atoi(strings.TrimSuffix(index, "]"))
			if all := w.list(); err == nil && n < len(all) {
				w = all[n]
			}
		}
	}
	return d.pos(w.at.StartOffset)
}
