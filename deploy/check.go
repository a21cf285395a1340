package deploy

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/slipway-cd/slipway/rollout"
)

// Prober tries one check of a request or a command once. What the check names is ready to be asked.
type Prober func(ctx context.Context, check rollout.Check) rollout.CheckResult

// DefaultProber returns a prober that asks with a client of its own, which keeps no connections: a connection kept may lead
// to a task that is gone. Commands run on this machine, in dir, with the program's environment and what is added to it.
func DefaultProber(dir string, environ ...string) Prober {
	client := &http.Client{Transport: &http.Transport{Proxy: http.ProxyFromEnvironment, DisableKeepAlives: true}}
	return func(ctx context.Context, check rollout.Check) rollout.CheckResult {
		var text string
		var passed bool
		if len(check.Command) > 0 {
			text, passed = command(ctx, dir, environ, check)
		} else {
			text, passed = ask(ctx, client, check)
		}
		return rollout.CheckResult{Check: check, Passed: passed, Text: text}
	}
}

// AlarmReader is a target that knows the states of alarms.
type AlarmReader interface {
	// Alarms tells of each alarm whether it sounds, and why; one that doesn't exist is left out.
	Alarms(ctx context.Context, names []string) (map[string]rollout.Alarm, error)
}

// Limits of one answer: how long it may take where the check doesn't say, and how much of it is read.
const (
	answerTime = 5 * time.Second
	answerSize = 1 << 20
)

func ask(ctx context.Context, client *http.Client, check rollout.Check) (string, bool) {
	if check.Timeout <= 0 {
		check.Timeout = answerTime
	}
	ctx, cancel := context.WithTimeout(ctx, check.Timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, check.URL, nil)
	if err != nil {
		return err.Error(), false
	}
	resp, err := client.Do(req)
	if err != nil {
		return err.Error(), false
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, answerSize))
	if err != nil {
		return err.Error(), false
	}
	want := check.Status
	if want == 0 {
		want = http.StatusOK
	}
	if resp.StatusCode != want {
		return fmt.Sprintf("answered %d, expected %d", resp.StatusCode, want), false
	}
	if !strings.Contains(string(body), check.Body) {
		return fmt.Sprintf("the answer does not contain %q but begins %q", check.Body, beginning(body)), false
	}
	return fmt.Sprintf("answered %d", resp.StatusCode), true
}

func beginning(body []byte) string {
	const enough = 60
	return strings.ToValidUTF8(string(body[:min(len(body), enough)]), "")
}

// probing reports that the step needs the checks to be tried again.
func (r *run) probing(step rollout.Step) bool {
	return step.Kind == rollout.Probe || step.Kind == rollout.Bake && len(r.want.Checks) > 0
}

// sparing is how long the answer of a check is good for that costs more than a request: a command, or a call that AWS counts.
const sparing = 5 * time.Second

// probe tries all checks once and reports whether they have just begun to pass.
func (r *run) probe(ctx context.Context) bool {
	before := r.checks
	results := make([]rollout.CheckResult, len(r.want.Checks))
	all := true
	for i, check := range r.want.Checks {
		again := len(before) > i
		if again && check.URL == "" && time.Since(r.triedAt[i]) < sparing {
			results[i] = before[i]
		} else {
			results[i] = r.try(ctx, check)
			r.triedAt[i] = time.Now()
		}
		all = all && results[i].Passed
		if !again || before[i].Text != results[i].Text {
			r.emit(Event{Type: Checked, Text: fmt.Sprintf("%s: %s", check.Located(r.addresses), results[i].Text), Check: &results[i]})
		}
	}
	r.checks = results
	return all && !passed(before)
}

func passed(results []rollout.CheckResult) bool {
	for _, result := range results {
		if !result.Passed {
			return false
		}
	}
	return len(results) > 0
}

func (r *run) try(ctx context.Context, check rollout.Check) rollout.CheckResult {
	if len(check.Alarms) > 0 {
		text, passed := r.listen(ctx, check.Alarms)
		return rollout.CheckResult{Check: check, Passed: passed, Text: text}
	}
	ready := check
	if check.Locatable() {
		address, err := r.address(ctx)
		if err != nil {
			return rollout.CheckResult{Check: check, Text: err.Error()}
		}
		if address == "" {
			return rollout.CheckResult{Check: check, Text: "the service has no load balancer whose address could be asked"}
		}
		ready = check.Located(r.addresses)
	}
	result := r.opts.Prober(ctx, ready)
	result.Check = check
	return result
}

// listen asks the target whether one of the alarms sounds.
func (r *run) listen(ctx context.Context, names []string) (text string, passed bool) {
	reader, ok := r.target.(AlarmReader)
	if !ok {
		return "this scheduler has no alarms", false
	}
	alarms, err := reader.Alarms(ctx, names)
	if err != nil {
		return err.Error(), false
	}
	for _, name := range names {
		switch a, known := alarms[name]; {
		case !known:
			return fmt.Sprintf("there is no alarm %q", name), false
		case a.Sounds:
			return strings.TrimSuffix(fmt.Sprintf("%s is in ALARM: %s", name, a.Why), ": "), false
		}
	}
	return "none is in ALARM", true
}

// needsAddress reports that a check is asked at the address of the service's load balancer.
func (r *run) needsAddress() bool { return slices.ContainsFunc(r.want.Checks, rollout.Check.Locatable) }

// address returns where the service's first load balancer is reached, looking it up once.
func (r *run) address(ctx context.Context) (string, error) {
	if len(r.addresses) == 0 {
		ref := r.want.Ref
		ref.Wanted, ref.Depth = nil, rollout.Addresses
		seen, err := observe(ctx, r.target, ref)
		if err != nil {
			return "", err
		}
		r.addresses = seen.Addresses
	}
	if len(r.addresses) == 0 {
		return "", nil
	}
	return r.addresses[0], nil
}
