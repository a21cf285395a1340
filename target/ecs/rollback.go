package ecs

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"github.com/slipway-cd/slipway/descriptor"
	"github.com/slipway-cd/slipway/fault"
	"github.com/slipway-cd/slipway/rollout"
)

// revision is a service revision: all that makes a new deployment when it changes; as the SDK reads it, and as it came.
type revision struct {
	types.ServiceRevision
	raw json.RawMessage
}

// revisions describes service revisions by their ARNs. Those that are forgotten are left out.
func (t *Target) revisions(ctx context.Context, ref rollout.ServiceRef, arns ...string) (map[string]revision, error) {
	var body []byte
	out, err := t.ecs.DescribeServiceRevisions(ctx, &ecs.DescribeServiceRevisionsInput{ServiceRevisionArns: arns}, keeping(&body))
	if err != nil {
		return nil, t.failed(fmt.Sprintf("look at the revisions of service %q", ref.Service), err)
	}
	var raw struct{ ServiceRevisions []json.RawMessage }
	if err := json.Unmarshal(body, &raw); err != nil || len(raw.ServiceRevisions) != len(out.ServiceRevisions) {
		return nil, fault.New(fault.Unavailable, "cannot read the revisions of service %q", ref.Service)
	}
	all := map[string]revision{}
	for i, r := range out.ServiceRevisions {
		all[aws.ToString(r.ServiceRevisionArn)] = revision{r, raw.ServiceRevisions[i]}
	}
	return all, nil
}

// rollback updates the service to all that the proven revision had, and to what it was like before this rollout.
func (t *Target) rollback(ctx context.Context, step rollout.Step) (rollout.Receipt, error) {
	doing := fmt.Sprintf("roll service %q back", step.Ref.Service)
	services := map[string]service{}
	if err := t.describe(ctx, step.Ref.Cluster, []rollout.ServiceName{step.Ref.Service}, services); err != nil {
		return rollout.Receipt{}, err
	}
	s, ok := services[string(step.Ref.Service)]
	if !ok {
		return rollout.Receipt{}, fault.New(fault.NotFound, "cannot %s: there is no such service", doing)
	}
	if step.Record != "" {
		return t.shiftBack(ctx, step, s)
	}
	back, err := t.restoration(ctx, step, s)
	if err != nil {
		return rollout.Receipt{}, err
	}
	document, err := back.document(step)
	if err != nil {
		return rollout.Receipt{}, err
	}
	return t.send(ctx, step.Ref, doing, document)
}

// restoration is what a rollback sets, by member, and whether that starts a new deployment.
type restoration struct {
	set   map[string]json.RawMessage
	force bool
}

func (t *Target) restoration(ctx context.Context, step rollout.Step, s service) (restoration, error) {
	back := restoration{set: map[string]json.RawMessage{}}
	before, err := members(step.Before)
	if err != nil {
		return back, err
	}
	now, err := members(s.raw)
	if err != nil {
		return back, err
	}
	back.restore(before, now)
	task := string(step.To.Revision)
	if step.To.Record != "" {
		current := recordOf(step.Deployment, step.To.Record)
		revisions, err := t.revisions(ctx, step.Ref, step.To.Record, current)
		if err != nil {
			return back, err
		}
		to, ok := revisions[step.To.Record]
		if !ok {
			return back, fault.New(fault.NotFound, "cannot roll service %q back: ECS has forgotten service revision %q", step.Ref.Service, step.To.Record)
		}
		task = aws.ToString(to.TaskDefinition)
		if err := back.revise(to, revisions[current]); err != nil {
			return back, err
		}
	}
	back.force = len(back.set) == 0 && task == aws.ToString(s.TaskDefinition)
	back.set["taskDefinition"], err = json.Marshal(task)
	if err == nil && step.Ref.Wanted[descriptor.ServiceUpdate] != nil {
		err = back.count(step.Ref.Wanted[descriptor.ServiceUpdate], before, now)
	}
	return back, err
}

// restore sets what is not as it was before.
func (b *restoration) restore(before, now map[string]json.RawMessage) {
	if len(before) == 0 {
		return
	}
	for _, name := range updatable() {
		b.restoreMember(name, before[name], now[name])
	}
}

// restoreMember sets one member back; what wasn't there is emptied where it can be, which is so for lists.
func (b *restoration) restoreMember(name string, was, is json.RawMessage) {
	switch {
	case was != nil && (is == nil || !sameJSON(was, is)):
		b.set[name] = was
	case was == nil && is != nil && is[0] == '[' && string(bytes.TrimSpace(is)) != "[]":
		b.set[name] = json.RawMessage("[]")
	}
}

// revise sets what the proven service revision had otherwise than the one to be undone. It knows better than what was
// seen before, which may itself have been on its way.
func (b *restoration) revise(to, from revision) error {
	was, err := members(to.raw)
	if err != nil {
		return err
	}
	is, err := members(from.raw)
	if err != nil {
		return err
	}
	for _, name := range updatable() {
		if was[name] != nil || is[name] != nil {
			delete(b.set, name)
			b.restoreMember(name, was[name], is[name])
		}
	}
	return nil
}

// count restores the number of tasks if it was this rollout's document that set it, and nobody has scaled since.
func (b *restoration) count(update []byte, before, now map[string]json.RawMessage) error {
	ours, err := members(update)
	if err != nil {
		return err
	}
	const name = "desiredCount"
	if ours[name] != nil && before[name] != nil && sameJSON(ours[name], now[name]) && !sameJSON(before[name], now[name]) {
		b.set[name] = before[name]
	}
	return nil
}

// document returns the UpdateService request.
func (b *restoration) document(step rollout.Step) ([]byte, error) {
	document := []byte("{}")
	var names []string
	for name := range b.set {
		names = append(names, name)
	}
	slices.Sort(names)
	slices.Reverse(names) // a member that is new comes first
	var err error
	for _, name := range names {
		if document, err = setMember(document, name, b.set[name]); err != nil {
			return nil, err
		}
	}
	return pinned(rollout.Step{Kind: rollout.Update, Ref: step.Ref, Content: document, Force: b.force})
}
