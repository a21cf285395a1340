package descriptor

import "slices"

func (f *findings) taskDefinition(w view) {
	f.name(f.require(w, "family"))
	containers := w.get("containerDefinitions").list()
	switch {
	case len(containers) == 0:
		f.add(w.get("containerDefinitions"), "", "containerDefinitions: a task definition needs a container")
	case len(containers) > 10:
		f.add(w.get("containerDefinitions"), "AWS takes 10", "containerDefinitions has %d containers", len(containers))
	}
	f.taskSize(w, containers)
	t := task{w, containers}
	for _, c := range containers {
		f.container(t, c)
	}
	f.containersTogether(t)
	f.dependencies(t)
	f.volumes(t)
}

// task is a task definition together with its containers.
type task struct {
	view
	containers []view
}

func (t task) container(name string) (view, bool) {
	i := slices.IndexFunc(t.containers, func(c view) bool { return c.get("name").text() == name })
	if i < 0 {
		return view{}, false
	}
	return t.containers[i], true
}

func (t task) containerNames() []string {
	names := make([]string, len(t.containers))
	for i, c := range t.containers {
		names[i] = c.get("name").text()
	}
	return names
}

func (t task) networkMode() string { return t.get("networkMode").text() }

// fixedPorts reports whether host ports have to equal container ports.
func (t task) fixedPorts() bool { return t.networkMode() == "awsvpc" || t.networkMode() == "host" }

func isFargate(taskDefinition view) bool {
	return taskDefinition.get("requiresCompatibilities").contains("FARGATE")
}

func (f *findings) containersTogether(t task) {
	essential := len(t.containers) == 0
	seen, ports := map[string]bool{}, map[portKey]bool{}
	for _, c := range t.containers {
		name := c.get("name")
		if name.exists() && seen[name.text()] {
			f.add(name, "", "%s: there is another container %q", name.path, name.text())
		}
		seen[name.text()] = true
		essential = essential || c.get("essential").boolean(true)
		f.hostPorts(c, ports)
	}
	if !essential {
		f.add(t.get("containerDefinitions"), "leave essential out of one, or set it to true", "no container is essential")
	}
}

// portKey is what two containers of one task cannot both have on their instance.
type portKey struct {
	port     int64
	protocol string
}

func (f *findings) hostPorts(container view, taken map[portKey]bool) {
	for _, m := range container.get("portMappings").list() {
		port, ok := m.get("hostPort").number()
		if !ok || port == 0 {
			continue
		}
		key := portKey{port, m.get("protocol").text()}
		if key.protocol == "" {
			key.protocol = "tcp"
		}
		if taken[key] {
			f.add(m.get("hostPort"), "", "%s: host port %d is mapped twice", m.get("hostPort").path, port)
		}
		taken[key] = true
	}
}

func (f *findings) volumes(t task) {
	var volumes []string
	for _, v := range t.get("volumes").list() {
		name := f.require(v, "name")
		if name.exists() && slices.Contains(volumes, name.text()) {
			f.add(name, "", "%s: there is another volume %q", name.path, name.text())
		}
		volumes = append(volumes, name.text())
	}
	for _, c := range t.containers {
		for _, m := range c.get("mountPoints").list() {
			f.reference(m.get("sourceVolume"), "volume", volumes)
		}
		for _, m := range c.get("volumesFrom").list() {
			f.reference(m.get("sourceContainer"), "container", t.containerNames())
		}
	}
}
