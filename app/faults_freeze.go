package app

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/slipway-cd/slipway/engine/faults"
	"github.com/slipway-cd/slipway/engine/lifecycle"
	"github.com/slipway-cd/slipway/engine/runtime"
	"github.com/slipway-cd/slipway/engine/state"
	"github.com/slipway-cd/slipway/fault"
)

// standing is a container that is to stand still.
type standing struct {
	task      state.TaskID
	container string
}

func (s standing) String() string     { return string(s.task) + "/" + s.container }
func (s standing) name() runtime.Name { return lifecycle.Name(s.task, s.container) }

// freeze has the containers of a task, or of tasks of a service, stand still. It returns them as TASK/CONTAINER.
func (e *Engine) freeze(ctx context.Context, f faults.Fault) ([]string, error) {
	if e.freezer == nil {
		return nil, fault.New(fault.Refused, "containers cannot be frozen here: %s", e.words).
			WithHint("use another runtime: `slipway engine start --runtime docker`")
	}
	list, err := containersOf(e.engine.DB().Read(), f)
	if err != nil {
		return nil, err
	}
	texts := make([]string, 0, len(list))
	for _, s := range list {
		texts = append(texts, s.String())
	}
	if err := e.markFrozen(list, true); err != nil {
		return nil, err
	}
	for _, s := range list {
		if err := e.freezer.Freeze(ctx, s.name()); err != nil {
			return nil, errors.Join(err, e.thaw(ctx, faults.Fault{Affected: texts}))
		}
	}
	return texts, nil
}

// thaw has containers go on. Those that have ended meanwhile need nothing.
func (e *Engine) thaw(ctx context.Context, f faults.Fault) error {
	var errs []error
	var list []standing
	for _, text := range f.Affected {
		task, container, _ := strings.Cut(text, "/")
		s := standing{state.TaskID(task), container}
		if err := e.freezer.Thaw(ctx, s.name()); err != nil && fault.KindOf(err) != fault.NotFound {
			errs = append(errs, err)
		}
		list = append(list, s)
	}
	return errors.Join(append(errs, e.markFrozen(list, false))...)
}

// containersOf returns the running containers that a fault is for.
func containersOf(snap state.Snapshot, f faults.Fault) ([]standing, error) {
	tasks, err := tasksOf(snap, f)
	if err != nil {
		return nil, err
	}
	var list []standing
	for _, t := range tasks {
		for _, c := range t.Containers {
			if c.Last == state.Running && (f.Container == "" || c.Name == f.Container) {
				list = append(list, standing{t.ID, c.Name})
			}
		}
	}
	if len(list) == 0 {
		return nil, fault.New(fault.NotFound, "no container of %q is running that could be frozen", f.Target)
	}
	return list, nil
}

// tasksOf returns the task that a fault is for, or the running tasks of the service, the oldest first.
func tasksOf(snap state.Snapshot, f faults.Fault) ([]*state.Task, error) {
	name := lastPart(f.Target)
	if t, ok := snap.Task(state.TaskID(name)); ok {
		return []*state.Task{t}, nil
	}
	key := state.ServiceKey{Cluster: state.ClusterName(cmp.Or(f.Cluster, "default")), Name: name}
	if _, ok := snap.Service(key); !ok {
		return nil, fault.New(fault.NotFound, "there is no task %q, and no service of that name in cluster %q", name, key.Cluster)
	}
	var tasks []*state.Task
	for t := range snap.TasksOfService(key) {
		if t.Last == state.Running && t.Desired == state.Running {
			tasks = append(tasks, t)
		}
	}
	slices.SortStableFunc(tasks, func(a, b *state.Task) int { return a.StartedAt.Compare(b.StartedAt) })
	if f.Tasks > 0 && len(tasks) > f.Tasks {
		tasks = tasks[:f.Tasks]
	}
	return tasks, nil
}

// lastPart returns what an ARN ends with: a name or an id; a text that is no ARN as it is.
func lastPart(arn string) string { return arn[strings.LastIndexByte(arn, '/')+1:] }

func (e *Engine) isFrozen(name runtime.Name) bool {
	e.faults.mu.Lock()
	defer e.faults.mu.Unlock()
	return e.faults.frozen[name]
}

// markFrozen keeps in memory and in a file which containers stand still: an engine that is killed leaves them so, and the
// next one has them go on.
func (e *Engine) markFrozen(list []standing, frozen bool) error {
	e.faults.mu.Lock()
	defer e.faults.mu.Unlock()
	if e.faults.frozen == nil {
		e.faults.frozen = map[runtime.Name]bool{}
	}
	for _, s := range list {
		if frozen {
			e.faults.frozen[s.name()] = true
		} else {
			delete(e.faults.frozen, s.name())
		}
	}
	return e.writeFrozen()
}

func (e *Engine) frozenFile() string { return filepath.Join(e.options.Dir, "frozen.json") }

func (e *Engine) writeFrozen() error {
	if len(e.faults.frozen) == 0 {
		if err := os.Remove(e.frozenFile()); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fault.New(fault.Internal, "cannot forget which containers are frozen: %w", err)
		}
		return nil
	}
	var names []runtime.Name
	for name := range e.faults.frozen {
		names = append(names, name)
	}
	text, err := json.Marshal(names)
	if err != nil {
		return err
	}
	if err := os.WriteFile(e.frozenFile(), text, 0o600); err != nil {
		return fault.New(fault.Internal, "cannot note which containers are frozen: %w", err)
	}
	return nil
}

// thawFormer has the containers go on that an engine left frozen when it was killed.
func (e *Engine) thawFormer(ctx context.Context) error {
	text, err := os.ReadFile(e.frozenFile())
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	var names []runtime.Name
	if err == nil {
		err = json.Unmarshal(text, &names)
	}
	errs := []error{err}
	for _, name := range names {
		if e.freezer == nil {
			break
		}
		if err := e.freezer.Thaw(ctx, name); err != nil && fault.KindOf(err) != fault.NotFound {
			errs = append(errs, err)
		}
	}
	if err := errors.Join(errs...); err != nil {
		e.options.Logger.Warn("containers that were frozen may not go on", "error", err)
	}
	return os.Remove(e.frozenFile())
}
