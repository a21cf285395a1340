package state

import (
	"maps"
	"slices"
)

// DeleteAll removes every record but those of the kinds that are kept.
func (tx *Tx) DeleteAll(keep ...Kind) {
	for _, kind := range slices.Sorted(maps.Keys(tx.tables)) {
		if kind == kindUsage || slices.Contains(keep, kind) { // usage follows from the tasks
			continue
		}
		for _, r := range slices.Collect(tx.tables[kind].each) {
			tx.Delete(r)
		}
	}
}
