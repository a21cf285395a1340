package descriptor

import (
	"slices"
)

func (f *findings) serviceDefinition(w view, task *Document) {
	f.name(f.require(w, "serviceName"))
	f.cluster(w)
	if token := w.get("clientToken"); len(token.text()) > 36 {
		f.add(token, "AWS takes 36", "clientToken has %d characters", len(token.text()))
	}
	external := w.get("deploymentController").get("type").text() == "EXTERNAL"
	if !external {
		f.require(w, "taskDefinition")
	}
	count := w.get("desiredCount")
	switch daemon := w.get("schedulingStrategy").text() == "DAEMON"; {
	case daemon && count.exists():
		f.add(count, "remove it", "desiredCount: a daemon service runs one task on every instance")
	case !daemon && !external && !count.exists():
		f.add(w, "", "desiredCount is missing")
	}
	f.service(w, task)
	f.network(w, task)
}

func (f *findings) serviceUpdate(w view, task *Document) {
	f.require(w, "service")
	f.cluster(w)
	f.service(w, task)
}

func (f *findings) cluster(w view) {
	if c := w.get("cluster"); c.exists() && !awsName().MatchString(lastPart(c.text())) {
		f.add(c, "the cluster's name or ARN", "cluster: %q is not a name that AWS takes", c.text())
	}
}

// service checks what creating and updating a service have in common.
func (f *findings) service(w view, task *Document) {
	if n, ok := w.get("desiredCount").number(); ok && n < 0 {
		f.add(w.get("desiredCount"), "", "desiredCount is %d", n)
	}
	if w.get("launchType").exists() && len(w.get("capacityProviderStrategy").list()) > 0 {
		f.add(w.get("capacityProviderStrategy"), "keep one of them", "launchType and capacityProviderStrategy exclude each other")
	}
	f.percentages(w.get("deploymentConfiguration"))
	if len(w.get("loadBalancers").list()) > 5 {
		f.add(w.get("loadBalancers"), "AWS takes 5", "loadBalancers has %d entries", len(w.get("loadBalancers").list()))
	}
	for _, lb := range w.get("loadBalancers").list() {
		f.loadBalancer(lb, task)
	}
	if task != nil {
		f.sameFamily(w.get("taskDefinition"), task.view().get("family"))
	}
}

func (f *findings) percentages(d view) {
	most, hasMost := d.get("maximumPercent").number()
	least, hasLeast := d.get("minimumHealthyPercent").number()
	f.within(d.get("minimumHealthyPercent"), 0, 100)
	switch {
	case hasMost && hasLeast && most < least:
		f.add(d.get("maximumPercent"), "", "maximumPercent %d is less than minimumHealthyPercent %d", most, least)
	case hasMost && most <= 100 && (least == 100 || !hasLeast):
		f.add(d.get("maximumPercent"), "raise maximumPercent or lower minimumHealthyPercent",
			"with maximumPercent %d and minimumHealthyPercent 100 no task can ever be replaced", most)
	}
}

func (f *findings) loadBalancer(lb view, task *Document) {
	group, classic := lb.get("targetGroupArn"), lb.get("loadBalancerName")
	switch {
	case group.exists() && classic.exists():
		f.add(lb, "keep one", "%s: targetGroupArn and loadBalancerName exclude each other", lb.path)
	case !group.exists() && !classic.exists():
		f.add(lb, "a target group of an ALB or NLB, or the name of a classic load balancer",
			"%s: neither targetGroupArn nor loadBalancerName is given", lb.path)
	}
	name, port := f.require(lb, "containerName"), f.require(lb, "containerPort")
	if task == nil || !name.exists() {
		return
	}
	t := taskOf(task)
	f.reference(name, "container", t.containerNames())
	if classic.exists() && t.networkMode() == "awsvpc" {
		f.add(classic, "use a target group of the type ip", "%s: a classic load balancer cannot reach tasks in network mode awsvpc", classic.path)
	}
	c, ok := t.container(name.text())
	if n, isNumber := port.number(); ok && isNumber && !hasPort(c, n) {
		f.add(port, "add it to the container's portMappings", "%s: the container %q has no container port %d", port.path,
			name.text(), n)
	}
}

func hasPort(container view, port int64) bool {
	return slices.ContainsFunc(container.get("portMappings").list(), func(m view) bool {
		n, ok := m.get("containerPort").number()
		return m.get("containerPortRange").exists() || ok && n == port
	})
}

func taskOf(d *Document) task {
	w := d.view()
	return task{w, w.get("containerDefinitions").list()}
}

// sameFamily reports a service that would run another task definition than the one published with it.
func (f *findings) sameFamily(service, family view) {
	if service.exists() && family.exists() && familyOf(service.text()) != family.text() {
		f.add(service, "", "%s: the service runs %q, but the task definition's family is %q", service.path,
			service.text(), family.text())
	}
}

func (f *findings) network(w view, task *Document) {
	if task == nil {
		return
	}
	n, mode := w.get("networkConfiguration"), task.view().get("networkMode").text()
	switch {
	case mode == "awsvpc" && !n.exists():
		f.add(n, "", "networkConfiguration is missing: the task definition's network mode is awsvpc")
	case mode != "awsvpc" && n.exists():
		f.add(n, "remove it, or set networkMode: awsvpc", "networkConfiguration needs the network mode awsvpc")
	}
	if w.get("launchType").text() == "FARGATE" && !isFargate(task.view()) {
		f.add(w.get("launchType"), `add "FARGATE" to the task definition's requiresCompatibilities`,
			"launchType is FARGATE, but the task definition does not require it")
	}
	if role := w.get("role"); role.exists() && mode == "awsvpc" {
		f.add(role, "remove it", "role: services in network mode awsvpc use their service-linked role")
	}
}

// sameService reports an update that is for another service than the definition creates.
func (f *findings) sameService(created, updated view) {
	pairs := [][2]view{
		{created.get("serviceName"), updated.get("service")},
		{created.get("cluster"), updated.get("cluster")},
	}
	for _, p := range pairs {
		if p[0].exists() != p[1].exists() || lastPart(p[0].text()) != lastPart(p[1].text()) {
			f.add(p[1], "", "%s of the service update is %q, but %s of the service definition is %q", p[1].path,
				p[1].text(), p[0].path, p[0].text())
		}
	}
}
