package state

import (
	"fmt"
	"slices"
)

// DeleteAll removes every record but those of the kinds that are kept.
func (tx *Tx) DeleteAll(keep ...Kind) {
	for name := range schema().Tables {
		if slices.Contains(keep, Kind(name)) {
			continue
		}
		if _, err := tx.txn.DeleteAll(name, "id"); err != nil {
			panic(fmt.Sprintf("state: cannot delete all of kind %s: %v", name, err))
		}
	}
}
