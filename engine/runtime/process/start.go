//go:build linux

package process

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway/engine/runtime"
	"github.com/slipway-cd/slipway/fault"
)

// launch is what a supervisor is told on its standard input.
type launch struct {
	Plan    plan
	Grant   grant
	Net     bool           // it has a network of its own
	Forward []runtime.Port // what the listeners handed over are for, in their order
	Env     []string       // beyond the image's and the task's: HOST and PORT
	Cgroup  string         // that the program is to be in; empty: the supervisor's own
}

// outcome is what a supervisor says when its program has been started, or cannot be.
type outcome struct {
	Kind    fault.Kind `json:",omitempty"`
	Message string     `json:",omitempty"`
}

// Start starts a container's supervisor and returns when the program has been started.
func (r *Runtime) Start(ctx context.Context, name runtime.Name) error {
	c, err := r.find(name)
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.gone {
		return missing(name)
	}
	before, err := c.status()
	if err != nil || before.Phase == runtime.Running {
		return err
	}
	if err := r.start(ctx, c); err != nil {
		err := fault.New(fault.KindOf(err), "cannot start container %q: %w", name, err)
		before.Error = err.Error()
		if dir, derr := os.OpenRoot(c.dir); derr == nil {
			_ = writeJSON(dir, statusFile, before)
			_ = dir.Close()
		}
		return err
	}
	r.watch(c)
	r.hub.Tell(name)
	return nil
}

func (r *Runtime) start(ctx context.Context, c *container) error {
	lock, err := c.lock(ctx)
	if err != nil {
		return err
	}
	defer lock.Close()
	order, listeners, err := r.order(c.plan)
	defer closeAll(listeners)
	if err != nil {
		return err
	}
	if order.Cgroup, err = r.limits.make(c.plan.ID, c.plan.Spec.Memory); err != nil {
		return err
	}
	said, say, err := os.Pipe()
	if err != nil {
		return err
	}
	defer said.Close()
	defer say.Close()
	if err := r.supervise(ctx, c, order, append([]*os.File{lock, say}, listeners...)); err != nil {
		return err
	}
	_ = say.Close() // ours; the supervisor has its own
	answer, err := io.ReadAll(said)
	var o outcome
	if err != nil || json.Unmarshal(answer, &o) != nil {
		last, _ := os.ReadFile(c.file(shimFile))
		return fault.New(fault.Internal, "its supervisor ended: %s", last[max(0, len(last)-1000):])
	}
	if o.Kind != "" {
		return fault.New(o.Kind, "%s", o.Message)
	}
	return nil
}

// order decides what the supervisor is told, and opens the host ports in the host's network.
func (r *Runtime) order(p plan) (launch, []*os.File, error) {
	mode := p.Spec.Network
	order := launch{Plan: p, Grant: r.grant, Net: r.grant.Level == Network && mode != types.NetworkModeHost}
	if mode == types.NetworkModeHost || mode == types.NetworkModeNone {
		return order, nil, nil
	}
	if p.Spec.Join != "" {
		return order, nil, r.named(&order.Plan.Spec)
	}
	var files []*os.File
	for i, port := range p.Spec.Ports {
		f, err := listen(port)
		if err != nil {
			return order, files, err
		}
		if order.Net {
			order.Forward = append(order.Forward, port)
			files = append(files, f)
			continue
		}
		_ = f.Close() // it was free; the program will listen there itself
		order.Env = append(order.Env, told(port, fmt.Sprintf("_%d", port.Container))...)
		if i == 0 {
			order.Env = append(order.Env, told(port, "")...)
		}
	}
	return order, files, nil
}

// named gives a container the names of the network that it joins.
func (r *Runtime) named(spec *runtime.Spec) error {
	keeper, err := r.find(spec.Join)
	if err != nil {
		return err
	}
	whole := keeper.plan.Spec.Definition
	def := &spec.Definition
	spec.Hostname = hostname(keeper.plan)
	def.ExtraHosts, def.DnsServers, def.DnsSearchDomains = whole.ExtraHosts, whole.DnsServers, whole.DnsSearchDomains
	return nil
}

func told(port runtime.Port, suffix string) []string {
	return []string{
		"HOST" + suffix + "=" + port.Host.Addr().String(),
		fmt.Sprintf("PORT%s=%d", suffix, port.Host.Port()),
	}
}

func isUDP(port runtime.Port) bool { return port.Protocol == types.TransportProtocolUdp }

// listen opens a host port. A socket belongs to the network it was opened in, wherever it is handed to. [network_namespaces(7)]
func listen(port runtime.Port) (*os.File, error) {
	var file func() (*os.File, error)
	var socket io.Closer
	if isUDP(port) {
		conn, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(port.Host))
		if err != nil {
			return nil, taken(port, err)
		}
		file, socket = conn.File, conn
	} else {
		l, err := net.ListenTCP("tcp", net.TCPAddrFromAddrPort(port.Host))
		if err != nil {
			return nil, taken(port, err)
		}
		file, socket = l.File, l
	}
	defer socket.Close()
	f, err := file()
	if err != nil {
		return nil, fault.New(fault.Internal, "cannot hand over port %s: %w", port.Host, err)
	}
	return f, nil
}

// taken says it in Docker's words, which people search for.
func taken(port runtime.Port, err error) error {
	return fault.New(fault.Conflict, "Bind for %s failed: port is already allocated: %w", port.Host, err)
}

func closeAll(files []*os.File) {
	for _, f := range files {
		_ = f.Close()
	}
}

// supervise starts the supervisor, which inherits the files as its descriptors 3, 4 and so on.
func (r *Runtime) supervise(ctx context.Context, c *container, order launch, files []*os.File) error {
	said, err := os.OpenFile(c.file(shimFile), os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	defer said.Close()
	told, err := json.Marshal(order)
	if err != nil {
		return err
	}
	in, err := temporary(r.path("tmp"), told)
	if err != nil {
		return err
	}
	defer in.Close()
	if other := order.Plan.Spec.Join; other != "" {
		return r.join(ctx, c, other, append([]*os.File{in, said}, files...))
	}
	cmd := reexec("supervise", c.dir)
	cmd.Args[0] = supervisorName(c.name)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = in, said, said
	cmd.ExtraFiles = files
	cmd.SysProcAttr = order.Grant.attributes(order.Net)
	if order.Plan.Spec.Idle {
		cmd.SysProcAttr = order.Grant.keeping()
	}
	if err := cmd.Start(); err != nil {
		return fault.New(fault.Internal, "cannot start its supervisor: %w", err)
	}
	go func() { _ = cmd.Wait() }() // leaves no zombie while this process lives; its status file says how it went
	return nil
}

func supervisorName(name runtime.Name) string { return "slipway-supervise " + string(name) }

// temporary is a file without a name that holds the content.
func temporary(dir string, content []byte) (*os.File, error) {
	f, err := os.CreateTemp(dir, "order-")
	if err != nil {
		return nil, err
	}
	_ = os.Remove(f.Name())
	if _, err := io.Copy(f, bytes.NewReader(content)); err != nil {
		f.Close()
		return nil, err
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}
