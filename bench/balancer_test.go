package bench

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
)

// Rounds of load; in each every way is taken in turn.
const (
	rounds      = 5
	during      = 2 * time.Second
	connections = 32
)

// way is a way to the example service.
type way struct {
	addresses []string
	process   int // that forwards; 0: none
	rates     []float64
	alone     []time.Duration // half of the answers took no longer, with one connection
	cpu       []time.Duration // of the forwarding process, a request
}

// balancer measures requests through the load balancer against those to the service itself, and against a proxy made of
// Go's standard library.
func (h *house) balancer(b *testing.B, runtime string) {
	for b.Loop() {
		s := h.newStage(b, runtime, fast)
		if err := s.publish(b.Context(), "1.0.15"); err != nil {
			b.Fatal(err)
		}
		if _, err := s.install(b.Context(), "1.0.15"); err != nil {
			b.Fatal(err)
		}
		targets, err := s.targets(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		proxy, process := h.startProxy(b, targets)
		direct, plain := &way{addresses: targets}, &way{addresses: []string{proxy}, process: process}
		ours := &way{addresses: []string{s.balancer}, process: s.process.Pid}
		for round := range rounds + 1 { // the first one warms up
			for _, w := range []*way{direct, plain, ours} {
				if err := w.press(b.Context(), round > 0); err != nil {
					b.Fatal(err)
				}
			}
		}
		h.tellBalancer(b, runtime, direct, plain, ours)
		h.tellNginx(b, s.balancer, targets)
	}
}

func (h *house) startProxy(b *testing.B, targets []string) (string, int) {
	b.Helper()
	cmd := exec.CommandContext(b.Context(), h.proxy, targets...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		b.Fatal(err)
	}
	return strings.TrimSpace(line), cmd.Process.Pid
}

// targets returns where the service's tasks listen.
func (s *stage) targets(ctx context.Context) ([]string, error) {
	list, err := s.ecs.ListTasks(ctx, &ecs.ListTasksInput{Cluster: aws.String(cluster)})
	if err != nil {
		return nil, err
	}
	tasks, err := s.ecs.DescribeTasks(ctx, &ecs.DescribeTasksInput{Cluster: aws.String(cluster), Tasks: list.TaskArns})
	if err != nil {
		return nil, err
	}
	var addresses []string
	for _, t := range tasks.Tasks {
		binding := t.Containers[0].NetworkBindings[0]
		addresses = append(addresses, net.JoinHostPort(*binding.BindIP, strconv.Itoa(int(*binding.HostPort))))
	}
	return addresses, nil
}

// press measures the way once, over many connections and over one.
func (w *way) press(ctx context.Context, counts bool) error {
	before, err := cpuTime(w.process)
	if err != nil {
		return err
	}
	many, err := press(ctx, w.addresses, connections, during)
	if err != nil {
		return err
	}
	after, err := cpuTime(w.process)
	if err != nil {
		return err
	}
	one, err := press(ctx, w.addresses, 1, during/4)
	if err != nil || !counts {
		return err
	}
	w.rates, w.alone = append(w.rates, many.rate()), append(w.alone, one.half())
	w.cpu = append(w.cpu, (after-before)/time.Duration(many.answers))
	return nil
}

// tickTime is what Linux counts processor time in. [proc_pid_stat(5), sysconf(_SC_CLK_TCK)]
const tickTime = 10 * time.Millisecond

// cpuTime returns the processor time that a process has used.
func cpuTime(pid int) (time.Duration, error) {
	if pid == 0 {
		return 0, nil
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	var ticks int
	for _, f := range fields[11:13] { // utime, stime: fields 14 and 15 of the line
		n, err := strconv.Atoi(string(f))
		if err != nil {
			return 0, err
		}
		ticks += n
	}
	return time.Duration(ticks) * tickTime, nil
}

// tellNginx tells how the load balancer compares with nginx in the same place.
func (h *house) tellNginx(b *testing.B, balancer string, targets []string) {
	b.Helper()
	ours, theirs, err := againstNginx(b, balancer, targets)
	if errors.Is(err, errNotInstalled) {
		h.table.detail(err.Error())
		return
	}
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(ratio(ours, theirs), "×nginx")
	h.table.add("requests, by wrk", fmt.Sprintf("%.0f /s", ours), fmt.Sprintf("nginx %.0f /s", theirs), ratio(ours, theirs))
}

func (h *house) tellBalancer(b *testing.B, runtime string, direct, plain, ours *way) {
	b.Helper()
	rate := func(w *way) float64 { return median(w.rates) }
	persec := func(w *way) string { return fmt.Sprintf("%.0f /s", rate(w)) }
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(rate(ours), "requests/s")
	b.ReportMetric(ratio(rate(ours), rate(direct)), "×direct")
	b.ReportMetric(ratio(rate(ours), rate(plain)), "×std-proxy")
	h.table.section("load balancer, runtime %s: requests a second over %d connections, median of %d rounds", runtime, connections, rounds)
	h.table.add("requests", persec(ours), "direct "+persec(direct), ratio(rate(ours), rate(direct)))
	h.table.add("", persec(ours), "Go's ReverseProxy "+persec(plain), ratio(rate(ours), rate(plain)))
	h.table.add("processor time a request", micros(median(ours.cpu)), "Go's ReverseProxy "+micros(median(plain.cpu)), ratio(median(ours.cpu), median(plain.cpu)))
	h.table.add("time of an answer, one connection", micros(median(ours.alone)), "direct "+micros(median(direct.alone)), ratio(median(ours.alone), median(direct.alone)))
	h.table.add("", micros(median(ours.alone)), "Go's ReverseProxy "+micros(median(plain.alone)), ratio(median(ours.alone), median(plain.alone)))
}
