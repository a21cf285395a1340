package descriptor

import (
	"fmt"
	"slices"
	"strings"

	"github.com/slipway-cd/slipway/image"
	"github.com/slipway-cd/slipway/suggest"
)

// reference reports a text that names nothing of what there is.
func (f *findings) reference(w view, what string, names []string) {
	if w.exists() && !slices.Contains(names, w.text()) {
		f.add(w, suggest.HintOrList(w.text(), names), "%s: there is no %s %q in the task definition", w.path, what, w.text())
	}
}

func (f *findings) container(t task, c view) {
	f.name(f.require(c, "name"))
	if img := f.require(c, "image"); img.exists() {
		if _, err := image.Parse(img.text()); err != nil {
			f.add(img, "", "%s: %s", img.path, err)
		}
	}
	f.memory(t, c)
	for _, m := range c.get("portMappings").list() {
		f.port(t, m)
	}
	f.healthCheck(c.get("healthCheck"))
	f.environment(c)
	f.logging(t, c)
	if isFargate(t.view) {
		f.within(c.get("stopTimeout"), 2, 120)
	}
}

// memory checks what the container needs: a limit of its own, a reservation, or the limit of the task.
func (f *findings) memory(t task, c view) {
	limit, hasLimit := c.get("memory").number()
	reserved, hasReserved := c.get("memoryReservation").number()
	switch {
	case !hasLimit && !hasReserved && !t.get("memory").exists():
		f.add(c, "add for example memory: 256 (MiB)", "%s: neither memory nor memoryReservation is given", c.path)
	case hasLimit && limit < 6:
		f.add(c.get("memory"), "AWS takes 6 MiB and more", "%s is %d", c.get("memory").path, limit)
	case hasLimit && hasReserved && reserved > limit:
		f.add(c.get("memoryReservation"), "", "%s: %d is more than memory, which is %d", c.get("memoryReservation").path,
			reserved, limit)
	}
	if n, ok := c.get("cpu").number(); ok && n < 0 {
		f.add(c.get("cpu"), "", "%s is %d", c.get("cpu").path, n)
	}
}

func (f *findings) port(t task, m view) {
	container, host := m.get("containerPort"), m.get("hostPort")
	if !container.exists() && !m.get("containerPortRange").exists() {
		f.add(m, "", "%s is missing", container.path)
	}
	f.within(container, 1, 65535)
	f.within(host, 0, 65535)
	c, _ := container.number()
	if h, ok := host.number(); ok && t.fixedPorts() && h != c && h != 0 {
		f.add(host, "make them equal, or leave hostPort out",
			"%s: %d differs from containerPort %d, which networkMode %s does not allow", host.path, h, c, t.networkMode())
	}
}

func (f *findings) healthCheck(h view) {
	if !h.exists() {
		return
	}
	command := h.get("command").texts()
	switch {
	case len(command) == 0:
		f.add(h.get("command"), `for example ["CMD-SHELL", "curl -f http://localhost/ || exit 1"]`, "%s.command is missing", h.path)
	case !slices.Contains([]string{"CMD", "CMD-SHELL", "NONE"}, command[0]):
		f.add(h.get("command"), `put "CMD" or "CMD-SHELL" first`, "%s.command begins with %q", h.path, command[0])
	}
	f.within(h.get("interval"), 5, 300)
	f.within(h.get("timeout"), 2, 60)
	f.within(h.get("retries"), 1, 10)
	f.within(h.get("startPeriod"), 0, 300)
}

// environment checks that no name is given both by environment and by secrets, nor twice by secrets.
func (f *findings) environment(c view) {
	seen := map[string]string{}
	for _, e := range c.get("environment").list() {
		seen[f.require(e, "name").text()] = "environment"
	}
	for _, s := range c.get("secrets").list() {
		name := f.require(s, "name")
		f.require(s, "valueFrom")
		if where, ok := seen[name.text()]; ok && name.exists() {
			f.add(name, "", "%s: %q is given by %s already", name.path, name.text(), where)
		}
		seen[name.text()] = "secrets"
	}
}

func (f *findings) logging(t task, c view) {
	l := c.get("logConfiguration")
	if l.exists() {
		f.require(l, "logDriver")
	}
	if l.get("logDriver").text() != "awslogs" {
		return
	}
	var missing []string
	for _, option := range []string{"awslogs-group", "awslogs-region"} {
		if !slices.Contains(l.get("options").names(), option) {
			missing = append(missing, option)
		}
	}
	if len(missing) > 0 {
		f.add(l, "", "%s: the log driver awslogs needs the options %s", l.path, strings.Join(missing, " and "))
	}
	if isFargate(t.view) && !t.get("executionRoleArn").exists() {
		f.add(l, "add executionRoleArn to the task definition", "%s: on Fargate the log driver awslogs needs an execution role", l.path)
	}
}

// dependencies checks the order in which containers wait for one another.
func (f *findings) dependencies(t task) {
	waits := map[string][]string{}
	for _, c := range t.containers {
		name := c.get("name").text()
		for _, d := range c.get("dependsOn").list() {
			on := f.require(d, "containerName")
			f.require(d, "condition")
			f.reference(on, "container", t.containerNames())
			f.condition(t, d, on)
			waits[name] = append(waits[name], on.text())
		}
	}
	if circle := findCircle(t.containerNames(), waits); circle != nil {
		c, _ := t.container(circle[0])
		f.add(c.get("dependsOn"), "", "containers wait for one another in a circle: %s", strings.Join(circle, " → "))
	}
}

func (f *findings) condition(t task, d, on view) {
	c, ok := t.container(on.text())
	if !ok {
		return
	}
	switch condition := d.get("condition").text(); {
	case (condition == "SUCCESS" || condition == "COMPLETE") && c.get("essential").boolean(true):
		f.add(d, fmt.Sprintf("set essential: false in %q", on.text()),
			"%s: %s waits for the end of %q, which is essential, so its end would end the task", d.path, condition, on.text())
	case condition == "HEALTHY" && !c.get("healthCheck").exists():
		f.add(d, fmt.Sprintf("add a healthCheck to %q", on.text()), "%s: HEALTHY waits for %q, which has no health check",
			d.path, on.text())
	}
}

// findCircle returns the names along a circle, its first name again at the end, or nil.
func findCircle(names []string, waits map[string][]string) []string {
	const active, done = 1, 2
	state, trail := map[string]int{}, []string(nil)
	var visit func(name string) []string
	visit = func(name string) []string {
		switch state[name] {
		case done:
			return nil
		case active:
			return append(slices.Clone(trail[slices.Index(trail, name):]), name)
		}
		state[name] = active
		trail = append(trail, name)
		for _, next := range waits[name] {
			if circle := visit(next); circle != nil {
				return circle
			}
		}
		trail = trail[:len(trail)-1]
		state[name] = done
		return nil
	}
	for _, name := range names {
		if circle := visit(name); circle != nil {
			return circle
		}
	}
	return nil
}
