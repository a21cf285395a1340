package delivery

import (
	"context"
	"fmt"
	"maps"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/slipway-cd/slipway/config"
	"github.com/slipway-cd/slipway/descriptor"
	"github.com/slipway-cd/slipway/fault"
)

// Lookup finds values that slipway.yaml doesn't state. It is called from several goroutines at once.
type Lookup interface {
	// Look returns the value of a look-up whose texts are expanded, as seen from a region; empty: AWS's own configuration.
	Look(ctx context.Context, region string, what config.Lookup) (string, error)
}

// lookups remember what was looked up, so that everything is looked up once.
type lookups struct {
	lookup Lookup
	mu     sync.Mutex
	found  map[string]func() (string, error) // by region and what was looked up
}

// atOnce is how many values are looked up at the same time: AWS limits requests to Parameter Store to 40 a second.
const atOnce = 8

// standIn is what values are until they have been looked up. It can stand anywhere in a template.
const standIn = "1"

// settle returns the values with those looked up that are used. use says which of given values something uses; it is asked
// again when values were found, as a default may use others. Problems are at the look-ups' places in slipway.yaml.
func (w *Workspace) settle(ctx context.Context, env config.Environment, values config.Values, use func(config.Values) config.Values) (config.Values, error) {
	values = maps.Clone(values)
	settled := map[string]bool{}
	for {
		standing := maps.Clone(values)
		for name, v := range values {
			if v.Origin.Lookup != nil && !settled[name] {
				v.Text = standIn
				standing[name] = v
			}
		}
		var todo []string
		for _, name := range use(standing).Names() {
			if values[name].Origin.Lookup != nil && !settled[name] {
				todo = append(todo, name)
				settled[name] = true
			}
		}
		if len(todo) == 0 {
			return values, nil
		}
		texts, err := w.lookUp(ctx, env, values, todo)
		if err != nil {
			return nil, err
		}
		for i, name := range todo {
			v := values[name]
			v.Text = texts[i]
			values[name] = v
		}
	}
}

// lookUp looks values up at the same time.
func (w *Workspace) lookUp(ctx context.Context, env config.Environment, values config.Values, names []string) ([]string, error) {
	texts, failures := make([]string, len(names)), make([]error, len(names))
	var group errgroup.Group
	group.SetLimit(atOnce)
	for i, name := range names {
		group.Go(func() error {
			texts[i], failures[i] = w.look(ctx, env, values, name)
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, fault.New(fault.Interrupted, "interrupted while values were looked up: %w", err)
	}
	var problems fault.Problems
	for i, err := range failures {
		if found, ok := err.(fault.Problems); ok { //nolint:errorlint // look returns the bare value
			problems = append(problems, found...)
		} else if err != nil {
			problems.Add(values[names[i]].Origin.Position, fault.HintOf(err), "%s: %s", names[i], err)
		}
	}
	return texts, problems.Err()
}

func (w *Workspace) look(ctx context.Context, env config.Environment, values config.Values, name string) (string, error) {
	what, err := expandLookup(*values[name].Origin.Lookup, values)
	if err != nil {
		return "", err
	}
	if w.lookups.lookup == nil {
		return "", fault.New(fault.Internal, "nothing can be looked up here")
	}
	return w.lookups.look(ctx, env.Region, what)
}

func (l *lookups) look(ctx context.Context, region string, what config.Lookup) (string, error) {
	key := fmt.Sprintf("%s %t %s", region, what.Sensitive, what)
	l.mu.Lock()
	f, ok := l.found[key]
	if !ok {
		f = sync.OnceValues(func() (string, error) { return l.lookup.Look(ctx, region, what) })
		l.found[key] = f
	}
	l.mu.Unlock()
	return f()
}

// expandLookup puts values into a look-up's texts: those that need no look-up themselves.
func expandLookup(what config.Lookup, values config.Values) (config.Lookup, error) {
	var problems fault.Problems
	for _, t := range what.Texts() {
		for _, name := range descriptor.UsedByText(*t, values).Names() {
			if values[name].Origin.Lookup != nil {
				problems.Add(t.Position, "write its look-up out, or use a value that is stated",
					"a look-up cannot use %q, which is looked up itself", name)
			}
		}
		text, err := descriptor.ExpandText(*t, values)
		if found, ok := err.(fault.Problems); ok { //nolint:errorlint // ExpandText returns the bare value
			problems = append(problems, found...)
		}
		t.Text = strings.TrimSpace(text)
	}
	return what, problems.Err()
}

// expandText expands a text that is not JSON, with what it uses looked up.
func (w *Workspace) expandText(ctx context.Context, env config.Environment, text config.Text, values config.Values) (string, error) {
	values, err := w.settle(ctx, env, values, func(v config.Values) config.Values { return descriptor.UsedByText(text, v) })
	if err != nil {
		return "", err
	}
	return descriptor.ExpandText(text, values)
}
