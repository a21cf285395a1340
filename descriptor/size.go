package descriptor

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"sync"
)

// fargateSize is a CPU size of Fargate with the memory it allows, in MiB. ("Task CPU and memory" in the Fargate
// developer guide.)
type fargateSize struct {
	cpu               int64
	least, most, step int64
}

var fargateSizes = []fargateSize{
	{256, 512, 2048, 0}, // 512, 1024 and 2048
	{512, 1024, 4096, 1024},
	{1024, 2048, 8192, 1024},
	{2048, 4096, 16384, 1024},
	{4096, 8192, 30720, 1024},
	{8192, 16384, 61440, 4096},
	{16384, 32768, 122880, 8192},
}

func (s fargateSize) allows(memory int64) bool {
	if s.step == 0 {
		return memory == 512 || memory == 1024 || memory == 2048
	}
	return memory >= s.least && memory <= s.most && (memory-s.least)%s.step == 0
}

func (s fargateSize) words() string {
	if s.step == 0 {
		return "512, 1024 or 2048 MiB"
	}
	return fmt.Sprintf("%d to %d MiB in steps of %d", s.least, s.most, s.step)
}

var (
	vcpuForm = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^([0-9]*\.?[0-9]+) *(?i:vcpus?)$`) })
	gibiForm = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^([0-9]*\.?[0-9]+) *(?i:gb)$`) })
	unitForm = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[0-9]{1,9}$`) })
)

// CPUUnits reads a task's cpu: "1024", "1 vCPU" or ".5 vCPU". One vCPU is 1024 units.
func CPUUnits(s string) (int64, bool) { return units(strings.TrimSpace(s), vcpuForm()) }

// MemoryMiB reads a task's memory: "2048", "2GB" or "0.5 GB", in MiB.
func MemoryMiB(s string) (int64, bool) { return units(strings.TrimSpace(s), gibiForm()) }

func units(s string, whole *regexp.Regexp) (int64, bool) {
	if unitForm().MatchString(s) {
		n, err := strconv.ParseInt(s, 10, 64)
		return n, err == nil
	}
	m := whole.FindStringSubmatch(s)
	if m == nil || len(m[1]) > 12 {
		return 0, false
	}
	n, err := strconv.ParseFloat(m[1], 64)
	return int64(math.Round(n * 1024)), err == nil
}

// taskSize checks the CPU and memory of the task as a whole.
func (f *findings) taskSize(w view, containers []view) {
	cpu, hasCPU := f.size(w.get("cpu"), CPUUnits, `for example "1024" or "1 vCPU"`)
	memory, hasMemory := f.size(w.get("memory"), MemoryMiB, `for example "2048" or "2GB"`)
	if isFargate(w) {
		f.fargate(w, cpu, memory, hasCPU, hasMemory)
	} else if hasCPU && (cpu < 128 || cpu > 196608) {
		f.add(w.get("cpu"), "AWS takes 128 to 196608 units", "cpu is %d units", cpu)
	}
	f.fits(w.get("cpu"), cpu, hasCPU, containers, "cpu")
	f.fits(w.get("memory"), memory, hasMemory, containers, "memory")
}

func (f *findings) size(w view, read func(string) (int64, bool), hint string) (int64, bool) {
	if !w.known() {
		return 0, false
	}
	n, ok := read(w.text())
	if !ok {
		f.add(w, hint, "%s: %q is not a size", w.path, w.text())
	}
	return n, ok
}

func (f *findings) fargate(w view, cpu, memory int64, hasCPU, hasMemory bool) {
	if mode := w.get("networkMode"); mode.text() != "awsvpc" {
		f.add(mode, "set networkMode: awsvpc", "Fargate only supports the network mode awsvpc")
	}
	for _, name := range []string{"cpu", "memory"} {
		if m := w.get(name); !m.exists() {
			f.add(m, "", "Fargate requires %s for the task as a whole", name)
		}
	}
	if !hasCPU || !hasMemory {
		return
	}
	sizes := make([]string, len(fargateSizes))
	for i, s := range fargateSizes {
		sizes[i] = strconv.FormatInt(s.cpu, 10)
		if s.cpu != cpu {
			continue
		}
		if !s.allows(memory) {
			f.add(w.get("memory"), fmt.Sprintf("with cpu %d it takes %s", cpu, s.words()),
				"Fargate has no size of cpu %d with memory %d", cpu, memory)
		}
		return
	}
	f.add(w.get("cpu"), "one of "+strings.Join(sizes, ", "), "Fargate has no size of cpu %d", cpu)
}

// fits reports containers that together want more than the task has.
func (f *findings) fits(w view, has int64, known bool, containers []view, member string) {
	var sum int64
	for _, c := range containers {
		n, ok := c.get(member).number()
		if !ok && member == "memory" {
			n, _ = c.get("memoryReservation").number()
		}
		sum += n
	}
	if known && sum > has {
		f.add(w, "", "the containers together have %s %d, the task only %d", member, sum, has)
	}
}
