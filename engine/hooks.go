package engine

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway/engine/agenda"
	"github.com/slipway-cd/slipway/engine/hook"
	"github.com/slipway-cd/slipway/engine/state"
)

const (
	callLimit = 15 * time.Minute // of one call, which is Lambda's own; programs feel it, so the speed doesn't matter
	callDelay = 30 * time.Second // until a function is called again that has not decided, unless it says otherwise
)

// caller calls the functions of lifecycle hooks. What they answer it writes into the deployment's hooks, where the
// scheduler finds it. A call that was under way when the engine was killed is made again.
type caller struct {
	engine *Engine
	watch  *state.Watcher
	agenda agenda.Agenda[call]
	calls  sync.WaitGroup

	mu   sync.Mutex
	busy map[call]bool
}

// call names a hook of a deployment.
type call struct {
	deployment state.DeploymentID
	hook       string
}

// newCaller returns a caller that knows every hook that is open now, and sees every change from now on.
func newCaller(e *Engine) *caller {
	c := &caller{engine: e, watch: e.db.Watch(state.KindDeployment), busy: map[call]bool{}}
	for d := range e.db.Read().AllDeployments() {
		c.note(d)
	}
	return c
}

func (c *caller) run(ctx context.Context) {
	defer c.watch.Close()
	defer c.calls.Wait()
	for ctx.Err() == nil {
		for _, change := range c.wait(ctx) {
			if d, ok := change.After.(*state.Deployment); ok {
				c.note(d)
			}
		}
		for _, due := range c.agenda.Due(c.engine.Now(), batch) {
			c.begin(ctx, due)
		}
	}
}

func (c *caller) wait(ctx context.Context) []state.Change {
	if at, ok := c.agenda.Next(); ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, at)
		defer cancel()
	}
	changes, _ := c.watch.Next(ctx) // an error means that there are none
	return changes
}

// note puts the functions on the agenda that a deployment waits for.
func (c *caller) note(d *state.Deployment) {
	for _, h := range calling(d) {
		c.agenda.Add(call{d.ID, h.ID}, h.Due)
	}
}

// calling returns the hooks of a deployment that wait for their functions. One that is being replaced or has failed waits
// for nothing any more.
func calling(d *state.Deployment) []state.Hook {
	if d.Shift == nil || d.Status != state.Primary || d.Broken {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(d.Shift.Hooks), func(h state.Hook) bool {
		return h.Status != types.DeploymentLifecycleHookStatusInProgress
	})
}

// begin calls a function, unless that call is under way.
func (c *caller) begin(ctx context.Context, k call) {
	snap := c.engine.db.Read()
	d, h, ok := openHook(snap, k)
	if !ok || h.Due.After(c.engine.Now()) || !c.claim(k) {
		return
	}
	payload := payloadOf(snap, d, h)
	c.calls.Go(func() {
		result := c.engine.invoke(ctx, h, payload)
		c.release(k)
		if ctx.Err() != nil { // the engine stops: the next one calls again
			return
		}
		if err := c.engine.answered(k, result); err != nil {
			c.engine.options.Logger.Error("the answer of a lifecycle hook could not be stored", "hook", k.hook, "error", err)
		}
	})
}

func (c *caller) claim(k call) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.busy[k] {
		return false
	}
	c.busy[k] = true
	return true
}

func (c *caller) release(k call) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.busy, k)
}

// openHook finds a hook that waits for its function.
func openHook(snap state.Snapshot, k call) (*state.Deployment, state.Hook, bool) {
	d, ok := snap.Deployment(k.deployment)
	if !ok {
		return nil, state.Hook{}, false
	}
	hooks := calling(d)
	i := slices.IndexFunc(hooks, func(h state.Hook) bool { return h.ID == k.hook })
	if i < 0 {
		return nil, state.Hook{}, false
	}
	return d, hooks[i], true
}

// payload is what AWS gives to the function. [Developer guide: Lambda hooks for Amazon ECS service deployments; recorded
// invocations, 2025 and 2026]
type payload struct {
	Details struct {
		Service  string             `json:"serviceArn"`
		Revision string             `json:"targetServiceRevisionArn"`
		Test     map[string]float64 `json:"testTrafficWeights"`
		Traffic  map[string]float64 `json:"productionTrafficWeights"`
	} `json:"executionDetails"`
	Execution string          `json:"executionId"`
	Stage     string          `json:"lifecycleStage"`
	Resource  string          `json:"resourceArn"`
	Hook      json.RawMessage `json:"hookDetails,omitempty"`
}

// payloadOf tells a function which deployment it is called for. The weights stand in it while that traffic is being
// shifted.
func payloadOf(snap state.Snapshot, d *state.Deployment, h state.Hook) []byte {
	history, ok := snap.ServiceDeployment(h.For)
	if !ok {
		history = &state.ServiceDeployment{}
	}
	var p payload
	p.Execution, p.Stage, p.Resource = executionID(h), string(d.Shift.Stage), h.For
	p.Details.Service = aws.ToString(history.Doc.ServiceArn)
	p.Details.Test, p.Details.Traffic = map[string]float64{}, map[string]float64{}
	revisions := history.Doc.SourceServiceRevisions
	if target := history.Doc.TargetServiceRevision; target != nil {
		p.Details.Revision = aws.ToString(target.Arn)
		revisions = append([]types.ServiceRevisionSummary{*target}, revisions...)
	}
	for _, r := range revisions {
		if w := r.RequestedTestTrafficWeight; w != nil && d.Shift.Stage == types.ServiceDeploymentLifecycleStageTestTrafficShift {
			p.Details.Test[aws.ToString(r.Arn)] = *w
		}
		if w := r.RequestedProductionTrafficWeight; w != nil && d.Shift.Stage == types.ServiceDeploymentLifecycleStageProductionTrafficShift {
			p.Details.Traffic[aws.ToString(r.Arn)] = *w
		}
	}
	if h.Details != "" {
		p.Hook = json.RawMessage(h.Details)
	}
	data, err := json.Marshal(p)
	if err != nil { // details that are no JSON: they cannot be passed on
		p.Hook = nil
		data, _ = json.Marshal(p)
	}
	return data
}

// executionID is the same for every call of one hook at one point of a deployment, in the form of a UUID.
func executionID(h state.Hook) string {
	sum := sha256.Sum256([]byte(h.ID))
	return fmt.Sprintf("%x-%x-%x-%x-%x", sum[:4], sum[4:6], sum[6:8], sum[8:10], sum[10:16])
}

// answer is what a function returns.
type answer struct {
	Status  types.DeploymentLifecycleHookStatus `json:"hookStatus"`
	Delay   *float64                            `json:"callBackDelay"` // seconds
	Details json.RawMessage                     `json:"hookDetails"`   // replace those of the hook in the next call
	failure string                              // why the status is FAILED
}

// invoke calls the function of a hook.
func (e *Engine) invoke(ctx context.Context, h state.Hook, payload []byte) answer {
	name := FunctionName(h.Target)
	f, ok := e.options.Hooks[name]
	if !ok {
		return failed("ECS was unable to invoke %s due to: the engine knows no function %s. Start it with --hook %s=URL or --hook %s=exec:COMMAND.", h.Target, name, name, name)
	}
	ctx, cancel := context.WithTimeout(ctx, callLimit)
	defer cancel()
	data, err := f(ctx, payload)
	if err != nil {
		return failed("ECS was unable to invoke %s due to: %s.", h.Target, err)
	}
	a, err := readAnswer(data)
	switch {
	case err != nil:
		return failed("ECS was unable to parse the response from %s due to: %s.", h.Target, err)
	case a.Status == types.DeploymentLifecycleHookStatusFailed:
		return failed("Lifecycle hook target %s returned FAILED status.", h.Target)
	default:
		return a
	}
}

func failed(format string, args ...any) answer {
	return answer{Status: types.DeploymentLifecycleHookStatusFailed, failure: fmt.Sprintf(format, args...)}
}

func readAnswer(data []byte) (answer, error) {
	var a answer
	if err := json.Unmarshal(data, &a); err != nil {
		return a, err
	}
	switch a.Status {
	case types.DeploymentLifecycleHookStatusSucceeded, types.DeploymentLifecycleHookStatusFailed, types.DeploymentLifecycleHookStatusInProgress:
		return a, nil
	case "":
		return a, errors.New("HookStatus must not be null")
	default:
		return a, fmt.Errorf("HookStatus must be SUCCEEDED, FAILED or IN_PROGRESS, not %s", a.Status)
	}
}

// answered notes what a function has returned. When the hook's time is up, or its deployment is elsewhere by now, it
// doesn't matter any more.
func (e *Engine) answered(k call, a answer) error {
	return e.db.Write(func(tx *state.Tx) error {
		d, _, ok := openHook(tx.Snapshot, k)
		if !ok {
			return nil
		}
		changed, _ := d.WithHook(k.hook, func(h *state.Hook) {
			h.Status, h.Failure = a.Status, a.failure
			seconds := max(*cmp.Or(a.Delay, aws.Float64(callDelay.Seconds())), 0)
			h.Due = e.Now().Add(time.Duration(seconds * float64(time.Second) / e.options.Speed))
			if len(a.Details) > 0 {
				h.Details = string(a.Details)
			}
		})
		tx.Put(changed)
		return nil
	})
}

// FunctionName returns the name of the Lambda function with that ARN, which may end with a version or an alias.
func FunctionName(arn string) string {
	parts := strings.Split(arn, ":")
	if len(parts) < 7 {
		return arn
	}
	return parts[6]
}

// Hooks are the functions that lifecycle hooks call, by the names of the Lambda functions that they stand in for.
type Hooks map[string]hook.Func
