package lifecycle

import (
	"context"
	"sync"
	"time"

	"github.com/slipway-cd/slipway/engine/agenda"
	"github.com/slipway-cd/slipway/engine/runtime"
	"github.com/slipway-cd/slipway/engine/state"
)

const (
	atOnce     = 64               // pulls, creations and starts at the same time
	retryAfter = time.Second      // of a step that the runtime was of no help with
	sweepEvery = 30 * time.Second // containers are counted, should a runtime have missed to tell of one
	atATime    = 64               // results stored in one write, so that other writers wait for milliseconds only
)

// Keeper moves all tasks. A task that has nothing to do costs nothing: no goroutine, no timer.
type Keeper struct {
	Config
	waits     waits
	watch     *state.Watcher
	agenda    agenda.Agenda[state.TaskID]
	busy      map[state.TaskID]*turn
	results   chan result
	checks    *checks
	followers *followers
	pins      pins
	slots     chan struct{}
	steps     sync.WaitGroup
}

// turn is a step under way.
type turn struct {
	cancel context.CancelFunc // nil for a step that must not be broken off
	again  bool               // something has changed meanwhile
}

// result is what a step came to.
type result struct {
	work    *work
	outcome Outcome
}

// New returns a keeper that moves nothing before Run. It sees every change of the state from now on.
func New(c Config) *Keeper {
	limit := atOnce
	if c.Runtime.Kind() == "scripted" {
		limit = 1 << 16 // nothing is done for real
	}
	k := &Keeper{
		Config: c, waits: newWaits(c.Speed, c.Runtime.Kind()), watch: c.DB.Watch(),
		busy: map[state.TaskID]*turn{}, results: make(chan result, 256), slots: make(chan struct{}, limit),
	}
	k.checks = newChecks(k)
	k.followers = newFollowers(c)
	return k
}

// Run moves the tasks until the context ends. What was going on in the runtime then goes on without the engine.
func (k *Keeper) Run(ctx context.Context) {
	defer k.watch.Close()
	changes, names := make(chan []state.Change), make(chan runtime.Name)
	var sources sync.WaitGroup
	sources.Go(func() { k.pumpState(ctx, changes) })
	sources.Go(func() { k.pumpRuntime(ctx, names) })
	k.begin(ctx)
	sweep := time.NewTicker(sweepEvery)
	defer sweep.Stop()
	for ctx.Err() == nil {
		k.turn(ctx, changes, names, sweep.C)
	}
	k.followers.stop()
	go func() { // whoever is in a step must be able to hand in its result
		k.steps.Wait()
		close(k.results)
	}()
	for range k.results {
	}
	sources.Wait()
}

func (k *Keeper) pumpState(ctx context.Context, to chan<- []state.Change) {
	for {
		changes, err := k.watch.Next(ctx)
		if err != nil {
			return
		}
		select {
		case to <- changes:
		case <-ctx.Done():
			return
		}
	}
}

func (k *Keeper) pumpRuntime(ctx context.Context, to chan<- runtime.Name) {
	for name := range k.Runtime.Changes(ctx) {
		select {
		case to <- name:
		case <-ctx.Done():
			return
		}
	}
}

// begin has every task looked at once.
func (k *Keeper) begin(ctx context.Context) {
	k.followers.start(ctx)
	for t := range k.DB.Read().AllTasks() {
		if t.Alive() {
			k.wake(t.ID)
			k.checks.note(t)
		}
	}
}

// turn waits for one thing to happen, and begins the steps that are due.
func (k *Keeper) turn(ctx context.Context, changes <-chan []state.Change, names <-chan runtime.Name, sweep <-chan time.Time) {
	alarm := k.alarm()
	defer alarm.Stop()
	select {
	case <-ctx.Done():
		return
	case list := <-changes:
		for _, c := range list {
			k.noteChange(c)
		}
	case name := <-names:
		k.wake(taskOf(name))
	case r := <-k.results:
		k.finish(r)
	case v := <-k.checks.verdicts:
		k.checks.finish(v)
	case <-sweep:
		k.sweep(ctx)
	case <-alarm.C:
	}
	k.checks.run(ctx)
	k.dispatch(ctx)
}

// alarm rings when the next thing on an agenda is due.
func (k *Keeper) alarm() *time.Timer {
	wait := time.Duration(1<<63 - 1)
	for _, next := range []func() (time.Time, bool){k.agenda.Next, k.checks.agenda.Next} {
		if at, ok := next(); ok {
			wait = min(wait, max(at.Sub(now()), 0))
		}
	}
	return time.NewTimer(wait)
}

func (k *Keeper) noteChange(c state.Change) {
	switch r := c.After.(type) {
	case *state.Task:
		before, _ := c.Before.(*state.Task)
		k.noteTask(before, r)
	case *state.Deployment:
		k.pins.drop(r)
	}
	if target, ok := c.Before.(*state.Target); ok && c.After == nil && target.Task != "" {
		k.wake(target.Task)
	}
}

func (k *Keeper) noteTask(before, after *state.Task) {
	k.checks.note(after)
	ended := before != nil && before.Desired != after.Desired
	if turn := k.busy[after.ID]; turn != nil && ended && turn.cancel != nil {
		turn.cancel()
	}
	if before == nil || ended || healthMoved(before, after) {
		k.wake(after.ID)
	}
}

// healthMoved reports whether a container has become healthy or ceased to be: others may wait for that.
func healthMoved(before, after *state.Task) bool {
	for i, c := range after.Containers {
		if i < len(before.Containers) && before.Containers[i].Health != c.Health {
			return true
		}
	}
	return false
}

func (k *Keeper) wake(id state.TaskID) {
	if turn := k.busy[id]; turn != nil {
		turn.again = true
		return
	}
	k.agenda.Add(id, now())
}

// dispatch begins the steps that are due.
func (k *Keeper) dispatch(ctx context.Context) {
	due := k.agenda.Due(now(), 1<<30)
	if len(due) == 0 {
		return
	}
	snap := k.DB.Read()
	for _, id := range due {
		if t, ok := snap.Task(id); ok && t.Alive() {
			k.step(ctx, snap, t)
		}
	}
}

func (k *Keeper) step(ctx context.Context, snap state.Snapshot, t *state.Task) {
	w, ok := k.newWork(snap, t)
	if !ok {
		k.Logger.Error("a task's definition is not there", "task", t.ID, "definition", t.TaskDefinition.String())
		return
	}
	turn := &turn{}
	if t.Last == state.Activating && t.PullStoppedAt.IsZero() { // only a pull can be broken off without a trace
		ctx, turn.cancel = context.WithCancel(ctx)
	}
	k.busy[t.ID] = turn
	k.steps.Go(func() {
		outcome := w.step(ctx)
		k.results <- result{w, outcome}
	})
}

// slot waits until few enough others keep the runtime busy. release must be called when ok.
func (k *Keeper) slot(ctx context.Context) (release func(), ok bool) {
	select {
	case k.slots <- struct{}{}:
		return func() { <-k.slots }, true
	case <-ctx.Done():
		return nil, false
	}
}

// finish stores what the step and all others that are over came to, in one write.
func (k *Keeper) finish(first result) {
	list := []result{first}
	for more := true; more && len(list) < atATime; {
		select {
		case r := <-k.results:
			list = append(list, r)
		default:
			more = false
		}
	}
	err := k.DB.Write(func(tx *state.Tx) error {
		for _, r := range list {
			r.work.commit(tx)
		}
		return nil
	})
	if err != nil {
		k.Logger.Error("what became of tasks could not be stored; their steps are taken again", "error", err)
	}
	for _, r := range list {
		k.next(r, err != nil)
	}
}

// next puts on the agenda what follows the step.
func (k *Keeper) next(r result, lost bool) {
	id := r.work.task.ID
	turn := k.busy[id]
	delete(k.busy, id)
	if turn.cancel != nil {
		turn.cancel()
	}
	at := now()
	switch o := r.outcome; {
	case lost:
		k.agenda.Add(id, at.Add(retryAfter))
	case o.Next == Done:
	case o.Next == Failed:
		k.Logger.Warn("the runtime could not do what a task needs; it is tried again", "task", id, "status", r.work.task.Last, "error", o.Err)
		k.agenda.Add(id, at.Add(retryAfter))
	case turn.again:
		k.agenda.Add(id, at)
	case o.Next == Again || o.After > 0:
		k.agenda.Add(id, at.Add(o.After))
	}
}
