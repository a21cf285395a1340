package rollout

import (
	"fmt"
	"maps"
	"slices"
)

// Need is what one task takes of the machine that it runs on.
type Need struct {
	CPU    int      // units of 1/1024 of a CPU
	Memory int      // MiB
	Ports  []string // as 80/tcp
}

// Room is what one machine has left beside everything that runs on it now.
type Room struct {
	CPU, Memory int
	Taken       map[string]bool // ports
	Old         int             // how many of the old tasks run there
}

// Replacement is old tasks that are to give way to new ones.
type Replacement struct {
	New, Old         Need
	Count            int // of new tasks
	Minimum, Maximum int // percent of Count: fewer healthy and more tasks than that there must never be
	Rooms            []Room
	Apart            bool // no two new tasks on one machine
}

// Forecast is how far a replacement gets while nothing else starts or stops.
type Forecast struct {
	Placed   int    // new tasks that find a place
	Squeezed bool   // it ends because neither bound lets a task start or stop
	Lack     string // what it ends for otherwise: CPU, memory, a port
}

// Foresee plays a rolling replacement through: new tasks start where there is room as long as the maximum allows, old ones
// stop as long as the minimum does. The minimum is rounded up, the maximum down. [UpdateService, deploymentConfiguration]
func Foresee(r Replacement) Forecast {
	g := game{Replacement: r, rooms: slices.Clone(r.Rooms), placed: make([]int, len(r.Rooms))}
	for i := range g.rooms {
		g.rooms[i].Taken = maps.Clone(g.rooms[i].Taken)
		g.old += g.rooms[i].Old
	}
	least, most := (r.Count*r.Minimum+99)/100, r.Count*r.Maximum/100
	for {
		moved := g.fresh < r.Count && g.fresh+g.old < most && g.start()
		moved = moved || g.old > 0 && g.fresh+g.old > least && g.stop()
		if !moved {
			break
		}
	}
	f := Forecast{Placed: g.fresh}
	switch {
	case g.fresh == r.Count:
	case g.fresh+g.old >= most:
		f.Squeezed = true
	default:
		f.Lack = g.lack()
	}
	return f
}

// game is a replacement being played.
type game struct {
	Replacement
	rooms      []Room
	placed     []int // new tasks, by room
	fresh, old int
}

func (g *game) start() bool {
	for i := range g.rooms {
		if g.missing(i) == "" {
			g.take(i, g.New, -1)
			g.placed[i]++
			g.fresh++
			return true
		}
	}
	return false
}

func (g *game) stop() bool {
	for i := range g.rooms {
		if g.rooms[i].Old > 0 {
			g.take(i, g.Old, 1)
			g.rooms[i].Old--
			g.old--
			return true
		}
	}
	return false
}

// take gives what a task needs back to a room, or takes it away.
func (g *game) take(i int, n Need, sign int) {
	room := &g.rooms[i]
	room.CPU += sign * n.CPU
	room.Memory += sign * n.Memory
	if room.Taken == nil {
		room.Taken = map[string]bool{}
	}
	for _, port := range n.Ports {
		room.Taken[port] = sign < 0
	}
}

// missing returns what keeps a new task out of a room; "" when nothing does.
func (g *game) missing(i int) string {
	room := g.rooms[i]
	switch {
	case g.Apart && g.placed[i] > 0:
		return "a machine of its own"
	case room.CPU < g.New.CPU:
		return "CPU"
	case room.Memory < g.New.Memory:
		return "memory"
	}
	for _, port := range g.New.Ports {
		if room.Taken[port] {
			return fmt.Sprintf("port %s", port)
		}
	}
	return ""
}

// lack returns what most rooms are missing.
func (g *game) lack() string {
	count := map[string]int{}
	for i := range g.rooms {
		count[g.missing(i)]++
	}
	found := ""
	for _, what := range slices.Sorted(maps.Keys(count)) {
		if found == "" || count[what] > count[found] {
			found = what
		}
	}
	if found == "" {
		return "instances"
	}
	return found
}
