// Package bench measures what Slipway promises about time and cost, each number as a ratio to a baseline of the same run.
//
// Machines differ and are shared, so absolute times mean little; what a ratio means is told in docs/benchmarks.md.
package bench

import (
	"os"
	"testing"
)

// BenchmarkRatios is one run: it builds the programs, takes the measurements one after the other and ends with a table
// of all that it found.
func BenchmarkRatios(b *testing.B) {
	h := &house{}
	if err := h.build(b.Context(), b.TempDir()); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		h.keptPromises()
		h.table.write(os.Stdout)
	})
	b.Run("startup", h.startup)
	b.Run("scheduler", h.scheduler)
	b.Run("scale", h.scale)
	for _, runtime := range runtimes(b.Context()) {
		b.Run("balancer/"+runtime, func(b *testing.B) { h.balancer(b, runtime) })
	}
	b.Run("install/speed=20", h.installQuick)
	b.Run("install/speed=1", h.installSlow)
}
