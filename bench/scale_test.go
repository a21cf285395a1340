package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"testing"
	"time"
)

// What an engine promises at scale. [docs/benchmarks.md]
const (
	manyServices  = 10_000
	tasksEach     = 5
	manyTasks     = manyServices * tasksEach
	mostMemory    = 2 << 30                // bytes, with all of them
	idleMemory    = 60 << 20               // bytes, with none
	idleCPU       = 10 * time.Millisecond  // a second: 1 % of a core
	startPromise  = 300 * time.Millisecond // in an empty directory
	lookPromise   = 5 * time.Millisecond   // DescribeServices of ten, at the 99th percentile
	placePromise  = 5_000                  // tasks a second
	answerPromise = 3_000                  // requests a second, on two cores
	deployments   = 100                    // at once
	wires         = 8
)

// object is a document of a request.
type object = map[string]any

// scale measures one engine with many services, in a process of its own, over HTTP.
func (h *house) scale(b *testing.B) {
	for b.Loop() {
		if err := h.idle(b); err != nil {
			b.Fatal(err)
		}
		if err := h.crowd(b); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(0, "ns/op")
}

// atMost adds a row about a number that must not exceed what was promised.
func (h *house) atMost(what, ours, promised string, ratio float64) {
	h.promise(what, ours, "at most "+promised, ratio, ratio <= 1)
}

// atLeast adds a row about a number that must not stay below what was promised.
func (h *house) atLeast(what, ours, promised string, ratio float64) {
	h.promise(what, ours, "at least "+promised, ratio, ratio >= 1)
}

func (h *house) promise(what, ours, promised string, ratio float64, kept bool) {
	h.table.add(what, ours, "promise "+promised, ratio)
	h.promises++
	if !kept {
		h.broken = append(h.broken, fmt.Sprintf("%s: %s, promised %s", what, ours, promised))
	}
}

// keptPromises ends the table with how many promises were kept in this run, and which were not.
func (h *house) keptPromises() {
	if h.promises == 0 {
		return
	}
	h.table.section("promises of scale and speed kept: %d of %d", h.promises-len(h.broken), h.promises)
	for _, b := range h.broken {
		h.table.detail(b)
	}
}

// idle measures an engine that has nothing to do.
func (h *house) idle(b *testing.B) error {
	const times, watch = 9, 10 * time.Second
	var ups, cpus []time.Duration
	var help launches
	for range times {
		p, err := h.serve(b.Context(), b.TempDir(), "--runtime", "scripted")
		if err != nil {
			return err
		}
		used, err := p.cpu()
		if err := errors.Join(err, p.stop()); err != nil {
			return err
		}
		ups, cpus = append(ups, p.up), append(cpus, used)
		of, err := h.launches(b.Context(), 1, h.slipway, "--help")
		if err != nil {
			return err
		}
		help.wall, help.cpu = append(help.wall, of[0].wall...), append(help.cpu, of[0].cpu...)
	}
	p, err := h.serve(b.Context(), b.TempDir(), "--runtime", "scripted")
	if err != nil {
		return err
	}
	used, now, err := p.rest(b.Context(), watch)
	if err := errors.Join(err, p.stop()); err != nil {
		return err
	}
	up, cpu := median(ups), median(cpus)
	h.table.section("engine with nothing to do, in an empty directory, median of %d starts", times)
	h.atMost("from its start to its first answer", millis(up), millis(startPromise), ratio(up, startPromise))
	h.table.add("·", millis(up), "slipway --help "+millis(median(help.wall)), ratio(up, median(help.wall)))
	h.table.add("· CPU time", millis(cpu), "slipway --help "+millis(median(help.cpu)), ratio(cpu, median(help.cpu)))
	h.atMost("memory with nothing to do", mib(now), mib(idleMemory), ratio(now, idleMemory))
	h.atMost("CPU time a second with nothing to do", millis(used), millis(idleCPU), ratio(used, idleCPU))
	b.ReportMetric(float64(up)/1e6, "ms-start")
	b.ReportMetric(float64(now)/(1<<20), "MiB-idle")
	return nil
}

// rest leaves an engine alone and returns the CPU time that it used, in a second, and the memory it has then.
func (p *process) rest(ctx context.Context, during time.Duration) (cpu time.Duration, memory int64, err error) {
	before, err := p.cpu()
	if err != nil {
		return 0, 0, err
	}
	if err := pass(ctx, during); err != nil {
		return 0, 0, err
	}
	after, err := p.cpu()
	if err != nil {
		return 0, 0, err
	}
	memory, _, err = p.memory()
	return time.Duration(float64(after-before) / during.Seconds()), memory, err
}

// pass lets time pass, in which an engine is left alone.
func pass(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// crowd measures an engine with 10,000 services of five tasks.
func (h *house) crowd(b *testing.B) error {
	dir := b.TempDir()
	flags := []string{"--runtime", "scripted", "--speed", strconv.Itoa(fast), "--instances", "200"}
	p, err := h.serve(b.Context(), dir, flags...)
	if err != nil {
		return err
	}
	p.leave(b)
	h.table.section("one engine, %d services of %d scripted tasks, speed %d", manyServices, tasksEach, fast)
	for _, measure := range []func(*testing.B, *process) error{h.fill, h.full, h.answers, h.hurry} {
		if err := measure(b, p); err != nil {
			return err
		}
	}
	p.kill()
	flags[3] = "1"
	if p, err = h.serve(b.Context(), dir, flags...); err != nil {
		return err
	}
	p.leave(b)
	h.table.note("killed, and started on its directory again, until it answers", seconds(p.up))
	b.ReportMetric(p.up.Seconds(), "s-start-again")
	return h.deploy(b, p)
}

func name(n int) string { return fmt.Sprintf("web-%05d", n%manyServices) }

// fill makes the services and waits until all their tasks run.
func (h *house) fill(b *testing.B, p *process) error {
	ctx := b.Context()
	w, err := dial(ctx, p.address())
	if err != nil {
		return err
	}
	defer w.conn.Close()
	for _, r := range [][]byte{
		request("CreateCluster", object{"clusterName": "c"}),
		request("RegisterTaskDefinition", object{"family": "web", "containerDefinitions": []object{{
			"name": "app", "image": "web:1", "memoryReservation": 8, "portMappings": []object{{"containerPort": 80}},
			"environment": []object{{"name": "COLOUR", "value": "blue"}},
		}}}),
	} {
		if _, err := w.do(r); err != nil {
			return err
		}
	}
	begun := time.Now()
	made, err := sendAll(ctx, p, func(n int) []byte {
		return request("CreateService", object{
			"cluster": "c", "serviceName": name(n), "taskDefinition": "web:1", "desiredCount": tasksEach,
			"deploymentConfiguration": object{"deploymentCircuitBreaker": object{"enable": true, "rollback": true}},
		})
	})
	if err != nil {
		return err
	}
	running, err := p.wait(ctx, w, begun, func(c counts) bool { return c.Running == manyTasks })
	if err != nil {
		return err
	}
	used, err := p.cpu()
	if err != nil {
		return err
	}
	h.table.note("CreateService, requests a second", fmt.Sprintf("%.0f /s", made.rate()))
	h.table.note("from the first CreateService until all tasks are RUNNING", seconds(running))
	h.table.note("· CPU time", seconds(used))
	b.ReportMetric(manyTasks/running.Seconds(), "tasks/s-to-RUNNING")
	return nil
}

func sendAll(ctx context.Context, p *process, number func(int) []byte) (load, error) {
	return send(ctx, p.address(), wires, manyServices, number)
}

// counts is what DescribeClusters tells of one.
type counts struct {
	Running int `json:"runningTasksCount"`
	Pending int `json:"pendingTasksCount"`
}

// wait looks at the cluster until it is so, and returns the time since it begun.
func (p *process) wait(ctx context.Context, w *wire, begun time.Time, so func(counts) bool) (time.Duration, error) {
	look := request("DescribeClusters", object{"clusters": []string{"c"}})
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		body, err := w.do(look)
		if err != nil {
			return 0, err
		}
		var answer struct{ Clusters []counts }
		if err := json.Unmarshal(body, &answer); err != nil {
			return 0, err
		}
		if len(answer.Clusters) == 1 && so(answer.Clusters[0]) {
			return time.Since(begun), nil
		}
		select {
		case <-ctx.Done():
			return 0, ctx.Err()
		case <-tick.C:
		}
	}
}

// full measures the engine when it has all its tasks and nothing more to do.
func (h *house) full(b *testing.B, p *process) error {
	// until the services are steady: 2 s at this speed, and what it takes to write that down
	if err := pass(b.Context(), 5*time.Second); err != nil {
		return err
	}
	used, now, err := p.rest(b.Context(), 5*time.Second)
	if err != nil {
		return err
	}
	_, most, err := p.memory()
	if err != nil {
		return err
	}
	h.atMost("memory with all tasks, most so far", mib(most), mib(mostMemory), ratio(most, mostMemory))
	h.table.note("memory, when all is steady", mib(now))
	h.table.note("CPU time a second, when all is steady", millis(used))
	b.ReportMetric(float64(most)/(1<<20), "MiB-most")
	return nil
}

// answers measures how many requests of several kinds are answered, of each alone and of all in turn.
func (h *house) answers(b *testing.B, p *process) error {
	all := kind{"requests a second: all of these in turn", func(n int) []byte { return kinds[n%len(kinds)].number(n / len(kinds)) }}
	for _, k := range append(slices.Clone(kinds), all) {
		l, each, err := p.answer(b.Context(), k)
		if err != nil {
			return err
		}
		if rate := fmt.Sprintf("%.0f /s", l.rate()); k.name == all.name {
			h.atLeast(k.name, rate, fmt.Sprintf("%d /s", answerPromise), l.rate()/answerPromise)
			b.ReportMetric(l.rate(), "answers/s")
		} else {
			h.table.note("requests a second: "+k.name, rate)
		}
		h.table.note("· CPU time each; 99th percentile", micros(each)+"; "+millis(l.part(.99)))
	}
	return nil
}

// kind is one sort of request; number makes the nth of them.
type kind struct {
	name   string
	number func(n int) []byte
}

var kinds = []kind{
	{"DescribeServices of 1", func(n int) []byte { return look(n*7, 1) }},
	{"DescribeServices of 10", func(n int) []byte { return look(n*7, 10) }},
	{"ListTasks of a service", func(n int) []byte {
		return request("ListTasks", object{"cluster": "c", "serviceName": name(n * 7)})
	}},
	{"DescribeTaskDefinition", func(int) []byte { return request("DescribeTaskDefinition", object{"taskDefinition": "web:1"}) }},
	{"ListServices, first page", func(int) []byte { return request("ListServices", object{"cluster": "c"}) }},
	{"TagResource", func(n int) []byte {
		return request("TagResource", object{
			"resourceArn": "arn:aws:ecs:us-east-1:000000000000:service/c/" + name(n*7), "tags": []object{{"key": "n", "value": strconv.Itoa(n)}},
		})
	}},
}

// answer sends requests as fast as they are answered, and returns what came of it with the engine's CPU time for each.
func (p *process) answer(ctx context.Context, k kind) (l load, each time.Duration, err error) {
	before, err := p.cpu()
	if err != nil {
		return l, 0, err
	}
	if l, err = burst(ctx, p.address(), wires, 3*time.Second, k.number); err != nil {
		return l, 0, fmt.Errorf("%s: %w", k.name, err)
	}
	after, err := p.cpu()
	return l, (after - before) / time.Duration(max(l.answers, 1)), err
}

func look(from, n int) []byte {
	names := make([]string, n)
	for i := range names {
		names[i] = name(from + i)
	}
	return request("DescribeServices", object{"cluster": "c", "services": names})
}

// hurry measures DescribeServices while 100 deployments are under way that are as quick as the speed makes them.
func (h *house) hurry(b *testing.B, p *process) error {
	quiet, busy, err := p.deploys(b.Context(), time.Hour)
	if err != nil {
		return err
	}
	h.table.note(fmt.Sprintf("%d deployments at once, until all are COMPLETED", deployments), seconds(busy.took))
	h.table.add("DescribeServices of ten meanwhile, 99th percentile", millis(busy.part(.99)), "without deployments "+millis(quiet.part(.99)), ratio(busy.part(.99), quiet.part(.99)))
	return nil
}

// deploy measures the same at AWS's own pace, for the first half minute.
func (h *house) deploy(b *testing.B, p *process) error {
	if _, _, err := p.rest(b.Context(), 20*time.Second); err != nil { // it has looked at every service once by then
		return err
	}
	quiet, busy, err := p.deploys(b.Context(), 30*time.Second)
	if err != nil {
		return err
	}
	h.table.section("the same engine at speed 1, which is AWS's own pace, while %d deployments are under way", deployments)
	h.atMost("DescribeServices of ten, 99th percentile", millis(busy.part(.99)), millis(lookPromise), ratio(busy.part(.99), lookPromise))
	h.table.add("·", millis(busy.part(.99)), "without deployments "+millis(quiet.part(.99)), ratio(busy.part(.99), quiet.part(.99)))
	b.ReportMetric(float64(busy.part(.99))/1e6, "ms-p99")
	return nil
}

// deploys begins 100 deployments, and asks for services until all are complete, but not for longer than so.
func (p *process) deploys(ctx context.Context, longest time.Duration) (quiet, busy load, err error) {
	if quiet, err = p.looks(ctx, 3*time.Second); err != nil {
		return quiet, busy, err
	}
	begun := time.Now()
	if _, err := send(ctx, p.address(), wires, deployments, func(n int) []byte {
		return request("UpdateService", object{"cluster": "c", "service": name(n), "forceNewDeployment": true})
	}); err != nil {
		return quiet, busy, err
	}
	var all []load
	for done := false; !done && time.Since(begun) < longest; {
		l, err := p.looks(ctx, time.Second)
		if err != nil {
			return quiet, busy, err
		}
		all = append(all, l)
		if done, err = p.deployed(ctx); err != nil {
			return quiet, busy, err
		}
	}
	return quiet, sum(time.Since(begun), all), nil
}

// looks asks for ten services a hundred times a second.
func (p *process) looks(ctx context.Context, during time.Duration) (load, error) {
	return over(ctx, p.address(), 1, func(w *wire, l *load) error {
		tick := time.NewTicker(10 * time.Millisecond)
		defer tick.Stop()
		for n := range int(during / (10 * time.Millisecond)) {
			if err := l.one(w, look(n*10, 10)); err != nil {
				return err
			}
			<-tick.C
		}
		return nil
	})
}

// deployed reports whether all deployments are complete.
func (p *process) deployed(ctx context.Context) (bool, error) {
	w, err := dial(ctx, p.address())
	if err != nil {
		return false, err
	}
	defer w.conn.Close()
	for from := 0; from < deployments; from += 10 {
		body, err := w.do(look(from, 10))
		if err != nil {
			return false, err
		}
		var answer struct {
			Services []struct {
				Deployments []struct{ RolloutState string }
			}
		}
		if err := json.Unmarshal(body, &answer); err != nil {
			return false, err
		}
		for _, s := range answer.Services {
			if len(s.Deployments) != 1 || s.Deployments[0].RolloutState != "COMPLETED" {
				return false, nil
			}
		}
	}
	return true, nil
}
