package bench

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"testing"
	"time"
)

// starts is how often each program is started.
const starts = 60

// launches are the runs of one program.
type launches struct {
	wall, cpu []time.Duration
	memory    []int64 // KiB
}

// startup measures `slipway --help` against a program that only says hello.
func (h *house) startup(b *testing.B) {
	for b.Loop() {
		of, err := h.launches(b.Context(), starts, h.slipway, "--help", "--", h.hello)
		if err != nil {
			b.Fatal(err)
		}
		h.tellStartup(b, of[0], of[1])
	}
}

// launches runs commands in turn, so many times each.
func (h *house) launches(ctx context.Context, times int, commands ...string) (of [2]launches, err error) {
	out, err := exec.CommandContext(ctx, h.launch, append([]string{fmt.Sprint(times)}, commands...)...).Output()
	if err != nil {
		return of, err
	}
	for line := range bytes.Lines(out) {
		var number, wall, user, system, memory int64
		if _, err := fmt.Sscan(string(line), &number, &wall, &user, &system, &memory); err != nil {
			return of, fmt.Errorf("%q: %w", line, err)
		}
		l := &of[number]
		l.wall, l.cpu = append(l.wall, time.Duration(wall)), append(l.cpu, time.Duration(user+system))
		l.memory = append(l.memory, memory)
	}
	return of, nil
}

func (h *house) tellStartup(b *testing.B, ours, hello launches) {
	b.Helper()
	wall, cpu, memory := median(ours.wall), median(ours.cpu), median(ours.memory)
	least, cpuLeast, memoryLeast := median(hello.wall), median(hello.cpu), median(hello.memory)
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(ratio(wall, least), "×hello-time")
	b.ReportMetric(ratio(memory, memoryLeast), "×hello-memory")
	b.ReportMetric(float64(wall)/1e6, "ms/start")
	b.ReportMetric(float64(memory)/1024, "MiB")
	h.table.section("start-up: slipway --help against a Go hello world, median of %d", starts)
	h.table.add("wall time", millis(wall), "hello "+millis(least), ratio(wall, least))
	h.table.add("CPU time", millis(cpu), "hello "+millis(cpuLeast), ratio(cpu, cpuLeast))
	h.table.add("memory, most", mib(memory<<10), "hello "+mib(memoryLeast<<10), ratio(memory, memoryLeast))
	if size, least := sizeOf(h.slipway), sizeOf(h.hello); least > 0 {
		b.ReportMetric(float64(size)/(1<<20), "MiB-binary")
		h.table.add("size of the program", mib(size), "hello "+mib(least), ratio(size, least))
	}
}

func sizeOf(path string) int64 {
	info, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return info.Size()
}
